/**
 * One thread's step: an access, a call, or the rest of a call. Steps that touch nothing shared
 * (assignments, branches) follow at once, since nobody can tell when they happen.
 */
import { withItem } from '../base/lists.js';
import {
  cpuLoad,
  cpuStore,
  loadMustWait,
  pushEntries,
  releasePending,
  storesPending,
} from '../kernel/access.js';
import { ScenarioError } from '../kernel/args.js';
import type { KernelContext, Work } from '../kernel/context.js';
import { accessFaults, cpuReach } from '../kernel/cpu-maps.js';
import { badArgument, failureOf, INIT, isFailed, stopsAt } from '../kernel/failures.js';
import { doInvalidate, doPteWork } from '../kernel/io-tables.js';
import { install, remove } from '../kernel/iommu.js';
import { freePages, takePages } from '../kernel/pages.js';
import { unshare } from '../kernel/private-maps.js';
import { assignFrames } from '../kernel/secure.js';
import { booksWith, type KernelState } from '../kernel/state.js';
import { copyBounce } from '../kernel/swiotlb.js';
import { copyBack } from '../kernel/ttm.js';
import type { Value } from '../kernel/value.js';
import type { Instruction, Target, ThreadCode } from '../litmus/program.js';
import type { ProfileName } from '../machine/profile.js';
import { delay, delayedAfter, dueLoad, isDoorbell } from './delayed.js';
import { endEarlyReads, isPassed, takeEarlyRead } from './early.js';
import { type Environment, evaluate } from './evaluate.js';
import { earlyReadsAfter } from './lookahead.js';
import { copyOf, type Thread } from './state.js';

/** A thread that takes more local steps than this loops without touching memory. */
const LOCAL_STEPS_MAX = 100_000;

/** Takes the thread's next step in the context; its new record. Null only when blocked. */
export function runThread(
  context: KernelContext,
  thread: Thread,
  code: ThreadCode,
  handleNames: readonly string[],
  delayable: boolean,
): Thread {
  if (thread.work.length > 0) return continueWork(context, thread, thread.work, true);
  const instruction = code.code[thread.pc];
  if (instruction === undefined) return thread;
  const env: Environment = {
    locals: thread.locals,
    handles: context.kernel.handles,
    handleNames,
    site: context.step.site,
  };
  switch (instruction.op) {
    case 'load':
      return runLoad(context, thread, code, instruction, env, delayable);
    case 'store':
      return runStore(context, thread, code, instruction, env);
    case 'call':
      return runCall(context, thread, code, instruction, env);
    default:
      return thread;
  }
}

/** The kernel oopses, or the process gets a SIGSEGV: the thread ends here; init beyond its end. */
function stopped(
  context: KernelContext,
  thread: Thread,
  { code }: ThreadCode,
  value: number,
  who: string,
): Thread {
  stopsAt(context, value, who);
  const after = copyOf(thread);
  after.pc = context.step.agent === INIT ? code.length + 1 : code.length;
  return after;
}

function pointer(value: Value, site: number): { map: number; offset: number } {
  if (typeof value === 'object' && value.kind === 'ptr') return value;
  throw new ScenarioError('this pointer is NULL or has no value here', site);
}

function masked(value: number, size: number): number {
  return size < 4 ? value & (2 ** (8 * size) - 1) : value;
}

/** Uses the value of a read that was satisfied before its turn; null when there is none. */
function useEarly(
  context: KernelContext,
  thread: Thread,
  instruction: Extract<Instruction, { op: 'load' | 'call' }>,
): Thread | null {
  const value = takeEarlyRead(context, thread.pc, -1, instruction.sync);
  if (value === null) return null;
  if (instruction.target === undefined) return next(thread);
  return assign(context, next(thread), instruction.target, value);
}

