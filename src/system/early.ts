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
import type { KernelContext } from '../kernel/context.js';
import { cpuReach } from '../kernel/cpu-maps.js';
import { reach, snoops } from '../kernel/ops/device.js';
import type { Value } from '../kernel/value.js';
import type { Expr, Instruction, ThreadCode } from '../litmus/program.js';
import { evaluate } from './evaluate.js';
import type { Thread } from './state.js';

/** How far a read is taken early: instructions looked over. Bounds the lookahead through loops. */
const WINDOW = 24;

interface Candidate {
  readonly pc: number;
  /** Addresses of the accesses it would pass. */
  readonly passes: readonly (readonly Expr[])[];
}

interface Look {
  readonly pc: number;
  readonly left: number;
  /** Locals that instructions not yet executed will set. */
  readonly pending: ReadonlySet<number>;
  readonly passes: readonly (readonly Expr[])[];
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

/** The address expressions of an access: a pointer, or a device call's (domain,) address. */
function addressOf(instruction: Instruction): readonly Expr[] | null {
  if (instruction.op === 'load' || instruction.op === 'store') return [instruction.address];
  if (instruction.op !== 'call' || instruction.operation.where !== 'device') return null;
  const values = instruction.args.flatMap((arg) => (arg.kind === 'value' ? [arg.value] : []));
  return instruction.operation.reads ? values : values.slice(0, -1);
}

function isRead(instruction: Instruction): boolean {
  if (instruction.op === 'load') return true;
  return instruction.op === 'call' && instruction.operation.reads === true && !instruction.sync;
}

/** Nothing after it is read before it: barriers, calls that order loads, a device's sync read. */
function stops(instruction: Instruction): boolean {
  if (instruction.op !== 'call') return false;
  const { operation, sync } = instruction;
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
  const found = new Map<number, Candidate>();
  const visited = new Set<number>();
  const open: Look[] = [{ pc: from, left: WINDOW, pending: new Set(), passes: [] }];
  for (let look = open.pop(); look !== undefined; look = open.pop()) {
    const instruction = code.code[look.pc];
    if (instruction === undefined || look.left === 0 || visited.has(look.pc)) continue;
    visited.add(look.pc);
    if (stops(instruction)) continue;
    const address = addressOf(instruction);
    if (address?.some((expr) => uses(expr, look.pending))) continue;
    if (address !== null && isRead(instruction) && look.pc !== from) {
      found.set(look.pc, { pc: look.pc, passes: look.passes });
    }
    open.push(...after(instruction, look, address));
  }
  return [...found.values()].sort((a, b) => a.pc - b.pc);
}

function after(instruction: Instruction, look: Look, address: readonly Expr[] | null): Look[] {
  const step = { ...look, left: look.left - 1 };
  if (instruction.op === 'jump') return [{ ...step, pc: instruction.to }];
  if (instruction.op === 'branch') {
    return [
      { ...step, pc: instruction.otherwise },
      { ...step, pc: look.pc + 1 },
    ];
  }
  const passes = address === null ? look.passes : [...look.passes, address];
  const pending = new Set(look.pending);
  const target = 'target' in instruction ? instruction.target : undefined;
  if (target?.kind === 'handle') return [];
  if (target !== undefined) pending.add(target.index);
  return [{ ...step, pc: look.pc + 1, passes, pending }];
}

interface Arrived {
  readonly destination: Destination;
  readonly outside: boolean;
  /** Null when the read may not happen now. */
  readonly fetch: (() => Fetched) | null;
}

type Evaluate = (expr: Expr) => Value;

function arrive(
  context: KernelContext,
  address: readonly Expr[],
  value: Evaluate,
  size: number,
): Arrived | null {
  if (context.step.device >= 0) {
    const reached = reach(context, address.map(value), 1, IOMMU_READ);
    if (reached.kind === 'fault') return null;
    const { destination } = reached;
    const fetch = () => deviceFetch(context, destination, snoops(context, reached));
    return { destination, outside: true, fetch };
  }
  const [expr] = address;
  const pointer = expr === undefined ? 0 : value(expr);
  if (typeof pointer !== 'object' || pointer.kind !== 'ptr') return null;
  const reached = cpuReach(context, pointer, size);
  if (reached.kind !== 'memory' || context.work.length > 0) return null;
  const { destination, attribute, user } = reached;
  const held = attribute === 'DEV' || loadMustWait(context, destination, attribute);
  const fetch = held ? null : () => cpuFetch(context, destination, attribute);
  return { destination, outside: user, fetch };
}

/** Instructions whose read may be taken early now; each is one possible step of the thread. */
export function earlyReads(thread: Thread, code: ThreadCode): readonly number[] {
  if (thread.work.length > 0) return [];
  const all = candidates(code, thread.pc);
  if (all.length === 0) return [];
  return all.map((each) => each.pc).filter((pc) => !thread.early.some((read) => read.pc === pc));
}

/** Takes one read early; the thread stays where it is. Blocked when it may not be now. */
export function readEarly(
  context: KernelContext,
  thread: Thread,
  code: ThreadCode,
  pc: number,
  handleNames: readonly string[],
): Thread {
  const candidate = candidates(code, thread.pc).find((each) => each.pc === pc);
  const instruction = code.code[pc];
  context.blocked = true;
  const address = instruction === undefined ? null : addressOf(instruction);
  if (candidate === undefined || instruction === undefined || address === null) return thread;
  const { handles } = context.kernel;
  const isSet = (expr: Expr): boolean =>
    expr.kind !== 'handle' || (handles[expr.index] ?? null) !== null;
  if (![address, ...candidate.passes].flat().every(isSet)) return thread;
  const env = { locals: thread.locals, handles, handleNames, site: context.step.site };
  const value: Evaluate = (expr) => evaluate(expr, env);
  const size = instruction.op === 'load' ? instruction.size : 4;
  const before = context.step;
  const frames = before.frames;
  const kernel = before.kernel;
  const mine = arrive(context, address, value, size);
  const clash = candidate.passes.some((each) => {
    const other = arrive(context, each, value, size);
    return other === null || other.destination.cell === mine?.destination.cell;
  });
  // A page fault or a fault on the way is no early read: it happens in turn.
  const faulted = before.frames !== frames || before.kernel.maps !== kernel.maps;
  if (mine === null || mine.fetch === null || mine.destination.refused !== null) return thread;
  if (clash || faulted) return thread;
  const { value: got, place } = mine.fetch();
  context.blocked = false;
  context.say(before.device >= 0 ? 'M10' : 'M8', () => 'taken before its turn');
  const read = { pc, cell: mine.destination.cell.id, value: got, place, outside: mine.outside };
  return { ...thread, early: [...thread.early, read].sort((a, b) => a.pc - b.pc) };
}
