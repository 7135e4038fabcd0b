/**
 * The per-CPU store buffer (M7) and the cache maintenance that waits in it (M9): which entry may
 * leave before an earlier one. The order is a data table, so that docs and engine agree.
 * Leaves out: the order of loads (M8), which is system/early.ts and delayed.ts.
 */
import type { Attribute } from './attributes.js';
import { orderProfiles, type ProfileName } from './profile.js';

export type Maintenance = 'clean' | 'invalidate' | 'clean+invalidate';

/**
 * `st`: dmb oshst and stronger. `ish`, `ish-full`: the smp_* barriers of arm64 and x86. `w`,
 * `w-full`: those of RISC-V, which order all memory but no Device stores. `wo`: memory before
 * Device stores, and nothing before memory.
 */
export type BarrierScope = 'st' | 'ish' | 'ish-full' | 'w' | 'w-full' | 'wo';

/** Later loads wait until what stands before it has left. */
export function holdsLoads(scope: BarrierScope): boolean {
  return scope === 'ish-full' || scope === 'w-full';
}

export type Entry =
  | {
      readonly kind: 'store';
      readonly attribute: Attribute;
      readonly frame: number;
      readonly line: number;
      readonly word: number;
      /** Id of the tracked word, by which the byte is found when the frame has a new owner. */
      readonly cell: number;
      readonly value: number;
      /** This CPU accessed the line WB with no DMB since (M6 `arch`). */
      readonly own: boolean;
      readonly at: number;
      /** It waits in this device's own cache (M11) or on its way from it, not in a CPU's buffer. */
      readonly device?: number;
      /** A device's write on its way to memory (M10); relaxed ones may overtake. */
      readonly posted?: 'ordered' | 'relaxed';
      /** It does not leave before the device has it (Device-nGnRnE). */
      readonly nonPosted?: true;
      /** A Store-Release: what its CPU stored before leaves first. */
      readonly release?: true;
      /** It snoops the CPUs' caches when it arrives. */
      readonly snoops?: true;
    }
  | {
      readonly kind: 'maintain';
      readonly op: Maintenance;
      readonly frame: number;
      readonly line: number;
      /** Id of a tracked word of the line, as for stores. */
      readonly cell: number;
      /** Bytes of the page it was issued for, [from, to): the line may reach beyond them. */
      readonly from: number;
      readonly to: number;
      readonly at: number;
    }
  | { readonly kind: 'barrier'; readonly scope: BarrierScope; readonly at: number }
  /** A doorbell: a Device store that starts a device; `clock` is what its receiver learns. */
  | {
      readonly kind: 'doorbell';
      readonly device: number;
      readonly clock: readonly number[];
      readonly at: number;
    };

export interface OrderRow {
  readonly earlier: string;
  readonly later: string;
  readonly when: string;
  readonly rule: string;
  readonly text: string;
  /** Absent: on every architecture. */
  readonly only?: ProfileName;
  readonly holds: (earlier: Entry, later: Entry, barriers: readonly Entry[]) => boolean;
}

function sameLine(a: Entry, b: Entry): boolean {
  return 'line' in a && 'line' in b && a.frame === b.frame && a.line === b.line;
}
function cacheable(e: Entry): boolean {
  return e.kind === 'maintain' || (e.kind === 'store' && e.attribute === 'WB');
}
function posted(e: Entry): boolean {
  return e.kind === 'doorbell' || (e.kind === 'store' && e.attribute === 'DEV');
}
function isStore(e: Entry): boolean {
  return e.kind === 'store' || e.kind === 'doorbell';
}
function inTotalOrder(e: Entry): boolean {
  return posted(e) || (e.kind === 'store' && e.attribute === 'WB');
}
function toMemory(e: Entry): boolean {
  return e.kind === 'maintain' || (e.kind === 'store' && e.attribute !== 'DEV');
}
function ordersMemory(barriers: readonly Entry[]): boolean {
  return barriers.some((each) => each.kind === 'barrier' && each.scope !== 'wo');
}
function hasWo(barriers: readonly Entry[]): boolean {
  return barriers.some((each) => each.kind === 'barrier' && each.scope === 'wo');
}
/** A barrier behind it orders it. */
export function isFenced(e: Entry, profile: ProfileName): boolean {
  return isStore(e) || (e.kind === 'maintain' && orderProfiles[profile].fencesOrderMaintenance);
}