function runLoad(
  context: KernelContext,
  thread: Thread,
  code: ThreadCode,
  instruction: Extract<Instruction, { op: 'load' }>,
  env: Environment,
  delayable: boolean,
): Thread {
  const used = useEarly(context, thread, instruction);
  if (used !== null) return used;
  const address = evaluate(instruction.address, env);
  if (isFailed(context, address)) {
    return stopped(context, thread, code, address, "the CPU's load");
  }
  const where = pointer(address, env.site);
  const reached = cpuReach(context, where, instruction.size);
  if (reached.kind === 'again') return continueWork(context, thread, context.work, false);
  if (reached.kind === 'fault') {
    accessFaults(context, reached.why, 'load', "the CPU's load");
    return assign(context, next(thread), instruction.target, 0);
  }
  const { destination, attribute, user } = reached;
  if (delayable && attribute !== 'DEV') {
    const later = delay(context, thread, instruction, where, destination);
    if (later !== null) return later;
  }
  const acquires = instruction.acquire === true && releasePending(context);
  if (acquires || loadMustWait(context, destination, attribute)) {
    context.blocked = true;
    return thread;
  }
  const value = cpuLoad(context, destination, attribute, user, instruction.sync);
  endEarlyReads(context, [destination.cell.id]);
  return assign(context, next(thread), instruction.target, value);
}

function runStore(
  context: KernelContext,
  thread: Thread,
  code: ThreadCode,
  instruction: Extract<Instruction, { op: 'store' }>,
  env: Environment,
): Thread {
  const address = evaluate(instruction.address, env);
  if (isFailed(context, address)) {
    return stopped(context, thread, code, address, "the CPU's store");
  }
  const where = pointer(address, env.site);
  unshare(context, where);
  const reached = cpuReach(context, where, instruction.size);
  if (reached.kind === 'again') return continueWork(context, thread, context.work, false);
  if (reached.kind === 'fault') {
    accessFaults(context, reached.why, 'store', "the CPU's store");
    return next(thread);
  }
  const value = evaluate(instruction.value, env);
  if (typeof value !== 'number') throw new ScenarioError('only integers can be stored', env.site);
  const stored = masked(value, instruction.size);
  cpuStore(context, reached.destination, reached.attribute, stored, instruction.release === true);
  endEarlyReads(context, context.stored);
  return next(thread);
}

function runCall(
  context: KernelContext,
  thread: Thread,
  code: ThreadCode,
  instruction: Extract<Instruction, { op: 'call' }>,
  env: Environment,
): Thread {
  const used = instruction.operation.reads ? useEarly(context, thread, instruction) : null;
  if (used !== null) return used;
  const args = instruction.args.map((arg) => (arg.kind === 'value' ? evaluate(arg.value, env) : 0));
  const { operation } = instruction;
  const bad = badArgument(context, operation, args);
  if (bad !== null && operation.takesNull !== 'looks at it') {
    const isNothing = bad === 0 && operation.takesNull === 'does nothing';
    if (!isNothing) return stopped(context, thread, code, bad, `${operation.name}()`);
    context.noop('NULL: nothing to do');
    return next(thread);
  }
  context.takeEarly = (cell) => takeEarlyRead(context, thread.pc, cell, false);
  // What comes of the doorbell is known by it: a load put off past it may not return that (M8).
  if (thread.delayed.length > 0 && isDoorbell(instruction)) context.tick();
  const passed = isPassed(context, instruction, args);
  const value = failureOf(context, operation, args) ?? operation.effect(context, args);
  if (context.blocked) return thread;
  endEarlyReads(context, context.stored);
  if (context.again) return continueWork(context, thread, context.work, false);
  context.step.copied = 0;
  if (!passed) {
    const { profile } = context.machine;
    context.step.early = earlyReadsAfter(instruction, context.step.early, profile);
  }
  let after = afterCall(context, thread, instruction);
  if (instruction.target !== undefined) after = assign(context, after, instruction.target, value);
  for (const { index, value: out } of context.outs) {
    const arg = instruction.args[index];
    if (arg?.kind === 'out') after = assign(context, after, arg.target, out);
  }
  return continueWork(context, after, context.work, false);
}

function afterCall(context: KernelContext, thread: Thread, instruction: Instruction): Thread {
  const after = copyOf(thread);
  after.pc++;
  after.delayed = delayedAfter(instruction, thread.delayed, context.machine.profile);
  return after;
}

function next(thread: Thread): Thread {
  const after = copyOf(thread);
  after.pc++;
  return after;
}

function assign(context: KernelContext, thread: Thread, target: Target, value: Value): Thread {
  if (target.kind === 'local') {
    if (thread.locals[target.index] === value) return thread;
    const after = copyOf(thread);
    after.locals = withItem(thread.locals, target.index, value);
    return after;
  }
  context.update({ handles: withItem(context.kernel.handles, target.index, value) });
  return thread;
}

