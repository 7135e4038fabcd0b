/**
 * Memory that runs out (K1): which calls then return what, and what becomes of a thread that uses
 * the NULL or the error pointer it was given.
 * Sources: mm/page_alloc.c:__alloc_pages_slowpath (nopage), mm/slub.c, kernel/dma/mapping.c,
 * include/linux/err.h, arch/arm64/mm/fault.c:die_kernel_fault.
 * Leaves out: what fails inside a function that has no result for it (a page fault's SIGBUS), and
 * calls that an override makes inside another function.
 */

import { GFP_NOFAIL } from './constants.js';
import type { KernelContext } from './context.js';
import { DMA_MAPPING_ERROR } from './dma-address.js';
import type { Failure, Kind, Operation } from './registry.js';
import { isNumber, type Value } from './value.js';

/** -ENOMEM, also as ERR_PTR(-ENOMEM); integers here are unsigned, so that it is large. */
export const ENOMEM = 2 ** 32 - 12;
export const EINVAL = 2 ** 32 - 22;
/** MAX_ERRNO: what IS_ERR() takes for an error. */
const FIRST_ERROR = 2 ** 32 - 4095;

/** Thread 0 is `init`: what it makes is there when the scenario begins. */
export const INIT = 0;

/** What a family of operations does where memory runs out. */
interface Failures {
  /** By name: what a call returns then. */
  readonly fails?: Readonly<Record<string, number | Failure>>;
  /** These do nothing where they are given NULL, as kfree() does. */
  readonly takeNull?: readonly string[];
}

/** The rows of a family, told what they return where memory runs out. */
export function withFailures(
  rows: readonly Operation[],
  { fails = {}, takeNull = [] }: Failures,
): readonly Operation[] {
  return rows.map((row): Operation => {
    const found = fails[row.name];
    const failure = typeof found === 'number' ? { returns: found } : found;
    const failed: Operation = failure === undefined ? row : { ...row, fails: failure };
    return takeNull.includes(row.name) ? { ...failed, takesNull: 'does nothing' } : failed;
  });
}

/** What a call returns because its memory is not to be had; null: it has it. */
export function failureOf(
  context: KernelContext,
  { name, params, fails }: Operation,
  args: readonly Value[],
): number | null {
  if (fails === undefined || !context.machine.allocationMayFail) return null;
  if (context.step.agent === INIT || fails.unless?.(context, args) === true) return null;
  const at = params.findIndex(({ kinds }) => kinds.includes('gfp'));
  const flags = args[at];
  if (typeof flags === 'number' && (flags & GFP_NOFAIL) !== 0) return null;
  if (context.choose(2) === 0) return null;
  context.say('K1', () => `no memory: ${name}() fails`);
  // iommu_dma_alloc() leaves this in *dma_handle, dma-direct nothing that could be used.
  params.forEach(({ out }, index) => {
    if (out === true) context.out(index, DMA_MAPPING_ERROR);
  });
  return fails.returns;
}

/** What a call may give an error pointer, or NULL, in place of. */
export const pointerKinds = [
  'ptr',
  'page',
  'bo',
  'sgt',
  'domain',
  'dmabuf',
  'attachment',
  'pool',
] as const;
const pointers: ReadonlySet<Kind> = new Set<Kind>(pointerKinds);

/**
 * Whether a value is what a failed call gave. NULL is that only on a machine where calls may fail:
 * elsewhere it is a slip of the pen (L070).
 */
export function isFailed({ machine }: KernelContext, value: Value | undefined): value is number {
  if (!isNumber(value)) return false;
  return (
    isError(value) ||
    machine.allocationMayFail ||
    machine.devices.some((each) => each.mappingMayFail)
  );
}

/** The first argument that is no pointer where the function needs one. */
export function badArgument(
  context: KernelContext,
  operation: Operation,
  args: readonly Value[],
): number | null {
  for (const [i, { kinds, optional }] of operation.params.entries()) {
    const value = args[i];
    if (optional === true || !isFailed(context, value)) continue;
    if (kinds.every((kind) => pointers.has(kind))) return value;
  }
  return null;
}

/** IS_ERR(). */
export function isError(value: Value | undefined): boolean {
  return isNumber(value) && value >= FIRST_ERROR && value < 2 ** 32;
}

/** H14: the kernel, or the process, stops at an address where nothing is. */
export function stopsAt(context: KernelContext, value: number, who: string): void {
  const what = isError(value) ? 'an error pointer' : 'NULL';
  context.recorder.faulted?.(context.step.site);
  context.find('H14', true, -1, () => ({
    message: `${who} faults: the pointer is ${what}`,
    expected: 'a call that is not made after the one before it failed',
    actual: isError(value) ? `ERR_PTR(-${2 ** 32 - value})` : `0x${value.toString(16)}`,
  }));
  context.say('H14', () => `${who} faults at ${what}: the thread ends here`);
}
