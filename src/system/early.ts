/**
 * Reads that are satisfied before their turn: a CPU's later load before an earlier one (M8), a
 * device's prefetch up to the last doorbell or synchronising read (M10). The value is taken early
 * and judged at its place in program order, with what the thread knows by then; that is how a
 * missing dma_rmb shows (H13).
 * Leaves out: accesses whose address is not known yet, which are never passed; late loads, which
 * are delayed.ts.
 */
import { admissible, newest } from '../ideal/word.js';
import {
  cpuFetch,
  type Destination,
  deviceFetch,
  type Fetched,
  loadMustWait,
} from '../kernel/access.js';
import { IOMMU_READ } from '../kernel/constants.js';
import type { EarlyRead, KernelContext } from '../kernel/context.js';
import { cpuReach, mapOf } from '../kernel/cpu-maps.js';
import { isUnderWay } from '../kernel/device-cache.js';
import { doesNothing } from '../kernel/dma.js';
import { judge } from '../kernel/judge.js';
import { type Cell, isHidden } from '../kernel/layout.js';
import { reach, snoops } from '../kernel/ops/device.js';
import { wordsIn, wordsRead } from '../kernel/ops/memory.js';
import { ownerWaits } from '../kernel/posted.js';
import type { Value } from '../kernel/value.js';
import { showValue } from '../kernel/values.js';
import type { Expr, Instruction, ThreadCode } from '../litmus/program.js';
import { orderProfiles, type ProfileName } from '../machine/profile.js';
import { evaluate } from './evaluate.js';
import { accessesOf, idleFor, isCopy, type Passed } from './instruction-traits.js';
import { type Candidate, candidatePlaces, candidates, isStraight } from './lookahead.js';
import type { Thread } from './state.js';

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
    // A walk is judged where it happens, so it happens in turn.
    if (context.machine.devices.some((each) => each.coherentWalk !== null)) return null;
    const reached = reach(context, address, 1, IOMMU_READ);
    if (reached.kind === 'fault') return null;
    const { destination } = reached;
    const sent = context.step.posts && isUnderWay(context, context.step.device);
    if (sent || ownerWaits(context, destination)) {
      return { destination, outside: true, cacheable: false, fetch: null };
    }
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
export function earlyReads(
  thread: Thread,
  code: ThreadCode,
  profile: ProfileName,
): readonly number[] {
  if (thread.work.length > 0 || thread.delayed.length > 0) return [];
  const places = candidatePlaces(code, thread.pc, profile);
  const { early } = thread;
  if (places.length === 0 || early.length === 0) return places;
  return places.filter((pc) => {
    const instruction = code.code[pc];
    const taken = early.some((read) => read.pc === pc);
    return !taken || (instruction !== undefined && isCopy(instruction));
  });
}

interface Site {
  readonly thread: Thread;
  readonly pc: number;
  readonly instruction: Instruction;
  readonly value: Evaluate;
}

/**
 * Takes one read early; the thread stays where it is. Blocked when it may not be now. `hidden` is
 * called when that is because its one word is left out of the exploration.
 */
