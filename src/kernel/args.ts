/**
 * Reads the arguments of a call. The checker has seen to the kinds; what can still be wrong at run
 * time (a handle nobody has set yet) is the scenario's error and ends the exploration with it.
 */
import type { KernelContext } from './context.js';
import type { Buffer, CpuMap, Sgt } from './state.js';
import type { HandleKind, Value } from './value.js';
import type { Range } from './maintenance.js';
import { mapOf } from './cpu-maps.js';
import { ScenarioError } from './scenario-error.js';

export { ScenarioError };

export function fail(context: KernelContext, message: string): never {
  throw new ScenarioError(message, context.step.site);
}

export function int(value: Value | undefined, fallback = 0): number {
  return typeof value === 'number' ? value : fallback;
}

export function handle(context: KernelContext, value: Value | undefined, kind: HandleKind): number {
  if (typeof value === 'object' && value.kind === kind) return value.id;
  return fail(context, `this argument holds no ${kind} here`);
}

export function deviceArg(context: KernelContext, value: Value | undefined): number {
  return handle(context, value, 'device');
}

export function bufferArg(context: KernelContext, value: Value | undefined): Buffer {
  return context.buffer(handle(context, value, 'buffer'));
}

export function sgtArg(context: KernelContext, value: Value | undefined): Sgt {
  const id = handle(context, value, 'sgt');
  const found = context.kernel.sgts.find((each) => each.id === id);
  return found ?? fail(context, 'this scatterlist table does not exist');
}

/** The parts of memory that a table names. */
export function sgRanges(context: KernelContext, table: Sgt): readonly Range[] {
  const empty = table.entries.findIndex((each) => each.buffer < 0);
  if (empty >= 0) fail(context, `entry ${empty} of the scatterlist names no memory`);
  return table.entries.map(({ buffer, offset: from, size, frames }) => ({
    buffer,
    from,
    size,
    frames,
  }));
}

/** orig_nents of a table. */
export function sgCount(context: KernelContext, table: Sgt): number {
  const { pageSize } = context.machine;
  return table.entries
    .map(({ size, perPage }) => (perPage ? Math.ceil(size / pageSize) : 1))
    .reduce((sum, each) => sum + each, 0);
}

export function pointerArg(
  context: KernelContext,
  value: Value | undefined,
): { map: CpuMap; offset: number } {
  if (typeof value !== 'object' || value.kind !== 'ptr') return fail(context, 'no pointer here');
  const map = mapOf(context, value.map);
  return map === undefined ? fail(context, 'no such mapping') : { map, offset: value.offset };
}

/** A pointer and a length, as a range of the buffer behind it. */
export function rangeArg(
  context: KernelContext,
  pointer: Value | undefined,
  size: Value | undefined,
): Range {
  const { map, offset } = pointerArg(context, pointer);
  return { buffer: map.buffer, from: offset, size: int(size) };
}
