/**
 * A run-time value of a scenario: an integer (also dma and physical addresses), a pointer, or a
 * handle to a kernel object. Objects are named by the id of the call that made them, so that two
 * interleavings that make the same objects in another order are the same state.
 */
export type Value =
  | number
  /** A CPU pointer: which mapping, and how many bytes into it. */
  | { readonly kind: 'ptr'; readonly map: number; readonly offset: number }
  | { readonly kind: HandleKind; readonly id: number };

export type HandleKind =
  | 'buffer'
  | 'sgt'
  | 'domain'
  | 'device'
  | 'attachment'
  | 'mutex'
  | 'completion'
  | 'iova';

export const NULL = 0;

/**
 * Whether it is no pointer and no handle. It looks at the kind of an object, since tables take it
 * that an answer does not depend on what was not read (fast/track.ts).
 */
export function isNumber(value: Value | undefined): value is number {
  return typeof value === 'object' ? value.kind === undefined : value !== undefined;
}
