/**
 * Random programs for the oracle (fast-check): anything goes in some of them, the others hand a
 * word over to the device and back, or have the shape of a message, data and then a flag.
 */
import * as fc from 'fast-check';
import type { Attr, Barrier, CpuOp, DeviceOp, How, Litmus } from './program.js';

const layouts: readonly (readonly number[])[] = [[0], [0, 0], [0, 1]];
const attrs = fc.constantFrom<Attr>('WB', 'NC');
const bell: fc.Arbitrary<CpuOp> = fc.record({ op: fc.constant('bell'), ordered: fc.boolean() });

/** `extra` adds that many operations at most to each part of a program. */
export function litmusPrograms(extra = 0): fc.Arbitrary<Litmus> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...layouts).chain((lines) => anything(lines, extra)) },
    { weight: 1, arbitrary: fc.constantFrom([0], [0, 1]).chain(handOver) },
    { weight: 1, arbitrary: fc.constantFrom([0, 0], [0, 1]).chain(messageToDevice) },
    { weight: 1, arbitrary: fc.constantFrom([0, 0], [0, 1]).chain(messageToCpu) },
  );
}

function anything(lineOf: readonly number[], extra: number): fc.Arbitrary<Litmus> {
  const some = (least: number, most: number) =>
    fc.array(cpuOp(lineOf), { minLength: least, maxLength: most + extra });
  return fc
    .record({
      first: some(1, 3),
      start: bell,
      second: some(0, 2),
      waits: fc.boolean(),
      third: some(0, 2),
      device: fc.array(deviceOp(lineOf), { minLength: 1, maxLength: 2 + extra }),
      again: fc.integer({ min: 0, max: 9 }),
    })
    .map(({ first, start, second, waits, third, device, again }): Litmus => {
      const wait: readonly CpuOp[] = waits ? [{ op: 'wait' }] : [];
      // Now and then the device is started twice.
      const more: readonly CpuOp[] = again === 0 ? [start, { op: 'wait' }] : [];
      return { lineOf, cpu: [...first, start, ...second, ...wait, ...third, ...more], device };
    });
}

/** A store, what may make it reach the device, and the doorbell; then perhaps the way back. */
function handOver(lineOf: readonly number[]): fc.Arbitrary<Litmus> {
  const { maintain, barrier } = parts(lineOf);
  const optional = (op: fc.Arbitrary<CpuOp>) => fc.array(op, { maxLength: 1 });
  const again: readonly CpuOp[] = [{ op: 'wait' }];
  return fc
    .tuple(attrs, optional(maintain), optional(barrier), bell, fc.boolean(), attrs)
    .chain(([attr, clean, fence, start, returns, attrBack]) =>
      fc.tuple(optional(maintain), optional(barrier)).map(
        ([invalidate, fenceBack]): Litmus => ({
          lineOf,
          cpu: [
            { op: 'store', attr, word: 0, value: 1 },
            ...clean,
            ...fence,
            start,
            ...(returns ? again : []),
            ...invalidate,
            ...fenceBack,
            { op: 'load', attr: attrBack, word: 0, sync: false },
          ],
          device: [
            { op: 'read', word: 0, sync: false },
            ...(returns ? [{ op: 'write' as const, word: 0, value: 5 }] : []),
          ],
        }),
      ),
    );
}

/** The device runs already and looks at the flag; word 1 is the flag. */
function messageToDevice(lineOf: readonly number[]): fc.Arbitrary<Litmus> {
  const between = fc.array(cpuOp(lineOf), { maxLength: 1 });
  return fc.tuple(bell, between, attrs, between, attrs, between).map(
    ([start, before, data, middle, flag, after]): Litmus => ({
      lineOf,
      cpu: [
        ...before,
        start,
        { op: 'store', attr: data, word: 0, value: 1 },
        ...middle,
        { op: 'store', attr: flag, word: 1, value: 2 },
        ...after,
      ],
      device: [
        { op: 'read', word: 1, sync: true },
        { op: 'read', word: 0, sync: false },
      ],
    }),
  );
}

function messageToCpu(lineOf: readonly number[]): fc.Arbitrary<Litmus> {
  const between = fc.array(cpuOp(lineOf), { maxLength: 1 });
  return fc.tuple(between, bell, between, attrs, between, attrs).map(
    ([before, start, after, flag, middle, data]): Litmus => ({
      lineOf,
      cpu: [
        ...before,
        start,
        ...after,
        { op: 'load', attr: flag, word: 1, sync: true },
        ...middle,
        { op: 'load', attr: data, word: 0, sync: false },
      ],
      device: [
        { op: 'write', word: 0, value: 5 },
        { op: 'write', word: 1, value: 6 },
      ],
    }),
  );
}

/** Values of CPU and device differ, so that equal values are always ordered by happens-before. */
function parts(lineOf: readonly number[]) {
  const word = fc.integer({ min: 0, max: lineOf.length - 1 });
  const line = fc.constantFrom(...new Set(lineOf));
  const how = fc.constantFrom<How>('clean', 'inval', 'cinv');
  const name = fc.constantFrom<Barrier>(
    ...(['dma_wmb', 'dma_rmb', 'dma_mb', 'smp_wmb', 'smp_rmb', 'smp_mb'] as const),
    ...(['wmb', 'mb', 'arch_sync_dma_flush'] as const),
  );
  const value = fc.integer({ min: 1, max: 4 });
  const plainStore = fc.record({ op: fc.constant('store' as const), attr: attrs, word, value });
  const isOrdered = fc.integer({ min: 0, max: 4 }).map((each) => each === 0);
  const store = fc
    .tuple(plainStore, isOrdered)
    .map(([each, release]) => (release ? { ...each, release } : each));
  const sync = fc.boolean();
  const plainLoad = fc.record({ op: fc.constant('load' as const), attr: attrs, word, sync });
  const load = fc
    .tuple(plainLoad, isOrdered)
    .map(([each, acquire]) => (acquire ? { ...each, acquire, sync: true } : each));
  const maintain = fc
    .record({ op: fc.constant('maintain' as const), how, line, dsb: fc.boolean() })
    // The language has no dcache_clean_inval_poc_nosync.
    .map((each) => (each.how === 'cinv' ? { ...each, dsb: true } : each));
  const barrier = fc.record({ op: fc.constant('barrier' as const), name });
  return { store, load, maintain, barrier };
}

function cpuOp(lineOf: readonly number[]): fc.Arbitrary<CpuOp> {
  const { store, load, maintain, barrier } = parts(lineOf);
  return fc.oneof(
    { weight: 5, arbitrary: store },
    { weight: 4, arbitrary: load },
    { weight: 5, arbitrary: maintain },
    { weight: 2, arbitrary: barrier },
  );
}

function deviceOp(lineOf: readonly number[]): fc.Arbitrary<DeviceOp> {
  const word = fc.integer({ min: 0, max: lineOf.length - 1 });
  const value = fc.integer({ min: 5, max: 8 });
  return fc.oneof(
    fc.record({ op: fc.constant('read' as const), word, sync: fc.boolean() }),
    fc.record({ op: fc.constant('write' as const), word, value }),
  );
}
