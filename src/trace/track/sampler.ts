/**
 * How many mappings of each call site live, at sixteen or so moments spread over the whole trace,
 * whose length is not known before its end: when all places are taken every other sample is
 * dropped and the interval doubles.
 */
import type { Devices } from './device.js';
import { double } from './double.js';

const samplesMax = 32;
/** 10 ms at first, in ns. */
const intervalFirst = 10_000_000;

export class Sampler {
  /** Time from which on a sample is due. */
  next = Number.NEGATIVE_INFINITY;
  private interval = double;
  private taken = 0;

  constructor(private readonly devices: Devices) {
    this.interval = intervalFirst;
  }

  sample(time: number): void {
    if (this.taken === samplesMax) this.thin();
    this.taken += 1;
    for (const device of this.devices.all()) {
      for (const site of device.sites.values()) {
        // A site that is new, or that shares several task names, is filled up once.
        while (site.samples.length < this.taken - 1) site.samples.push(0);
        if (site.samples.length < this.taken) site.samples.push(site.live);
      }
    }
    this.next = time + this.interval;
  }

  private thin(): void {
    const done = new Set<number[]>();
    for (const device of this.devices.all()) {
      for (const { samples } of device.sites.values()) {
        if (done.has(samples)) continue;
        done.add(samples);
        const kept = samples.filter((_, i) => i % 2 === 0);
        samples.length = 0;
        samples.push(...kept);
      }
    }
    this.taken = Math.ceil(this.taken / 2);
    this.interval *= 2;
  }
}
