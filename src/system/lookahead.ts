/**
 * What a thread could read before its turn, from the text alone: which reads lie ahead of it, what
 * each would pass, and which instructions none passes (M8, M10).
 * Leaves out: where accesses go; early.ts looks at that when a read is to be taken.
 */
import type { EarlyRead } from '../kernel/context.js';
import type { Expr, Instruction, Target, ThreadCode } from '../litmus/program.js';
import { orderProfiles, type ProfileName } from '../machine/profile.js';

/** How far a read is taken early: instructions looked over. Bounds the lookahead through loops. */
const WINDOW = 24;
/** Instructions looked at over all paths: what lies beyond is read in turn. */
const LOOKS_MAX = 2000;

/** An access that a read would pass: an address and its size, or a whole range. */
export interface Passed {
  /** A pointer, or a device call's (domain,) address. */
  readonly address: readonly Expr[];
  /** Bytes of a single access. */
  readonly size: number;
  /** Bytes of the range of a memset or memcpy; absent for a single access. */
  readonly range?: Expr;
}

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

/** What the instruction accesses; for a memcpy the source first. */
export function accessesOf(instruction: Instruction): readonly Passed[] {
  return traitsOf(instruction).accesses;
}

function accessed(instruction: Instruction): readonly Passed[] {
  if (instruction.op === 'load' || instruction.op === 'store') {
    return [{ address: [instruction.address], size: instruction.size }];
  }
  if (instruction.op !== 'call') return [];
  const values = valuesOf(instruction);
  const { name, where, reads } = instruction.operation;
  if (where === 'device') return [{ address: reads ? values : values.slice(0, -1), size: 4 }];
  const [to, from, range] = values;
  if (to === undefined || from === undefined || range === undefined) return [];
  if (name === 'memset' || name === 'memchr_inv') return [{ address: [to], size: 0, range }];
  if (!isCopy(instruction)) return [];
  return [from, to].map((each) => ({ address: [each], size: 0, range }));
}

/** It reads the words of a range, one a step. */
export function isCopy(instruction: Instruction): boolean {
  return instruction.op === 'call' && ['memcpy', 'memchr_inv'].includes(instruction.operation.name);
}

function isRead(instruction: Instruction): boolean {
  if (instruction.op === 'load' || isCopy(instruction)) return true;
  return instruction.op === 'call' && instruction.operation.reads === true && !instruction.sync;
}

/** Maintenance without its dsb: it orders only WB accesses of its own lines (M9). */
function isIncomplete(instruction: Instruction): boolean {
  return instruction.op === 'call' && instruction.operation.name.endsWith('_nosync');
}

/** Nothing after it is read before it: barriers, calls that order loads, a device's sync read. */
function stops(instruction: Instruction): boolean {
  if (instruction.op !== 'call') return false;
  const { operation, sync } = instruction;
  if (isIncomplete(instruction)) return false;
  return operation.reads === true ? sync : operation.loadsPass !== true;
}

/** The device, or page_pool, of a call that orders loads unless it does nothing for that device. */
export function idleFor(instruction: Instruction): Expr | null {
  if (instruction.op !== 'call') return null;
  if (instruction.operation.loadsPass !== 'where-it-does-nothing') return null;
  return valuesOf(instruction)[0] ?? null;
}

/** dmb ishld and dmb ish: they order loads for CPUs, and not for devices (M7). */
function isInnerBarrier(instruction: Instruction): boolean {
  if (instruction.op !== 'call') return false;
  const { operation } = instruction;
  return /^smp_r?mb$/u.test(operation.as ?? operation.name);
}

function isWmb(instruction: Instruction): boolean {
  return instruction.op === 'call' && instruction.operation.name === 'wmb';
}

/** May put something into the store buffer: all calls but barriers are taken to. */
function mayStore(instruction: Instruction): boolean {
  if (instruction.op !== 'call') return instruction.op === 'store';
  return !/^(dma_|smp_)?[rw]?mb$/u.test(instruction.operation.name);
}

