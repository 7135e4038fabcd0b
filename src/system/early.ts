/**
 * Reads that are satisfied before their turn: a CPU's later load before an earlier one (M8), a
 * device's prefetch up to the last doorbell or synchronising read (M10). The value is taken early
 * and judged at its place in program order, with what the thread knows by then; that is how a
 * missing dma_rmb shows (H13).
 * Leaves out: a store that overtakes an earlier load (the second half of M8), and accesses whose
 * address is not known yet, which are never passed.
 */
import {
  cpuFetch,
  deviceFetch,
  type Destination,
  type Fetched,
  loadMustWait,
} from '../kernel/access.js';
import { IOMMU_READ } from '../kernel/constants.js';
import type { EarlyRead, KernelContext } from '../kernel/context.js';
import { cpuReach, mapOf } from '../kernel/cpu-maps.js';
import { judge } from '../kernel/judge.js';
import { type Cell, isHidden } from '../kernel/layout.js';
import { wordsIn, wordsRead } from '../kernel/ops/memory.js';
import { reach, snoops } from '../kernel/ops/device.js';
import type { Value } from '../kernel/value.js';
import { showValue } from '../kernel/values.js';
import type { Expr, Instruction, ThreadCode } from '../litmus/program.js';
import { orderProfiles, type ProfileName } from '../machine/profile.js';
import { evaluate } from './evaluate.js';
import type { Thread } from './state.js';

/** How far a read is taken early: instructions looked over. Bounds the lookahead through loops. */
const WINDOW = 24;
/** Instructions looked at over all paths: what lies beyond is read in turn. */
const LOOKS_MAX = 2000;

/** An access that a read would pass: an address and its size, or a whole range. */
interface Passed {
  /** A pointer, or a device call's (domain,) address. */
  readonly address: readonly Expr[];
  /** Bytes of a single access. */
  readonly size: number;
  /** Bytes of the range of a memset or memcpy; absent for a single access. */
  readonly range?: Expr;
}

