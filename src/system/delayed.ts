/**
 * Loads that later stores of their thread overtake (M8, second half). A load that no barrier or
 * dependency holds is put off, by choice, to the last moment: until its value is needed, its word
 * is accessed again, or something orders it. It keeps its view in program order: it may not return
 * a write that came to be because of a store behind it. That is how a missing dma_mb shows (H13).
 * Sources: Arm ARM B2.3 (dependencies, Barrier-ordered-before); tools/memory-model/litmus-tests
 * (LB+poonceonces, LB+fencembonceonce+ctrlonceonce, LB+poacquireonce+pooncerelease).
 * Leaves out: loads put off past submit(), memset or memcpy, and together with an early read.
 */
import { withItem } from '../base/lists.js';
import { cpuLoad, type Destination, loadMustWait } from '../kernel/access.js';
import type { KernelContext } from '../kernel/context.js';
import { cpuReach } from '../kernel/cpu-maps.js';
import { isHidden } from '../kernel/layout.js';
import type { KernelState } from '../kernel/state.js';
import type { Value } from '../kernel/value.js';
import { inputsOf, localsOf } from '../litmus/code-writer.js';
import type { Instruction, ThreadCode } from '../litmus/program.js';
import { orderProfiles, type ProfileName } from '../machine/profile.js';
import { evaluate } from './evaluate.js';
import { copyOf, type Thread } from './state.js';

/** How far a load is put off: instructions looked over, as for early reads. */
const WINDOW = 24;
const LOOKS_MAX = 500;

/** A load whose place in program order has passed, and which has no value yet. */
export interface Delayed {
  readonly pc: number;
  readonly pointer: { readonly map: number; readonly offset: number };
  readonly size: number;
  readonly target: number;
  readonly sync: boolean;
  /** Id of the word. */
  readonly cell: number;
  /** What the thread knew in its place. */
  readonly clock: readonly number[];
  /** A barrier stands behind it that orders loads alone: it comes before the next load. */
  readonly fenced?: true;
}

/** The value goes into what the instruction does. */
function needs(instruction: Instruction, local: number): boolean {
  if (instruction.op === 'branch') return localsOf(instruction.condition).includes(local);
  return inputsOf(instruction).some((expr) => localsOf(expr).includes(local));
}

function writes(instruction: Instruction, local: number): boolean {
  const target = 'target' in instruction ? instruction.target : undefined;
  return target?.kind === 'local' && target.index === local;
}

/** Nothing behind it comes before an earlier load: releases, and most calls. */
function orders(instruction: Instruction, profile: ProfileName): boolean {
  if (instruction.op === 'store') return instruction.release === true;
  if (instruction.op !== 'call' || isDoorbell(instruction)) return false;
  const { operation } = instruction;
  return !orderProfiles[profile].lateLoadsPass.has(operation.as ?? operation.name);
}

/** It orders loads among themselves. */
function fencesLoads(instruction: Instruction, profile: ProfileName): boolean {
  if (instruction.op !== 'call') return false;
  const { operation } = instruction;
  return orderProfiles[profile].loadsOnly.has(operation.as ?? operation.name);
}

/** The loads put off, when the thread has done the instruction: some may not pass the next load. */
export function delayedAfter(
  instruction: Instruction,
  delayed: readonly Delayed[],
  profile: ProfileName,
): readonly Delayed[] {
  if (delayed.length === 0 || !fencesLoads(instruction, profile)) return delayed;
  return delayed.map((each) => ({ ...each, fenced: true }));
}

/** A Device store, with a store barrier before it or without; submit() stands for far more. */
export function isDoorbell(instruction: Instruction): boolean {
  if (instruction.op !== 'call') return false;
  return ['writel', 'writel_relaxed'].includes(instruction.operation.name);
}

function touchesMemory(code: ThreadCode, kinds: RegExp, op: 'load' | 'store'): boolean {
  return code.code.some(
    (each) => each.op === op || (each.op === 'call' && kinds.test(each.operation.name)),
  );
}

/** Another agent that could close the circle: it reads, and it writes. */
function answers(code: ThreadCode): boolean {
  const reads = touchesMemory(code, /^(dma_read|memcpy)/u, 'load');
  return reads && touchesMemory(code, /^(dma_write|memcpy|memset)/u, 'store');
}

function isDeviceWrite(instruction: Instruction): boolean {
  return instruction.op === 'call' && instruction.operation.name.startsWith('dma_write');
}

/** Loads of this thread may be put off: some other agent could tell. */
export function isAnswered(threads: readonly ThreadCode[], index: number): boolean {
  if (index === 0 || threads[index]?.kind !== 'cpu') return false;
  const rings = threads[index].code.some(isDoorbell);
  const answersDoorbell = ({ kind, code }: ThreadCode): boolean =>
    rings && kind === 'device' && code.some(isDeviceWrite);
  return threads.some(
    (other, j) => j > 0 && j !== index && (answers(other) || answersDoorbell(other)),
  );
}