/** It orders no loads at all on this architecture. */
function ordersNoLoads(instruction: Instruction, profile: ProfileName): boolean {
  if (instruction.op !== 'call') return false;
  const { operation } = instruction;
  return orderProfiles[profile].earlyLoadsPass.has(operation.as ?? operation.name);
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

type Known = WeakMap<ThreadCode, Map<number, Place>>;

const known: Readonly<Record<ProfileName, Known>> = {
  arm64: new WeakMap(),
  x86: new WeakMap(),
  riscv: new WeakMap(),
};

function ahead(code: ThreadCode, pc: number, profile: ProfileName): Place {
  let byPc = known[profile].get(code);
  if (byPc === undefined) {
    byPc = new Map();
    known[profile].set(code, byPc);
  }
  let found = byPc.get(pc);
  if (found === undefined) {
    const pcs: number[] = [];
    const straight: number[] = [];
    lookAhead(code, pc, profile, (look) => {
      if (!pcs.includes(look.pc)) pcs.push(look.pc);
      if (look.idle.length === 0) straight.push(look.pc);
    });
    found = { pcs: pcs.sort((a, b) => a - b), straight, all: null };
    if (byPc.size >= PLACES_MAX) byPc.clear();
    byPc.set(pc, found);
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
    lookAhead(code, pc, profile, ({ pc: at, passes, maintained, ish, wmb, released, idle }) => {
      all.push({ pc: at, passes: listed(passes), maintained, ish, wmb, released, idle });
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

/** What the look ahead asks of an instruction, found out once. */
interface Traits {
  readonly accesses: readonly Passed[];
  readonly stops: boolean;
  readonly inner: boolean;
  readonly wmb: boolean;
  readonly stores: boolean;
  readonly copies: boolean;
  readonly reads: boolean;
  readonly idle: Expr | null;
  /** What it maintains without a dsb; null for nothing. */
  readonly maintains: readonly Expr[] | null;
  readonly target: Target | undefined;
}

const traits = new WeakMap<Instruction, Traits>();

function traitsOf(instruction: Instruction): Traits {
  let found = traits.get(instruction);
  if (found === undefined) {
    found = {
      accesses: accessed(instruction),
      stops: stops(instruction),
      inner: isInnerBarrier(instruction),
      wmb: isWmb(instruction),
      stores: mayStore(instruction),
      copies: isCopy(instruction),
      reads: isRead(instruction),
      idle: idleFor(instruction),
      maintains: isIncomplete(instruction) ? valuesOf(instruction) : null,
      target: 'target' in instruction ? instruction.target : undefined,
    };
    traits.set(instruction, found);
  }
  return found;
}

function waits({ address, range }: Passed, pending: Chain<number>): boolean {
  for (const expr of address) if (uses(expr, pending)) return true;
  return range !== undefined && uses(range, pending);
}

/** Goes over all paths from a place; `found` gets each as it stands at a read, good until then. */
function lookAhead(
  code: ThreadCode,
  from: number,
  profile: ProfileName,
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
    const { accesses, stops, copies, reads } = traitsOf(instruction);
    const weak = stops && ordersNoLoads(instruction, profile);
    if (stops && !weak && !mayPass(instruction, look)) continue;
    const { pending } = look;
    if (pending !== null && accesses.some((each) => waits(each, pending))) continue;
    // The later words of a copy may pass its first one.
    const passing = look.pc === from ? copies : look.overtakes || code.kind === 'device';
    if (accesses.length > 0 && reads && passing) found(look);
    goOn(instruction, look, open, weak);
  }
}

/** A barrier that orders loads, but not all of them, or not for everybody. */
function mayPass(instruction: Instruction, look: Look): boolean {
  const { inner, wmb, idle } = traitsOf(instruction);
  return inner || idle !== null || (wmb && !look.stores);
}

/** `weak`: a barrier that the look need not remember. */
function goOn(instruction: Instruction, look: Look, open: Look[], weak: boolean): void {
  look.left--;
  if (instruction.op === 'jump') {
    look.pc = instruction.to;
    look.stores ||= instruction.stored === true;
  } else if (instruction.op === 'branch') {
    open.push({ ...look, pc: instruction.otherwise });
    look.pc++;
  } else {
    const traits = traitsOf(instruction);
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
    look.wmb ||= traits.wmb && !weak;
    look.released ||= instruction.op === 'store' && instruction.release === true;
    if (traits.idle !== null) look.idle = [...look.idle, traits.idle];
    else look.stores ||= traits.stores;
  }
  open.push(look);
}

function valuesOf(instruction: Instruction): readonly Expr[] {
  if (instruction.op !== 'call') return [];
  return instruction.args.flatMap((arg) => (arg.kind === 'value' ? [arg.value] : []));
}
