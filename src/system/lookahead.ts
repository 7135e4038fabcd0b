/**
 * What a thread could read before its turn, from the text alone: which reads lie ahead of it, what
 * each would pass, and which instructions none passes (M8, M10).
 * Leaves out: where accesses go; early.ts looks at that when a read is to be taken.
 */
import { room } from '../base/lists.js';
import type { EarlyRead } from '../kernel/context.js';
import type { Expr, Instruction, ThreadCode } from '../litmus/program.js';
import type { ProfileName } from '../machine/profile.js';
import {
  isInnerBarrier,
  isWmb,
  mayStore,
  ordersNoLoads,
  type Passed,
  stops,
  type Traits,
  traitsOf,
} from './instruction-traits.js';

/** How far a read is taken early: instructions looked over. Bounds the lookahead through loops. */
const WINDOW = 24;
/** Instructions looked at over all paths: what lies beyond is read in turn. */
const LOOKS_MAX = 2000;

export interface Candidate {
  readonly pc: number;
  readonly passes: readonly Passed[];
  /** It passes a load barrier for the inner shareable domain, which devices are not in. */
  readonly ish: boolean;
  /** It passes a wmb() with no store before it: that barrier waits for stores alone. */
  readonly wmb: boolean;
  /** It passes a store-release, which an acquire may not (Arm ARM B2.3: RCsc). */
  readonly released: boolean;
  /** It passes calls for these devices that order loads unless they do nothing. */
  readonly idle: readonly Expr[];
  /** Ranges [start, end) whose maintenance, not yet complete, it would pass. */
  readonly maintained: readonly (readonly Expr[])[];
}

/** A path as far as it was looked over: the last thing first, and what came before it. */
interface Chain<T> {
  readonly last: T;
  readonly before: Chain<T> | null;
}

function listed<T>(chain: Chain<readonly T[]> | null): readonly T[] {
  const parts: (readonly T[])[] = [];
  for (let at = chain; at !== null; at = at.before) parts.push(at.last);
  return parts.reverse().flat();
}

/** Where a look ahead stands on its path, and what lies before it there. */
interface Look {
  pc: number;
  /** Instructions that may still be looked over. */
  left: number;
  passes: Chain<readonly Passed[]> | null;
  maintained: readonly (readonly Expr[])[];
  /** Locals that instructions not yet executed will set. */
  pending: Chain<number> | null;
  /** It passes a read: what passes only stores is the store buffer's doing (M7). */
  overtakes: boolean;
  ish: boolean;
  wmb: boolean;
  released: boolean;
  /** It passes something that may store. */
  stores: boolean;
  idle: readonly Expr[];
}

function uses(expr: Expr, pending: Chain<number> | null): boolean {
  switch (expr.kind) {
    case 'local':
      for (let at = pending; at !== null; at = at.before) if (at.last === expr.index) return true;
      return false;
    case 'unary':
      return uses(expr.operand, pending);
    case 'binary':
      return uses(expr.left, pending) || uses(expr.right, pending);
    case 'offset':
      return uses(expr.pointer, pending) || uses(expr.bytes, pending);
    default:
      return false;
  }
}

/** Early reads that outlive an instruction: elsewhere what was satisfied was used by then. */
export function earlyReadsAfter(
  instruction: Instruction,
  early: readonly EarlyRead[],
  profile: ProfileName,
): readonly EarlyRead[] {
  if (early.length === 0 || ordersNoLoads(instruction, profile)) return early;
  if (isWmb(instruction)) {
    return early.flatMap(({ wmb, ...read }) => (wmb === true ? [read] : []));
  }
  if (mayStore(instruction) && early.some((each) => each.wmb)) {
    return earlyReadsAfter(
      instruction,
      early.filter((each) => each.wmb !== true),
      profile,
    );
  }
  if (!stops(instruction)) return early;
  return isInnerBarrier(instruction) ? early.filter((each) => each.ish === true) : [];
}

/** What lies ahead of one place of a thread. */
interface Place {
  /** Places of the reads, each once, in order. */
  readonly pcs: readonly number[];
  /** Those that a path without an `idle` call leads to. */
  readonly straight: readonly number[];
  /** Made when a read is to be taken: most that lie ahead never are. */
  all: readonly Candidate[] | null;
}

/** So many places of a thread are remembered: a long one is gone through, and left behind. */
const PLACES_MAX = 256;

/** What was found out about a thread so far. */
interface Ahead {
  readonly places: Map<number, Place>;
  /** By place of the instruction. */
  readonly traits: (Traits | undefined)[];
}

type Known = WeakMap<ThreadCode, Ahead>;

const known: Readonly<Record<ProfileName, Known>> = {
  arm64: new WeakMap(),
  x86: new WeakMap(),
  riscv: new WeakMap(),
};

