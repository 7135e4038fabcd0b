/**
 * H5: accesses to one line with different cacheability, without what Arm's recovery rules R1 to R4
 * ask for in between, whether or not anything went wrong (model.md H5). Only with .strict_alias.
 * Source: Arm ARM DDI0487, B2.11 "Mismatched memory attributes".
 * Leaves out: mappings and speculative fills, which are no accesses; differing shareability.
 */
import { attributes } from '../machine/attributes.js';
import type { LineEvent } from '../machine/cache-rules.js';
import { hasBit } from '../machine/line.js';
import type { KernelContext } from './context.js';
import type { Frame, KernelState } from './state.js';

/** What was done to a line and not yet made good, as masks over its tracked words. */
export interface LineHistory {
  /** Written WB and not cleaned since. */
  readonly wb: number;
  /** Written otherwise and not invalidated since. */
  readonly nc: number;
  /** A copy from before may be cached: there was a cacheable mapping since the last invalidate. */
  readonly held: boolean;
}

const ALL = 2 ** 53 - 1;

/** The last owner may have written it, and the allocator's mapping is cacheable. */
const unknown: LineHistory = { wb: ALL, nc: 0, held: true };

/** M4: some live cacheable mapping of the page allows fills. */
export function hasCacheableAlias(
  kernel: KernelState,
  page: Frame | undefined,
  frame: number,
): boolean {
  if (page?.linear === true && (page.linearAs ?? 'WB') === 'WB') return true;
  if (page?.inTlb !== undefined) return true;
  return kernel.maps.some(
    (map) =>
      map.live &&
      map.kind !== 'linear' &&
      attributes[map.attribute].cacheable &&
      (map.present.some(([, each]) => each === frame) ||
        map.stale?.some((each) => each.frame === frame) === true),
  );
}

/** What a fresh page's lines have behind them: zeroed, known to be clean, or anything. */
export function freshHistory(
  lines: readonly { readonly dram: readonly number[] }[],
  made: 'zeroed' | 'clean' | 'unknown',
): readonly LineHistory[] {
  return lines.map(({ dram }) => {
    if (made === 'unknown') return unknown;
    return { wb: made === 'zeroed' ? 2 ** Math.min(dram.length, 52) - 1 : 0, nc: 0, held: true };
  });
}

type Kind = 'cacheable read' | 'cacheable write' | 'other read' | 'other write';

const kinds: Readonly<Partial<Record<LineEvent, Kind>>> = {
  'load WB': 'cacheable read',
  'store WB': 'cacheable write',
  'load NC': 'other read',
  'store NC': 'other write',
  'device read': 'other read',
  'device write': 'other write',
  'snooping read': 'cacheable read',
  'snooping write': 'cacheable write',
};

const broken = {
  'cacheable read':
    'R3: a cacheable read of what was written otherwise, with no invalidate in between',
  'cacheable write':
    'R3: a cacheable store to a line that holds what was written otherwise, with no invalidate',
  'other read': 'R2: a read that is not cacheable, of what was written cacheable and not cleaned',
  'other write':
    'R1: a write that is not cacheable, to a line that may be dirty: not cleaned, not invalidated',
} as const;

/** An event happens to a line: judges it by R1 to R3, and keeps account. */
export function noteEvent(
  context: KernelContext,
  frameIndex: number,
  lineIndex: number,
  event: LineEvent,
  word: number,
): void {
  const frame = context.frame(frameIndex);
  if (frame === undefined) return;
  const all = frame.history ?? frame.lines.map(() => unknown);
  const before = all[lineIndex] ?? unknown;
  const aliased = hasCacheableAlias(context.kernel, frame, frameIndex);
  const kind = kinds[event];
  if (kind !== undefined && isBroken(before, kind, word)) tell(context, broken[kind], frame, event);
  const after =
    kind === undefined ? maintained(before, event, aliased) : accessed(before, kind, word, aliased);
  const same = after.wb === before.wb && after.nc === before.nc && after.held === before.held;
  if (same && frame.history !== undefined) return;
  const history = all.slice();
  history[lineIndex] = after;
  context.setFrame(frameIndex, { ...frame, history });
}

function isBroken({ wb, nc, held }: LineHistory, kind: Kind, word: number): boolean {
  switch (kind) {
    case 'other read':
      return hasBit(wb, word) && wb !== ALL;
    case 'other write':
      return wb !== 0;
    case 'cacheable read':
      return held && hasBit(nc, word);
    case 'cacheable write':
      return held && nc !== 0 && nc !== bit(word);
  }
}

function bit(word: number): number {
  return 2 ** Math.min(word, 52);
}

function accessed(
  { wb, nc, held }: LineHistory,
  kind: Kind,
  word: number,
  aliased: boolean,
): LineHistory {
  const written = hasBit(wb, word) ? wb : wb + bit(word);
  const without = hasBit(nc, word) ? nc - bit(word) : nc;
  switch (kind) {
    case 'cacheable write':
      return { wb: written, nc: without, held: true };
    case 'cacheable read':
      return { wb, nc, held: true };
    case 'other write':
      return { wb, nc: hasBit(nc, word) ? nc : nc + bit(word), held: held || aliased };
    case 'other read':
      return { wb, nc, held };
  }
}

function maintained(before: LineHistory, event: LineEvent, aliased: boolean): LineHistory {
  if (event === 'clean') return { ...before, wb: 0 };
  if (event === 'invalidate' || event === 'clean+invalidate') {
    return { wb: 0, nc: 0, held: aliased };
  }
  return before;
}

/** R4: one CPU accesses a line with two attributes, and no DMB stands between. */
export function noteAccess(
  context: KernelContext,
  frame: number,
  line: number,
  cacheable: boolean,
): void {
  if (context.hasTouched(frame, line, !cacheable)) {
    const page = context.frame(frame);
    const why = 'R4: this CPU accessed the line with another attribute, and no DMB stands between';
    if (page !== undefined) tell(context, why, page, cacheable ? 'load WB' : 'load NC');
  }
  context.touch(frame, line, cacheable);
}

function tell(context: KernelContext, why: string, frame: Frame, event: LineEvent): void {
  context.find('H5', true, -1, () => ({
    message: `mismatched attributes (${why})`,
    expected: 'accesses with one cacheability, or the recovery rule of B2.11 between them',
    actual: `${event} without it, page ${frame.page}`,
  }));
  context.say('H5', () => why);
}