/** It is a load that some later store may overtake. */
export function isOvertaken(code: ThreadCode, from: number, profile: ProfileName): boolean {
  const load = code.code[from];
  if (load?.op !== 'load' || load.target.kind !== 'local') return false;
  const local = load.target.index;
  const open = [{ pc: from + 1, left: WINDOW, fenced: false }];
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const look = open.pop();
    if (look === undefined) return false;
    const instruction = code.code[look.pc];
    if (instruction === undefined || look.left === 0) continue;
    if (needs(instruction, local) || writes(instruction, local)) continue;
    if (orders(instruction, profile) || accessesSame(instruction, load)) continue;
    if (look.fenced && instruction.op === 'load') continue;
    if (instruction.op === 'store' || isDoorbell(instruction)) return true;
    const next = { left: look.left - 1, fenced: look.fenced || fencesLoads(instruction, profile) };
    if (instruction.op === 'jump') open.push({ pc: instruction.to, ...next });
    else open.push({ pc: look.pc + 1, ...next });
    if (instruction.op === 'branch') open.push({ pc: instruction.otherwise, ...next });
  }
  return false;
}

/** By the same words of the text: accesses of one word keep their order. */
function accessesSame(
  instruction: Instruction,
  load: Extract<Instruction, { op: 'load' }>,
): boolean {
  if (instruction.op !== 'load' && instruction.op !== 'store') return false;
  return JSON.stringify(instruction.address) === JSON.stringify(load.address);
}

/** Puts a load off, by choice; null when it is done in its turn. */
export function delay(
  context: KernelContext,
  thread: Thread,
  instruction: Extract<Instruction, { op: 'load' }>,
  pointer: { readonly map: number; readonly offset: number },
  destination: Destination,
): Thread | null {
  const plain = destination.refused === null && !isHidden(destination.cell);
  const inOrder = orderProfiles[context.machine.profile].totalStoreOrder;
  const free = thread.early.length === 0 && plain && !inOrder;
  if (!free || instruction.target.kind !== 'local' || !context.liberties.has('reorder'))
    return null;
  if (context.choose(2) === 0) return null;
  context.tookLiberty = true;
  context.say('M8', () => 'put off: later stores may overtake it');
  const { pc } = thread;
  const { size, sync, target } = instruction;
  const cell = destination.cell.id;
  const { clock } = context.step;
  const record = { pc, pointer, size, target: target.index, sync, cell, clock };
  const after = copyOf(thread);
  after.pc = pc + 1;
  after.delayed = [...thread.delayed, record];
  return after;
}

/** The load that has to be done before the thread goes on; undefined when none has. */
export function dueLoad(
  thread: Thread,
  code: ThreadCode,
  kernel: KernelState,
  profile: ProfileName,
): Delayed | undefined {
  if (thread.delayed.length === 0 || thread.work.length > 0) return undefined;
  const instruction = code.code[thread.pc];
  return thread.delayed.find((each) => {
    if (instruction === undefined || orders(instruction, profile)) return true;
    if (each.fenced && instruction.op === 'load') return true;
    if (thread.pc - each.pc > WINDOW || thread.pc <= each.pc) return true;
    if (needs(instruction, each.target) || writes(instruction, each.target)) return true;
    return sameWord(thread, instruction, each, kernel);
  });
}

function sameWord(
  thread: Thread,
  instruction: Instruction,
  load: Delayed,
  kernel: KernelState,
): boolean {
  if (instruction.op !== 'load' && instruction.op !== 'store') return false;
  // An address that hangs on a load put off has it done first: what it is shows then.
  const locals = thread.delayed.map((each) => each.target);
  if (localsOf(instruction.address).some((each) => locals.includes(each))) return true;
  const env = { locals: thread.locals, handles: kernel.handles, handleNames: [], site: -1 };
  const pointer: Value = evaluate(instruction.address, env);
  if (typeof pointer !== 'object' || pointer.kind !== 'ptr') return true;
  const bufferOf = (id: number): number => kernel.maps.find((each) => each.id === id)?.buffer ?? -1;
  if (bufferOf(pointer.map) !== bufferOf(load.pointer.map)) return false;
  const { offset } = load.pointer;
  return offset < pointer.offset + instruction.size && pointer.offset < offset + load.size;
}

/** Does a load that was put off: it may not return what came of a store behind it. */
export function doDelayed(context: KernelContext, thread: Thread, load: Delayed): Thread {
  const reached = cpuReach(context, load.pointer, load.size);
  const rest = copyOf(thread);
  rest.delayed = thread.delayed.filter((each) => each !== load);
  if (reached.kind !== 'memory') return rest;
  const { destination, attribute, user } = reached;
  if (loadMustWait(context, destination, attribute)) {
    context.blocked = true;
    return thread;
  }
  const now = context.step.clock;
  context.step.clock = load.clock;
  context.before = load.clock;
  context.say('M8', () => 'done after stores that come behind it');
  const value = cpuLoad(context, destination, attribute, user, load.sync);
  context.before = null;
  const learned = context.step.clock;
  context.step.clock = now;
  context.learn(learned);
  rest.locals = withItem(rest.locals, load.target, value);
  return rest;
}