/** An earlier entry leaves before a later one exactly when one of these rows holds. */
export const orderRules: readonly OrderRow[] = [
  {
    earlier: 'WB store or maintenance',
    later: 'WB store or maintenance',
    when: 'same line',
    rule: 'M7 M9',
    text: 'cacheable accesses and maintenance of one line keep their order',
    holds: (a, b) => sameLine(a, b) && cacheable(a) && cacheable(b),
  },
  {
    earlier: 'NC store',
    later: 'NC store',
    when: 'same line',
    rule: 'M7',
    text: 'stores of one attribute to one line keep their order',
    holds: (a, b) =>
      sameLine(a, b) && a.kind === 'store' && b.kind === 'store' && a.attribute === b.attribute,
  },
  {
    earlier: 'Device store',
    later: 'Device store',
    when: 'always',
    rule: 'M7',
    text: 'Device stores keep their order',
    holds: (a, b) => posted(a) && posted(b),
  },
  {
    earlier: "device's write",
    later: "device's write",
    when: 'the later is not relaxed',
    rule: 'M10',
    text: "a device's writes arrive in order, but for those with the Relaxed Ordering bit",
    holds: (a, b) =>
      a.kind === 'store' &&
      a.posted !== undefined &&
      b.kind === 'store' &&
      b.posted === 'ordered',
  },
  {
    earlier: 'store',
    later: 'any',
    when: 'dmb osh* between',
    rule: 'M7 M9',
    text: 'a dmb orders earlier stores before everything later; it does not wait for maintenance',
    holds: (a, _b, barriers) =>
      isStore(a) && barriers.some((each) => each.kind === 'barrier' && each.scope === 'st'),
  },
  {
    earlier: 'store',
    later: 'WB store',
    when: 'smp_* between',
    rule: 'M7',
    text: 'smp_* barriers order earlier stores before later WB stores, not before doorbells',
    holds: (a, b, barriers) =>
      isStore(a) && b.kind === 'store' && b.attribute === 'WB' && ordersMemory(barriers),
  },
  {
    earlier: 'store',
    later: 'store-release',
    when: 'always',
    rule: 'M7',
    text: 'a store-release leaves after all earlier stores; later ones need not wait for it',
    holds: (a, b) => isStore(a) && b.kind === 'store' && b.release === true,
  },
  {
    earlier: 'WB or Device store',
    later: 'WB or Device store',
    when: 'always',
    rule: 'M7',
    only: 'x86',
    text: 'total store order: only write-combining stores wait longer or overtake',
    holds: (a, b) => inTotalOrder(a) && inTotalOrder(b),
  },
  {
    earlier: 'store or maintenance',
    later: 'maintenance or store',
    when: 'same line',
    rule: 'M9',
    only: 'riscv',
    text: 'cbo.* instructions are stores to their block in program order',
    holds: (a, b) => sameLine(a, b) && (a.kind === 'maintain' || b.kind === 'maintain'),
  },
  {
    earlier: 'maintenance',
    later: 'any',
    when: 'fence ow,ow between',
    rule: 'M7 M9',
    only: 'riscv',
    text: 'cbo.* instructions are ordered by fences as stores are',
    holds: (a, _b, barriers) =>
      a.kind === 'maintain' &&
      barriers.some((each) => each.kind === 'barrier' && each.scope === 'st'),
  },
  {
    earlier: 'store to memory or maintenance',
    later: 'store to memory or maintenance',
    when: 'fence w,w between',
    rule: 'M7 M9',
    only: 'riscv',
    text: 'fence w,w orders stores to memory of every kind, not Device stores',
    holds: (a, b, barriers) => toMemory(a) && toMemory(b) && ordersMemory(barriers),
  },
  {
    earlier: 'store to memory or maintenance',
    later: 'Device store',
    when: 'fence w,o between',
    rule: 'M7 M9',
    only: 'riscv',
    text: 'fence w,o in writel: memory before Device stores, no later store to memory',
    holds: (a, b, barriers) => toMemory(a) && posted(b) && hasWo(barriers),
  },
];

const rulesOf = (profile: ProfileName): readonly OrderRow[] =>
  orderRules.filter(({ only }) => only === undefined || only === profile);

const profileRules: Readonly<Record<ProfileName, readonly OrderRow[]>> = {
  arm64: rulesOf('arm64'),
  x86: rulesOf('x86'),
  riscv: rulesOf('riscv'),
};

/** True when nothing before entry `index` has to leave first. `fifo`: reorder is off. */
export function mayDrain(
  buffer: readonly Entry[],
  index: number,
  fifo: boolean,
  profile: ProfileName = 'arm64',
): boolean {
  const rules = profileRules[profile];
  const later = buffer[index];
  if (later === undefined || later.kind === 'barrier') return false;
  const barriers: Entry[] = [];
  for (let i = index - 1; i >= 0; i--) {
    const earlier = buffer[i];
    if (earlier === undefined) continue;
    if (earlier.kind === 'barrier') {
      barriers.push(earlier);
    } else if (fifo || rules.some((each) => each.holds(earlier, later, barriers))) {
      return false;
    }
  }
  return true;
}

/** Removes entry `index`, and every barrier that no longer separates a store from anything. */
export function withoutEntry(
  buffer: readonly Entry[],
  index: number,
  profile: ProfileName = 'arm64',
): readonly Entry[] {
  return tidy(
    buffer.filter((_, i) => i !== index),
    profile,
  );
}

/** Drops barriers with nothing to order before them, and those that repeat the last. */
export function tidy(
  buffer: readonly Entry[],
  profile: ProfileName = 'arm64',
): readonly Entry[] {
  const kept: Entry[] = [];
  let fenced = 0;
  for (const each of buffer) {
    if (isFenced(each, profile)) fenced++;
    const last = kept.at(-1);
    const repeats =
      each.kind === 'barrier' && last?.kind === 'barrier' && last.scope === each.scope;
    if (each.kind === 'barrier' && (fenced === 0 || repeats)) continue;
    kept.push(each);
  }
  return kept.length === buffer.length ? buffer : kept;
}
