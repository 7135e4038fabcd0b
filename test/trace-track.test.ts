/** The tracker's parts: ranges against a list, lifetimes, correlation, and what stays bounded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Devices, taskName } from '../src/trace/track/device.js';
import { LifetimeHistogram } from '../src/trace/track/lifetimes.js';
import { LiveMapping } from '../src/trace/track/live-mapping.js';
import { RangeIndex, type RangeNode } from '../src/trace/track/range-index.js';
import { BOTH, FROM, known, Script, TO } from './trace-script.js';

const device = new Devices().get('dev');
const site = device.site('task', 'event', TO);

interface Range {
  readonly start: number;
  readonly size: number;
  readonly owner: LiveMapping;
  readonly node: RangeNode;
}

const address = fc.oneof(
  fc.integer({ min: 0, max: 1 << 16 }),
  fc.integer({ min: 0xffff_0000, max: 0x1_0001_0000 }),
);
const size = fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 1 << 24 }));
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), start: address, size }),
  fc.record({ do: fc.constant('remove' as const), start: fc.nat(), size }),
  fc.record({ do: fc.constant('overlap' as const), start: address, size }),
  fc.record({ do: fc.constant('start' as const), start: address, size }),
);

function owners(index: RangeIndex, count: number): LiveMapping[] {
  return index.found.slice(0, count).map((node) => node.owner);
}

function sorted(found: readonly LiveMapping[]): number[] {
  return found.map((m) => m.id).sort((a, b) => a - b);
}

describe('RangeIndex', () => {
  it('finds what a list finds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const index = new RangeIndex();
        const list: Range[] = [];
        let ids = 0;
        for (const { do: what, start, size: bytes } of steps) {
          if (what === 'add') {
            const owner = new LiveMapping(device, site);
            owner.id = ids;
            ids += 1;
            const node = index.add(start, start + bytes, owner, null);
            list.push({ start, size: bytes, owner, node });
          } else if (what === 'remove' && list.length > 0) {
            const [gone] = list.splice(start % list.length, 1);
            index.removeAll(gone?.node ?? null);
          } else if (what === 'overlap') {
            const count = index.overlapping(start, start + bytes);
            const expected = list.filter(
              (r) => r.start < start + bytes && start < r.start + r.size,
            );
            expect(sorted(owners(index, count))).toEqual(sorted(expected.map((r) => r.owner)));
          } else if (what === 'start' && list.length > 0) {
            const at = list[start % list.length]?.start ?? 0;
            const count = index.startingAt(at);
            const expected = list.filter((r) => r.start === at);
            expect(sorted(owners(index, count))).toEqual(sorted(expected.map((r) => r.owner)));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('LifetimeHistogram', () => {
  it('has a median within a factor of two, an exact mean and maximum', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1e12 }), { minLength: 1 }), (times) => {
        const histogram = new LifetimeHistogram();
        for (const time of times) histogram.add(time);
        const middle = times.toSorted((a, b) => a - b)[Math.ceil(times.length / 2) - 1] ?? 0;
        expect((histogram.median ?? 0) / middle).toBeGreaterThan(0.49);
        expect((histogram.median ?? 0) / middle).toBeLessThan(2.01);
        expect(histogram.max).toBe(Math.max(...times));
        expect(histogram.mean).toBeCloseTo(times.reduce((a, b) => a + b, 0) / times.length, 0);
      }),
    );
    expect(new LifetimeHistogram()).toMatchObject({ median: null, mean: null, max: null });
  });
});

describe('taskName', () => {
  it.each([
    ['kworker/u8:3-events', 'kworker'],
    ['swapper/12', 'swapper'],
    ['<idle>', 'swapper'],
    ['ksoftirqd/1', 'ksoftirqd'],
    ['irq/35-nvme0q1', 'irq/nvme0q'],
    ['insmod', 'insmod'],
  ])('%s is %s', (comm, name) => {
    expect(taskName(comm)).toBe(name);
  });
});

describe('correlation with the IOMMU', () => {
  it('says translated, counts invalidations of both orders, and bounces by address', () => {
    const script = new Script()
      .mapTranslated()
      .iommuUnmap(0xffff_0000, 4096)
      .unmap()
      .alloc({ dma: 0x1000 })
      .mapSg([0x4000_0000], { dma: 0x5000 })
      .unmapSg([0x4000_0000])
      .iommuUnmap(0x5000, 4096);
    const { devices, costs, notes } = script.finish();
    expect(devices[0]).toMatchObject({ translated: true });
    expect(costs.rows[0]).toMatchObject({ maps: 3, unmaps: 2, invalidations: 2 });
    expect(notes.join()).not.toContain('unknown domain');
  });

  it('leaves what has no dma event to an unknown domain', () => {
    const script = new Script();
    for (let i = 0; i < 5; i += 1) script.iommuUnmap(i * 0x10_0000, 4096);
    expect(script.map().finish().notes.join()).toContain('5 iommu:unmap of an unknown domain');
  });

  it('does not take the iommu:map of another task', () => {
    const script = new Script();
    script.pid = 1;
    script.analysis.sink.iommuMap(
      { index: 0, time: 1, cpu: 0, pid: 2, task: 'other', name: 'map' },
      0xffff_0000,
      0x4000_0000,
      4096,
    );
    const { devices, notes } = script.map().finish();
    expect(devices[0]).toMatchObject({ translated: null });
    expect(notes.join()).toContain('1 iommu:map and 0 iommu:unmap of an unknown domain');
  });

  it('sees a bounce without swiotlb events', () => {
    const script = new Script();
    script.analysis.sink.iommuMap(
      { index: 0, time: 1, cpu: 0, pid: 100, task: 'worker', name: 'map' },
      0xffff_0000,
      0xf7e0_0000,
      4096,
    );
    const { costs } = script.map({ size: 64 }).unmap({ size: 64 }).finish();
    expect(costs.rows[0]).toMatchObject({ bounces: 1, bytesBounced: 64 });
  });
});

describe('costs', () => {
  it('follow arm64: clean at map, invalidate at unmap unless TO_DEVICE, by sync direction', () => {
    const script = known()
      .mapTranslated({ dir: TO })
      .unmap({ dir: TO })
      .mapTranslated({ dir: FROM })
      .sync(true, { dir: FROM, size: 256 })
      .sync(false, { dir: FROM, size: 512 })
      .unmap({ dir: FROM });
    const { costs } = script.finish();
    expect(costs.rows[0]).toMatchObject({
      bytesCleaned: 4096 + 4096 + 512,
      bytesInvalidated: 256 + 4096,
      syncsForCpu: 1,
      syncsForDevice: 1,
    });
    expect(costs.rows[1]).toMatchObject({ task: 'worker', maps: 2 });
    expect(costs.dearest.map((b) => b.bytesCleaned + b.bytesInvalidated)).toEqual([8960, 4096]);
  });

  it('are zero for the caches of a device that snoops', () => {
    const fact = { coherent: true, from: 'sidecar', because: '' } as const;
    const { costs } = new Script({ coherence: () => fact }).map({ dir: BOTH }).finish();
    expect(costs.rows[0]).toMatchObject({ bytesCleaned: 0, maps: 1, bytesMapped: 4096 });
  });
});

describe('memory', () => {
  it('has a limit of live mappings, and says when it was reached', () => {
    const script = new Script({ rules: [] });
    for (let i = 0; i < 260_000; i += 1) script.map({ dma: i * 4096, phys: i * 4096 });
    const { notes, devices } = script.finish();
    expect(notes.join()).toContain('10,000 mappings were not followed');
    expect(devices[0]?.live).toBe(250_000);
  });

  it('does not hang on nonsense', () => {
    const script = new Script().map({ size: 2 ** 40 });
    for (const at of [2 ** 70, 2 ** 52, -4096, Number.NaN]) script.page('Free', at, 20);
    for (const dma of [2 ** 63, 2 ** 53, -2]) script.sync(true, { dma, size: 2 ** 62 }).fault(dma);
    expect(script.finish().source).toBeDefined();
  });

  it('gives up the oldest of the lists whose end is never seen', () => {
    const script = new Script();
    const many = Array.from({ length: 128 }, (_, i) => 0x4000_0000 + i * 0x2000);
    for (let i = 0; i < 300; i += 1) {
      script.mapSg(many, { nents: 600, size: 600 * 4096, dma: i * 0x100_0000 });
    }
    expect(script.finish().devices[0]).toMatchObject({ maps: 300, live: 256 });
  });

  it('does not grow with nonsense', () => {
    const script = new Script();
    for (const size of [0, -1, 2 ** 60, Number.NaN]) script.map({ size });
    expect(script.map({ dma: -2 }).finish().notes.join()).toContain('5 mappings were not followed');
  });
});
