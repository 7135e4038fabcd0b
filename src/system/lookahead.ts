/**
 * What a thread could read before its turn, from the text alone: which reads lie ahead of it, what
 * each would pass, and which instructions none passes (M8, M10).
 * Leaves out: where accesses go; early.ts looks at that when a read is to be taken.
 */
import { room } from '../base/lists.js';
import type { EarlyRead } from '../kernel/context.js';
import type { Operation } from '../kernel/registry.js';
import type { Expr, Instruction, Target, ThreadCode } from '../litmus/program.js';

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
  return accessed(instruction);
}

/** What is in an operation's name: operations are few, and the same in every scenario. */
interface Sort {
  /** Ranges it goes over: that of its first argument, those of its first two, or none. */
  readonly takes: 'range' | 'both' | 'other';
  readonly copies: boolean;
  /** Maintenance without its dsb: it orders only WB accesses of its own lines (M9). */
  readonly incomplete: boolean;
  /** dmb ishld and dmb ish: they order loads for CPUs, and not for devices (M7). */
  readonly inner: boolean;
  readonly wmb: boolean;
  /** May put something into the store buffer: all calls but barriers are taken to. */
  readonly stores: boolean;
}

const sorts = new WeakMap<Operation, Sort>();

function sortOf(operation: Operation): Sort {
  let found = sorts.get(operation);
  if (found === undefined) {
    const { name } = operation;
    const copies = name === 'memcpy' || name === 'memchr_inv';
    found = {
      takes: name === 'memset' || name === 'memchr_inv' ? 'range' : copies ? 'both' : 'other',
      copies,
      incomplete: name.endsWith('_nosync'),
      inner: /^smp_r?mb$/u.test(operation.as ?? name),
      wmb: name === 'wmb',
      stores: !/^(dma_|smp_)?[rw]?mb$/u.test(name),
    };
    sorts.set(operation, found);
  }
  return found;
}

const NO_ACCESSES: readonly Passed[] = [];

function accessed(instruction: Instruction): readonly Passed[] {
  if (instruction.op === 'load' || instruction.op === 'store') {
    return [{ address: [instruction.address], size: instruction.size }];
  }
  if (instruction.op !== 'call') return NO_ACCESSES;
  const { where, reads } = instruction.operation;
  const { takes } = sortOf(instruction.operation);
  if (where !== 'device' && takes === 'other') return NO_ACCESSES;
  const values = valuesOf(instruction);
  if (where === 'device') return [{ address: reads ? values : values.slice(0, -1), size: 4 }];
  const [to, from, range] = values;
  if (to === undefined || from === undefined || range === undefined) return NO_ACCESSES;
  if (takes === 'range') return [{ address: [to], size: 0, range }];
  return [from, to].map((each) => ({ address: [each], size: 0, range }));
}

/** It reads the words of a range, one a step. */
export function isCopy(instruction: Instruction): boolean {
  return instruction.op === 'call' && sortOf(instruction.operation).copies;
}

function isRead(instruction: Instruction): boolean {
  if (instruction.op === 'load' || isCopy(instruction)) return true;
  return instruction.op === 'call' && instruction.operation.reads === true && !instruction.sync;
}

function isIncomplete(instruction: Instruction): boolean {
  return instruction.op === 'call' && sortOf(instruction.operation).incomplete;
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

function isInnerBarrier(instruction: Instruction): boolean {
  return instruction.op === 'call' && sortOf(instruction.operation).inner;
}

function isWmb(instruction: Instruction): boolean {
  return instruction.op === 'call' && sortOf(instruction.operation).wmb;
}

function mayStore(instruction: Instruction): boolean {
  if (instruction.op !== 'call') return instruction.op === 'store';
  return sortOf(instruction.operation).stores;
}

/** Early reads that outlive an instruction: elsewhere what was satisfied was used by then. */
export function earlyReadsAfter(
  instruction: Instruction,
  early: readonly EarlyRead[],
): readonly EarlyRead[] {
  if (early.length === 0) return early;
  if (isWmb(instruction)) {
    return early.flatMap(({ wmb, ...read }) => (wmb === true ? [read] : []));
  }
  if (mayStore(instruction) && early.some((each) => each.wmb)) {
    return earlyReadsAfter(
      instruction,
      early.filter((each) => each.wmb !== true),
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

const known = new WeakMap<ThreadCode, Ahead>();

function aheadOf(code: ThreadCode): Ahead {
  let found = known.get(code);
  if (found === undefined) {
    found = { places: new Map(), traits: room(code.code.length) };
    known.set(code, found);
  }
  return found;
}

function ahead(code: ThreadCode, pc: number): Place {
  const { places, traits } = aheadOf(code);
  let found = places.get(pc);
  if (found === undefined) {
    const pcs: number[] = [];
    const straight: number[] = [];
    lookAhead(code, traits, pc, (look) => {
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
export function candidates(code: ThreadCode, pc: number): readonly Candidate[] {
  const place = ahead(code, pc);
  if (place.all === null) {
    const all: Candidate[] = [];
    lookAhead(code, aheadOf(code).traits, pc, ({ pc: at, passes, maintained, ish, wmb, idle }) => {
      all.push({ pc: at, passes: listed(passes), maintained, ish, wmb, idle });
    });
    place.all = all.sort((a, b) => a.pc - b.pc);
  }
  return place.all;
}

/** The places of these reads. */
export function candidatePlaces(code: ThreadCode, pc: number): readonly number[] {
  return ahead(code, pc).pcs;
}

/** A path leads to the read that passes no call which may order it. */
export function isStraight(code: ThreadCode, pc: number, read: number): boolean {
  return ahead(code, pc).straight.includes(read);
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

function traitsOf(instruction: Instruction): Traits {
  return {
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
}

function waits({ address, range }: Passed, pending: Chain<number>): boolean {
  for (const expr of address) if (uses(expr, pending)) return true;
  return range !== undefined && uses(range, pending);
}

/** Goes over all paths from a place; `found` gets each as it stands at a read, good until then. */
function lookAhead(
  code: ThreadCode,
  known: (Traits | undefined)[],
  from: number,
  found: (look: Look) => void,
): void {
  const none = { overtakes: false, ish: false, wmb: false, stores: false, idle: [] };
  const start = { passes: null, maintained: [], pending: null, ...none };
  const open: Look[] = [{ pc: from, left: WINDOW, ...start }];
  // Every path counts on its own: a read may be free to go on one and held back on another.
  for (let paths = 0; paths < LOOKS_MAX; paths++) {
    const look = open.pop();
    if (look === undefined) break;
    const instruction = code.code[look.pc];
    if (instruction === undefined || look.left === 0) continue;
    const traits = known[look.pc] ?? traitsOf(instruction);
    known[look.pc] = traits;
    const { accesses, stops, copies, reads } = traits;
    if (stops && !mayPass(traits, look)) continue;
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
  if (instruction.op === 'jump') look.pc = instruction.to;
  else if (instruction.op === 'branch') {
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
    if (traits.idle !== null) look.idle = [...look.idle, traits.idle];
    else look.stores ||= traits.stores;
  }
  open.push(look);
}

function valuesOf(instruction: Instruction): readonly Expr[] {
  const values: Expr[] = [];
  if (instruction.op !== 'call') return values;
  for (const arg of instruction.args) if (arg.kind === 'value') values.push(arg.value);
  return values;
}
