/**
 * Lists that are replaced rather than changed. Array.prototype.with() does the same, but goes
 * through the general machinery for every item in Node 20, some ten times as long.
 */

/** A copy with another item at a place from 0 to the length - 1. */
export function withItem<T>(list: readonly T[], at: number, item: T): readonly T[] {
  const next = list.slice();
  next[at] = item;
  return next;
}

/** Room for items to be put anywhere, from behind as well: an empty list would turn into a map. */
export function room<T>(length: number): (T | undefined)[] {
  return new Array<T | undefined>(length);
}