interface Candidate {
  readonly pc: number;
  readonly passes: readonly Passed[];
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
function accessesOf(instruction: Instruction): readonly Passed[] {
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
function isCopy(instruction: Instruction): boolean {
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

/** Executing it ends every early read: what was satisfied must have been used by then. */
export function endsEarlyReads(instruction: Instruction): boolean {
  return stops(instruction);
}

const known = new WeakMap<ThreadCode, Map<number, readonly Candidate[]>>();

/** The reads that could be satisfied early by a thread that stands at `pc`; made once for each. */
function candidates(code: ThreadCode, pc: number): readonly Candidate[] {
  let byPc = known.get(code);
  if (byPc === undefined) {
    byPc = new Map();
    known.set(code, byPc);
  }
  let found = byPc.get(pc);
  if (found === undefined) {
    found = lookAhead(code, pc);
    byPc.set(pc, found);
  }
  return found;
}

function lookAhead(code: ThreadCode, from: number): readonly Candidate[] {
  const found: Candidate[] = [];
  const start = { pc: from, left: WINDOW, pending: new Set<number>(), overtakes: false };
  const open: Look[] = [{ ...start, passes: [], maintained: [] }];
  // Every path counts on its own: a read may be free to go on one and held back on another.
  for (let paths = 0; paths < LOOKS_MAX; paths++) {
    const look = open.pop();
    if (look === undefined) break;
    const instruction = code.code[look.pc];
    if (instruction === undefined || look.left === 0 || stops(instruction)) continue;
    const accesses = accessesOf(instruction);
    const exprs = accesses.flatMap(({ address, range }) => (range ? [...address, range] : address));
    if (exprs.some((expr) => uses(expr, look.pending))) continue;
    // The later words of a copy may pass its first one.
    const passing =
      look.pc === from ? isCopy(instruction) : look.overtakes || code.kind === 'device';
    if (accesses.length > 0 && isRead(instruction) && passing) {
      const { pc, passes, maintained } = look;
      found.push({ pc, passes, maintained });
    }
    open.push(...after(instruction, look, accesses));
  }
  return found.sort((a, b) => a.pc - b.pc);
}

function after(instruction: Instruction, look: Look, accesses: readonly Passed[]): Look[] {
  const step = { ...look, left: look.left - 1 };
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

interface Arrived {
  readonly destination: Destination;
  readonly outside: boolean;
  /** It goes through the CPU's cache. */
  readonly cacheable: boolean;
  /** Null when the read may not happen now. */
  readonly fetch: (() => Fetched) | null;
}

type Evaluate = (expr: Expr) => Value;

function arrive(context: KernelContext, address: readonly Value[], size: number): Arrived | null {
  if (context.step.device >= 0) {
    const reached = reach(context, address, 1, IOMMU_READ);
    if (reached.kind === 'fault') return null;
    const { destination } = reached;
    const fetch = () => deviceFetch(context, destination, snoops(context, reached));
    return { destination, outside: true, cacheable: false, fetch };
  }
  const [pointer = 0] = address;
  if (typeof pointer !== 'object' || pointer.kind !== 'ptr') return null;
  const reached = cpuReach(context, pointer, size);
  if (reached.kind !== 'memory' || context.work.length > 0) return null;
  const { destination, attribute, user } = reached;
  const held = attribute === 'DEV' || loadMustWait(context, destination, attribute);
  const fetch = held ? null : () => cpuFetch(context, destination, attribute);
  return { destination, outside: user, cacheable: attribute === 'WB', fetch };
}

/** Loads of an x86 CPU stay in order (total store order); devices prefetch on every machine. */
export function readsEarly(profile: ProfileName, code: ThreadCode): boolean {
  return code.kind === 'device' || !orderProfiles[profile].totalStoreOrder;
}

/** Instructions whose read may be taken early now; each is one possible step of the thread. */
export function earlyReads(thread: Thread, code: ThreadCode): readonly number[] {
  if (thread.work.length > 0) return [];
  const all = candidates(code, thread.pc);
  if (all.length === 0) return [];
  const pcs = new Set(all.map((each) => each.pc));
  const taken = (pc: number): boolean => thread.early.some((read) => read.pc === pc);
  return [...pcs].filter((pc) => {
    const instruction = code.code[pc];
    return instruction !== undefined && (isCopy(instruction) || !taken(pc));
  });
}

interface Site {
  readonly thread: Thread;
  readonly pc: number;
  readonly instruction: Instruction;
  readonly value: Evaluate;
}

/** Takes one read early; the thread stays where it is. Blocked when it may not be now. */
export function readEarly(
  context: KernelContext,
  thread: Thread,
  code: ThreadCode,
  pc: number,
  handleNames: readonly string[],
): Thread {
  const instruction = code.code[pc];
  context.blocked = true;
  const mineIs = instruction === undefined ? undefined : accessesOf(instruction)[0];
  if (instruction === undefined || mineIs === undefined) return thread;
  const { handles, maps } = context.kernel;
  const { frames } = context.step;
  const isSet = (expr: Expr): boolean =>
    expr.kind !== 'handle' || (handles[expr.index] ?? null) !== null;
  const paths = candidates(code, thread.pc).filter(
    (each) =>
      each.pc === pc &&
      [mineIs, ...each.passes].every(({ address }) => address.every(isSet)) &&
      each.maintained.flat().every(isSet),
  );
  if (paths.length === 0) return thread;
  const env = { locals: thread.locals, handles, handleNames, site: context.step.site };
  const value: Evaluate = (expr) => evaluate(expr, env);
  const mine = targetOf(context, { thread, pc, instruction, value }, mineIs);
  if (mine !== null && isHidden(mine.destination.cell)) return thread;
  const free = mine !== null && paths.some((path) => isFree(context, path, mine, value));
  // A page fault or a fault on the way is no early read: it happens in turn.
  const faulted = context.step.frames !== frames || context.kernel.maps !== maps;
  if (mine === null || mine.fetch === null || !free || faulted) return thread;
  if (mine.destination.refused !== null) return thread;
  const { value: got, place } = mine.fetch();
  context.blocked = false;
  context.say(context.step.device >= 0 ? 'M10' : 'M8', () => 'taken before its turn');
  const read = { pc, cell: mine.destination.cell.id, value: got, place, outside: mine.outside };
  const byPlace = (a: EarlyRead, b: EarlyRead): number => a.pc - b.pc || a.cell - b.cell;
  context.step.early = [...thread.early, read].sort(byPlace);
  return thread;
}

/** Where the read goes; for a copy, any one of its words that is not copied or read yet. */
function targetOf(context: KernelContext, site: Site, access: Passed): Arrived | null {
  const address = access.address.map(site.value);
  if (!isCopy(site.instruction)) return arrive(context, address, access.size);
  const { thread, pc } = site;
  const [from] = address;
  if (access.range === undefined || typeof from !== 'object' || from.kind !== 'ptr') return null;
  const bytes = site.value(access.range);
  const first = pc === thread.pc ? thread.copied + 1 : 0;
  const { instruction } = site;
  const copies = instruction.op === 'call' && instruction.operation.name === 'memcpy';
  const wordsOf = copies ? wordsIn : wordsRead;
  const words = wordsOf(context, from, typeof bytes === 'number' ? bytes : 0).slice(first);
  const word = words[words.length > 1 ? context.choose(words.length) : 0];
  if (word === undefined) return null;
  const pointer = { ...from, offset: from.offset + word.byte };
  const target = context.layout.over(() => arrive(context, [pointer], word.size));
  const cell = target?.destination.cell.id;
  return thread.early.some((read) => read.pc === pc && read.cell === cell) ? null : target;
}

/** On this path nothing it passes is about the same word, or maintains its line (WB). */
function isFree(context: KernelContext, path: Candidate, mine: Arrived, value: Evaluate): boolean {
  const clash = path.passes.some((passed) => {
    const address = passed.address.map(value);
    if (passed.range !== undefined) {
      return overlaps(context, address[0], value(passed.range), mine.destination.cell);
    }
    const other = arrive(context, address, passed.size);
    return other === null || other.destination.cell === mine.destination.cell;
  });
  if (clash) return false;
  return !mine.cacheable || !path.maintained.some((range) => covers(context, range, mine, value));
}

/** The range of a memset or memcpy holds the word; also when nobody can tell. */
function overlaps(
  context: KernelContext,
  pointer: Value | undefined,
  bytes: Value,
  cell: Cell,
): boolean {
  if (typeof pointer !== 'object' || pointer.kind !== 'ptr' || typeof bytes !== 'number')
    return true;
  const map = mapOf(context, pointer.map);
  if (map === undefined) return true;
  const at = cell.page * context.machine.pageSize + cell.offset;
  return (
    map.buffer === cell.buffer && at + cell.size > pointer.offset && at < pointer.offset + bytes
  );
}

function covers(
  context: KernelContext,
  range: readonly Expr[],
  mine: Arrived,
  value: Evaluate,
): boolean {
  const [from, to] = range.map(value);
  if (typeof from !== 'object' || from.kind !== 'ptr') return true;
  if (typeof to !== 'object' || to.kind !== 'ptr') return true;
  const { cell } = mine.destination;
  const map = context.kernel.maps.find((each) => each.id === from.map);
  if (map?.buffer !== cell.buffer) return false;
  const { lineSize, pageSize } = context.machine;
  const line = Math.floor((cell.page * pageSize + cell.offset) / lineSize);
  return line >= Math.floor(from.offset / lineSize) && line * lineSize < to.offset;
}

/** An access to a word ends every early read of it: the same word keeps its order. */
export function endEarlyReads(context: KernelContext, cells: readonly number[]): void {
  const { early } = context.step;
  if (!early.some((read) => cells.includes(read.cell))) return;
  context.step.early = early.filter((read) => !cells.includes(read.cell));
}

/**
 * Uses the value of a read that was satisfied before its turn: judged now, in its turn. `cell`: the
 * word of a copy that it must be; -1 for any. Null when there is none.
 */
export function takeEarlyRead(
  context: KernelContext,
  pc: number,
  cell: number,
  sync: boolean,
): number | null {
  const { early } = context.step;
  const read = early.find((each) => each.pc === pc && (cell < 0 || each.cell === cell));
  const word = context.layout.cells[read?.cell ?? -1];
  if (read === undefined || word === undefined) return null;
  context.say('M8', () => `takes ${showValue(read.value)}, read before its turn`);
  judge(context, word, read.value, read.place, read.outside, sync);
  context.step.early = early.filter((each) => each !== read);
  return read.value;
}
