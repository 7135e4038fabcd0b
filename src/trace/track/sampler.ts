/**
 * How many mappings of each call site live, at sixteen or so moments spread over the whole trace,
 * whose length is not known before its end: when all places are taken every other sample is
 * dropped and the interval doubles.
 */

import { double } from '../double.js';
import type { Devices, Site } from './device.js';

const samplesMax = 32;
/** 50 ms at first, in ns. */
const intervalFirst = 50_000_000;

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
    for (const device of this.devices.all()) device.sites.forEach(this.noteAll);
    this.next = time + this.interval;
  }

  private readonly noteAll = (sites: readonly Site[]): void => {
    for (let i = 0; i < sites.length; i += 1) this.note(sites[i]!);
  };

  private note({ samples, live }: Site): void {
    // A site that is new, or that shares several task names, is filled up once.
    while (samples.length < this.taken - 1) samples.push(0);
    if (samples.length < this.taken) samples.push(live);
  }

  private thin(): void {
    const done = new Set<number[]>();
    for (const device of this.devices.all()) {
      for (const { samples } of device.distinctSites()) {
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