/** Does the queued work of a call as far as it goes without waiting. */
function continueWork(
  context: KernelContext,
  thread: Thread,
  work: readonly Work[],
  waiting: boolean,
): Thread {
  let done = 0;
  for (const item of work) {
    if (!doWork(context, item)) break;
    done++;
  }
  if (waiting && done === 0) context.blocked = true;
  if (work.length === 0 && thread.work.length === 0) return thread;
  const left = work.slice(done);
  const after = copyOf(thread);
  after.work = left;
  after.site = left.length > 0 ? context.step.site : -1;
  return after;
}

/** The job is done; whoever waited knows what its device knew then. */
function fenceSignalled(context: KernelContext, device: number, ticket: number): boolean {
  const port = context.kernel.ports[device];
  if (port === undefined || port.done < ticket) return false;
  context.learn(port.clock);
  context.say('K8', () => 'the fence has signalled');
  return true;
}

/** False when the thread has to wait first. */
function doWork(context: KernelContext, item: Work): boolean {
  switch (item.do) {
    case 'enqueue':
      pushEntries(context, item.entries);
      return true;
    case 'drained': {
      const left = item.what === 'all' ? context.step.entries.length > 0 : storesPending(context);
      if (!left) context.step.touched = [];
      if (!left)
        context.say('M9', () => (item.what === 'all' ? 'dsb complete' : 'barrier complete'));
      return !left;
    }
    case 'tlbi': {
      context.recorder.waitsForStores?.();
      const all = context.step.allBuffers().flat();
      const pending = all.some((each) => each.kind === 'store' && item.frames.includes(each.frame));
      return !pending && !context.step.entries.some((each) => each.kind === 'store');
    }
    case 'translate':
      install(context, item.domain, item.entry);
      return true;
    case 'pte':
      doPteWork(context, item);
      return true;
    case 'iotlb':
      doInvalidate(context, item);
      return true;
    case 'untranslate':
      remove(context, item.domain, item.iova, item.size, item.sync);
      return true;
    case 'migrate':
    case 'swap-out':
      takePages(context, item.do, item.buffer);
      return true;
    case 'bounce':
      return copyBounce(context, item);
    case 'fence':
      return fenceSignalled(context, item.device, item.ticket);
    case 'assign':
      assignFrames(context, item.frames, item.secure);
      return true;
    case 'arrived':
      if (context.step.entries.length > 0) return false;
      context.say('M10', () => "the device's writes are in memory: its completion may be seen");
      return true;
    case 'free':
      freePages(context, item.buffer);
      return true;
    case 'copy-back':
      copyBack(context, item.buffer, item.lines);
      return true;
  }
}

/** Runs assignments and branches until the next instruction that others can see. */
export function settle(
  thread: Thread,
  code: ThreadCode,
  kernel: KernelState,
  handleNames: readonly string[],
  site: number,
  profile: ProfileName,
): { thread: Thread; kernel: KernelState } {
  if (thread.work.length > 0) return { thread, kernel };
  let { pc, locals } = thread;
  let handles = kernel.handles;
  const isDue = (at: Thread): boolean => dueLoad(at, code, kernel, profile) !== undefined;
  for (let steps = 0; ; steps++) {
    const instruction = code.code[pc];
    if (pc < 0 || instruction === undefined) break;
    if (steps > LOCAL_STEPS_MAX) {
      throw new ScenarioError('this loop never touches memory and never ends', site);
    }
    if (thread.delayed.length > 0 && isDue(placedAt(thread, pc, locals))) break;
    if (instruction.op === 'jump') pc = instruction.to;
    else if (instruction.op === 'branch') {
      const env: Environment = { locals, handles, handleNames, site };
      pc = evaluate(instruction.condition, env) === 0 ? instruction.otherwise : pc + 1;
    } else if (instruction.op === 'set') {
      const value = evaluate(instruction.value, { locals, handles, handleNames, site });
      if (instruction.target.kind === 'local') {
        const { index } = instruction.target;
        if (locals[index] !== value) locals = withItem(locals, index, value);
      } else handles = withItem(handles, instruction.target.index, value);
      pc++;
    } else break;
  }
  const unchanged = pc === thread.pc && locals === thread.locals;
  return {
    thread: unchanged ? thread : placedAt(thread, pc, locals),
    kernel: handles === kernel.handles ? kernel : booksWith(kernel, { handles }),
  };
}

function placedAt(thread: Thread, pc: number, locals: readonly Value[]): Thread {
  const after = copyOf(thread);
  after.pc = pc;
  after.locals = locals;
  return after;
}