function aheadOf(code: ThreadCode, profile: ProfileName): Ahead {
  let found = known[profile].get(code);
  if (found === undefined) {
    found = { places: new Map(), traits: room(code.code.length) };
    known[profile].set(code, found);
  }
  return found;
}

function ahead(code: ThreadCode, pc: number, profile: ProfileName): Place {
  const { places, traits } = aheadOf(code, profile);
  let found = places.get(pc);
  if (found === undefined) {
    const pcs: number[] = [];
    const straight: number[] = [];
    lookAhead(code, { profile, traits }, pc, (look) => {
      if (!pcs.includes(look.pc)) pcs.push(look.pc);
      if (look.idle.length === 0) straight.push(look.pc);
    });
    found = { pcs: pcs.sort((a, b) => a - b), straight, all: null };
    if (places.size >= PLACES_MAX) places.clear();
    places.set(pc, found);
  }
  return found;
}

/** The reads that could be satisfied early by a thread that stands at `pc`; made once for each. */
export function candidates(
  code: ThreadCode,
  pc: number,
  profile: ProfileName,
): readonly Candidate[] {
  const place = ahead(code, pc, profile);
  if (place.all === null) {
    const all: Candidate[] = [];
    const { traits } = aheadOf(code, profile);
    lookAhead(code, { profile, traits }, pc, (look) => {
      const { passes, maintained, ish, wmb, released, idle } = look;
      all.push({ pc: look.pc, passes: listed(passes), maintained, ish, wmb, released, idle });
    });
    place.all = all.sort((a, b) => a.pc - b.pc);
  }
  return place.all;
}

/** The places of these reads. */
export function candidatePlaces(
  code: ThreadCode,
  pc: number,
  profile: ProfileName,
): readonly number[] {
  return ahead(code, pc, profile).pcs;
}

/** A path leads to the read that passes no call which may order it. */
export function isStraight(
  code: ThreadCode,
  pc: number,
  read: number,
  profile: ProfileName,
): boolean {
  return ahead(code, pc, profile).straight.includes(read);
}

function waits({ address, range }: Passed, pending: Chain<number>): boolean {
  for (const expr of address) if (uses(expr, pending)) return true;
  return range !== undefined && uses(range, pending);
}

interface Seen {
  readonly profile: ProfileName;
  readonly traits: (Traits | undefined)[];
}

/** Goes over all paths from a place; `found` gets each as it stands at a read, good until then. */
function lookAhead(
  code: ThreadCode,
  { profile, traits: known }: Seen,
  from: number,
  found: (look: Look) => void,
): void {
  const none = { overtakes: false, ish: false, wmb: false, stores: false, released: false };
  const start = { passes: null, maintained: [], pending: null, idle: [], ...none };
  const open: Look[] = [{ pc: from, left: WINDOW, ...start }];
  // Every path counts on its own: a read may be free to go on one and held back on another.
  for (let paths = 0; paths < LOOKS_MAX; paths++) {
    const look = open.pop();
    if (look === undefined) break;
    const instruction = code.code[look.pc];
    if (instruction === undefined || look.left === 0) continue;
    const traits = known[look.pc] ?? traitsOf(instruction, profile);
    known[look.pc] = traits;
    const { accesses, stops, copies, reads } = traits;
    if (stops && !traits.weak && !mayPass(traits, look)) continue;
    const { pending } = look;
    if (pending !== null && accesses.some((each) => waits(each, pending))) continue;
    // The later words of a copy may pass its first one.
    const passing = look.pc === from ? copies : look.overtakes || code.kind === 'device';
    if (accesses.length > 0 && reads && passing) found(look);
    goOn(instruction, traits, look, open);
  }
}

/** A barrier that orders loads, but not all of them, or not for everybody. */
function mayPass({ inner, wmb, idle }: Traits, look: Look): boolean {
  return inner || idle !== null || (wmb && !look.stores);
}

function goOn(instruction: Instruction, traits: Traits, look: Look, open: Look[]): void {
  look.left--;
  if (instruction.op === 'jump') {
    look.pc = instruction.to;
    look.stores ||= instruction.stored === true;
  } else if (instruction.op === 'branch') {
    open.push({ ...look, pc: instruction.otherwise });
    look.pc++;
  } else {
    const { accesses, maintains, target } = traits;
    if (target?.kind === 'handle') return;
    look.pc++;
    if (accesses.length > 0) look.passes = { last: accesses, before: look.passes };
    if (maintains !== null) look.maintained = [...look.maintained, maintains];
    const { index } = target ?? {};
    if (index !== undefined && look.pending?.last !== index) {
      look.pending = { last: index, before: look.pending };
    }
    look.overtakes ||= traits.reads;
    look.ish ||= traits.inner;
    look.wmb ||= traits.wmb;
    look.released ||= traits.released;
    if (traits.idle !== null) look.idle = [...look.idle, traits.idle];
    else look.stores ||= traits.stores;
  }
  open.push(look);
}