export function readEarly(
  context: KernelContext,
  thread: Thread,
  code: ThreadCode,
  pc: number,
  handleNames: readonly string[],
  hidden: () => void,
): Thread {
  const instruction = code.code[pc];
  context.blocked = true;
  const mineIs = instruction === undefined ? undefined : accessesOf(instruction)[0];
  if (instruction === undefined || mineIs === undefined) return thread;
  const { handles, maps } = context.kernel;
  const { frames } = context.step;
  const env = { locals: thread.locals, handles, handleNames, site: context.step.site };
  const value: Evaluate = (expr) => evaluate(expr, env);
  const target = (): Arrived | null =>
    targetOf(context, { thread, pc, instruction, value }, mineIs);
  const { profile } = context.machine;
  const open = isStraight(code, thread.pc, pc, profile) && isOpen(context, instruction);
  const soon = open ? target() : undefined;
  if (soon && isHidden(soon.destination.cell)) {
    hidden();
    return thread;
  }
  const isSet = (expr: Expr): boolean =>
    expr.kind !== 'handle' || (handles[expr.index] ?? null) !== null;
  const acquires = instruction.op === 'load' && instruction.acquire === true;
  const paths = candidates(code, thread.pc, profile).filter(
    (each) =>
      each.pc === pc &&
      // Only Arm's barriers have shareability domains, and only its releases hold acquires.
      (!each.ish || profile === 'arm64') &&
      (!each.released || !acquires || profile !== 'arm64') &&
      // A wmb() holds what follows it until the earlier stores are done.
      (!each.wmb || context.step.entries.length === 0) &&
      [mineIs, ...each.passes].every(({ address }) => address.every(isSet)) &&
      [...each.maintained.flat(), ...each.idle].every(isSet) &&
      each.idle.every((of) => isIdle(context, value(of))),
  );
  if (paths.length === 0) return thread;
  const mine = soon === undefined ? target() : soon;
  if (mine !== null && isHidden(mine.destination.cell)) return thread;
  const free = mine === null ? [] : paths.filter((path) => isFree(context, path, mine, value));
  // A page fault or a fault on the way is no early read: it happens in turn.
  const faulted = context.step.frames !== frames || context.kernel.maps !== maps;
  if (mine === null || mine.fetch === null || free.length === 0 || faulted) return thread;
  if (mine.destination.refused !== null) return thread;
  const { value: got, place } = mine.fetch();
  context.blocked = false;
  context.say(context.step.device >= 0 ? 'M10' : 'M8', () => 'taken before its turn');
  const plain = { pc, cell: mine.destination.cell.id, value: got, place, outside: mine.outside };
  const ish = free.every((path) => path.ish) ? { ish: true } : {};
  const wmb = free.every((path) => path.wmb) ? { wmb: true } : {};
  const read = { ...plain, ...ish, ...wmb };
  const byPlace = (a: EarlyRead, b: EarlyRead): number => a.pc - b.pc || a.cell - b.cell;
  context.step.early = [...thread.early, read].sort(byPlace);
  return thread;
}

/** Calls for this device are no barrier: they do nothing (M8). */
function isIdle(context: KernelContext, of: Value): boolean {
  if (typeof of !== 'object') return false;
  if (of.kind === 'device') return doesNothing(context, of.id);
  const pool = context.kernel.pagePools.find((each) => of.kind === 'buffer' && each.id === of.id);
  return pool !== undefined && doesNothing(context, pool.device);
}

/** The call about to be made does nothing, so that early reads outlive it. */
export function isPassed(
  context: KernelContext,
  instruction: Instruction,
  args: readonly Value[],
): boolean {
  if (context.step.early.length === 0 || idleFor(instruction) === null) return false;
  return isIdle(context, args[0] ?? 0);
}

/**
 * Some path to the read is open for sure, so that the word can be asked for before all paths are
 * gone over: nearly always it is left out of the exploration, where any words are.
 */
function isOpen(context: KernelContext, instruction: Instruction): boolean {
  if (context.layout.hidden.length === 0 || isCopy(instruction)) return false;
  // Stores may hold a path behind a wmb().
  if (context.step.entries.length > 0) return false;
  return context.machine.profile === 'arm64' && !context.kernel.handles.includes(null);
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
  context.step.early = early.filter((each) => each !== read);
  if (read.ish === true && missesCpu(context, word, read.value)) return null;
  context.say('M8', () => `takes ${showValue(read.value)}, read before its turn`);
  judge(context, word, read.value, read.place, read.outside, sync);
  return read.value;
}

/** The barrier it passed orders it after a CPU's write: it is read in its turn after all. */
function missesCpu(context: KernelContext, cell: Cell, value: number): boolean {
  const allowed = admissible(context.word(cell), context.view(cell));
  if (allowed.some((each) => each.value === value)) return false;
  return newest(allowed).some((each) => !context.step.isDevice(each.agent));
}
