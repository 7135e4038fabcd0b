/**
 * M7 and M9 said a second time, for exports: which entry may leave a store buffer, and what the
 * buffer is then. Written from docs/model.md; nothing here comes from src/machine, so that another
 * checker's count is a second opinion on it.
 * Leaves out: doorbells, whose arrival starts a device (they are tabulated).
 */

/** An entry of a store buffer, as far as its order matters. */
export interface BufferEntry {
  readonly kind: 'store' | 'maintain' | 'barrier' | 'doorbell';
  readonly attribute?: 'WB' | 'NC' | 'DEV';
  readonly op?: 'clean' | 'invalidate' | 'clean+invalidate';
  readonly scope?: 'st' | 'ish' | 'ish-full';
  readonly frame?: number;
  readonly line?: number;
  readonly cell?: number;
  readonly value?: number;
  readonly own?: boolean;
  readonly from?: number;
  readonly to?: number;
  readonly device?: number;
  readonly posted?: string;
  readonly release?: true;
}

function isWrite(entry: BufferEntry): boolean {
  return entry.kind === 'store' || entry.kind === 'doorbell';
}

/** `late` stands behind `early`; `between` stands between them. */
function mustWait(early: BufferEntry, late: BufferEntry, between: readonly BufferEntry[]): boolean {
  const fences = between.filter(({ kind }) => kind === 'barrier');
  if (isWrite(early) && fences.some(({ scope }) => scope === 'st')) return true;
  if (isWrite(early) && late.release) return true;
  const lateCached = late.kind === 'store' && late.attribute === 'WB';
  if (isWrite(early) && lateCached && fences.length > 0) return true;
  const toDevice = (each: BufferEntry): boolean =>
    each.kind === 'doorbell' || each.attribute === 'DEV';
  if (toDevice(early) && toDevice(late)) return true;
  if (early.line === undefined || early.line !== late.line || early.frame !== late.frame) {
    return false;
  }
  const cached = (each: BufferEntry): boolean =>
    each.kind === 'maintain' || each.attribute === 'WB';
  return (cached(early) && cached(late)) || early.attribute === late.attribute;
}

/** The entry at an index may leave now: stores of different lines in any order (M7). */
export function mayLeave(buffer: readonly BufferEntry[], at: number): boolean {
  const late = buffer[at];
  if (late === undefined || late.kind === 'barrier') return false;
  return buffer
    .slice(0, at)
    .every((early, i) => early.kind === 'barrier' || !mustWait(early, late, buffer.slice(i, at)));
}

/** The buffer when an entry has left: a barrier goes when it has no write left to hold back. */
export function afterLeaving<E extends BufferEntry>(
  buffer: readonly E[],
  at: number,
): readonly E[] {
  const kept: E[] = [];
  for (const each of buffer.toSpliced(at, 1)) {
    if (each.kind === 'barrier') {
      const last = kept.at(-1);
      if (!kept.some(isWrite)) continue;
      if (last?.kind === 'barrier' && last.scope === each.scope) continue;
    }
    kept.push(each);
  }
  return kept;
}
