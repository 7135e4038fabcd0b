/**
 * What a thread could read before its turn, from the text alone: which reads lie ahead of it, what
 * each would pass, and which instructions none passes (M8, M10).
 * Leaves out: where accesses go; early.ts looks at that when a read is to be taken.
 */
import type { EarlyRead } from '../kernel/context.js';
import type { Expr, Instruction, ThreadCode } from '../litmus/program.js';

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
  /** Ranges [start, end) whose maintenance, not yet complete, it would pass. */
  readonly maintained: readonly (readonly Expr[])[];
}

interface Look extends Candidate {
  readonly left: number;
  /** Locals that instructions not yet executed will set. */
  readonly pending: ReadonlySet<number>;
  /** It passes a read: what passes only stores is the store buffer's doing (M7). */
  readonly overtakes: boolean;
}

function uses(expr: Expr, pending: ReadonlySet<number>): boolean {
  switch (expr.kind) {
    case 'local':
      return pending.has(expr.index);
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

/** dmb ishld and dmb ish: they order loads for CPUs, and not for devices (M7). */
function isInnerBarrier(instruction: Instruction): boolean {
  return instruction.op === 'call' && /^smp_r?mb$/u.test(instruction.operation.name);
}

/** Early reads that outlive an instruction: elsewhere what was satisfied was used by then. */
export function earlyReadsAfter(
  instruction: Instruction,
  early: readonly EarlyRead[],
): readonly EarlyRead[] {
  if (early.length === 0 || !stops(instruction)) return early;
  return isInnerBarrier(instruction) ? early.filter((each) => each.ish === true) : [];
}

/** What lies ahead of one place of a thread. */
interface Ahead {
  readonly all: readonly Candidate[];
  /** Places of the reads among them, each once, in order. */
  readonly pcs: readonly number[];
}

const known = new WeakMap<ThreadCode, (Ahead | undefined)[]>();

function ahead(code: ThreadCode, pc: number): Ahead {
  let byPc = known.get(code);
  if (byPc === undefined) {
    byPc = [];
    known.set(code, byPc);
  }
  let found = byPc[pc];
  if (found === undefined) {
    const all = lookAhead(code, pc);
    found = { all, pcs: [...new Set(all.map((each) => each.pc))] };
    byPc[pc] = found;
  }
  return found;
}

/** The reads that could be satisfied early by a thread that stands at `pc`; made once for each. */
export function candidates(code: ThreadCode, pc: number): readonly Candidate[] {
  return ahead(code, pc).all;
}

/** The places of these reads. */
export function candidatePlaces(code: ThreadCode, pc: number): readonly number[] {
  return ahead(code, pc).pcs;
}

function lookAhead(code: ThreadCode, from: number): readonly Candidate[] {
  const found: Candidate[] = [];
  const none = { pending: new Set<number>(), overtakes: false, ish: false };
  const start = { pc: from, left: WINDOW, ...none };
  const open: Look[] = [{ ...start, passes: [], maintained: [] }];
  // Every path counts on its own: a read may be free to go on one and held back on another.
  for (let paths = 0; paths < LOOKS_MAX; paths++) {
    const look = open.pop();
    if (look === undefined) break;
    const instruction = code.code[look.pc];
    if (instruction === undefined || look.left === 0) continue;
    if (stops(instruction) && !isInnerBarrier(instruction)) continue;
    const accesses = accessesOf(instruction);
    const exprs = accesses.flatMap(({ address, range }) => (range ? [...address, range] : address));
    if (exprs.some((expr) => uses(expr, look.pending))) continue;
    // The later words of a copy may pass its first one.
    const passing =
      look.pc === from ? isCopy(instruction) : look.overtakes || code.kind === 'device';
    if (accesses.length > 0 && isRead(instruction) && passing) {
      const { pc, passes, maintained, ish } = look;
      found.push({ pc, passes, maintained, ish });
    }
    open.push(...after(instruction, look, accesses));
  }
  return found.sort((a, b) => a.pc - b.pc);
}

function after(instruction: Instruction, look: Look, accesses: readonly Passed[]): Look[] {
  const ish = look.ish || isInnerBarrier(instruction);
  const step = { ...look, left: look.left - 1, ish };
  if (instruction.op === 'jump') return [{ ...step, pc: instruction.to }];
  if (instruction.op === 'branch') {
    return [
      { ...step, pc: instruction.otherwise },
      { ...step, pc: look.pc + 1 },
    ];
  }
  const passes = [...look.passes, ...accesses];
  const maintained = isIncomplete(instruction)
    ? [...look.maintained, valuesOf(instruction)]
    : look.maintained;
  const overtakes = look.overtakes || isRead(instruction);
  const pending = new Set(look.pending);
  const target = 'target' in instruction ? instruction.target : undefined;
  if (target?.kind === 'handle') return [];
  if (target !== undefined) pending.add(target.index);
  return [{ ...step, pc: look.pc + 1, passes, maintained, overtakes, pending }];
}

function valuesOf(instruction: Instruction): readonly Expr[] {
  if (instruction.op !== 'call') return [];
  return instruction.args.flatMap((arg) => (arg.kind === 'value' ? [arg.value] : []));
}
