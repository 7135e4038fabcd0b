/**
 * One small machine, written from model.md alone: memory, one cache, one CPU with its store buffer,
 * one non-coherent device. `steps` gives every step from a state. What the machine may do beyond
 * executing in order is the set of liberties.
 */
import { drains } from './buffer.js';
import { cacheSteps, filled } from './cache.js';
import { bellsBefore, cpuEvent, deviceEvent } from './history.js';
import { checked, withLosses } from './judge.js';
import type { Barrier, CpuOp, Litmus } from './program.js';
import { type Early, type Entry, type Liberties, type State, type Step, set } from './state.js';

export function steps(litmus: Litmus, state: State, liberties: Liberties): readonly Step[] {
  return [
    ...cpuSteps(litmus, state, liberties),
    ...deviceSteps(litmus, state),
    ...(liberties.has('reorder') ? earlyReads(litmus, state, liberties) : []),
    ...lateLoads(litmus, state, liberties),
    ...[...drains(litmus, state, liberties), ...cacheSteps(litmus, state, liberties)].map(
      (to): Step => ({ to: withLosses(litmus, state, to) }),
    ),
  ];
}

// ---- The CPU's own steps

function cpuSteps(litmus: Litmus, state: State, liberties: Liberties): readonly Step[] {
  const op = litmus.cpu[state.cpu];
  if (op === undefined || state.late.some((late) => isHeld(litmus, late, op))) return [];
  const done = { ...state, cpu: state.cpu + 1, issued: false };
  const put = (...entries: readonly Entry[]): readonly Step[] => [
    { to: { ...done, buffer: [...state.buffer, ...entries] } },
  ];
  const isDrained = state.buffer.every(({ kind }) => kind === 'fence' || kind === 'bell');
  switch (op.op) {
    case 'store': {
      const { attr, word, value, release = false } = op;
      const lost = set(state.lost, word, null);
      const buffer: Entry[] = [...state.buffer, { kind: 'store', attr, word, value, release }];
      return [{ to: { ...done, lost, buffer } }];
    }
    case 'load':
      return [
        ...(mayLoad(litmus, state, op, liberties) ? [load(litmus, state, op)] : []),
        ...(mayPutOff(state, op, liberties)
          ? [{ to: { ...done, late: [...state.late, state.cpu] } }]
          : []),
      ];
    case 'maintain': {
      const entry: Entry = { kind: 'maintain', how: op.how, line: op.line };
      if (!op.dsb) return put(entry);
      if (state.issued) return isDrained ? [{ to: done }] : [];
      return [{ to: { ...state, issued: true, buffer: [...state.buffer, entry] } }];
    }
    case 'barrier':
      if (isDsb(op.name)) return isDrained ? [{ to: done }] : [];
      return put(...fenceOf(op.name));
    case 'bell':
      if (!op.ordered) return put({ kind: 'bell' });
      return put({ kind: 'fence', stores: 'all', loads: false }, { kind: 'bell' });
    case 'wait':
      return state.run >= bellsBefore(litmus, state.cpu) ? [{ to: done }] : [];
  }
}

function isDsb(name: Barrier): boolean {
  return name === 'mb' || name === 'wmb' || name === 'arch_sync_dma_flush';
}

/** What a dmb leaves in the store buffer; those for loads alone leave nothing (see mayPass). */
function fenceOf(name: Barrier): readonly Entry[] {
  if (name === 'dma_rmb' || name === 'smp_rmb') return [];
  const stores = name.startsWith('smp_') ? 'WB' : 'all';
  return [{ kind: 'fence', stores, loads: name.endsWith('_mb') }];
}

type Load = Extract<CpuOp, { op: 'load' }>;

/** M9, M5 and the fence of a full dmb; without `reorder` also other-attribute stores (§1). */
function mayLoad(litmus: Litmus, state: State, op: Load, liberties: Liberties): boolean {
  const line = litmus.lineOf[op.word];
  return state.buffer.every((entry, i) => {
    const isFenced = state.buffer.slice(i).some((each) => each.kind === 'fence' && each.loads);
    if (entry.kind === 'bell') return !isFenced;
    if (entry.kind === 'store') {
      // An acquire comes after a release of its CPU.
      if (entry.release && op.acquire) return false;
      const isOther = entry.attr !== op.attr && litmus.lineOf[entry.word] === line;
      return !isFenced && (liberties.has('reorder') || !isOther);
    }
    return entry.kind !== 'maintain' || entry.line !== line || op.attr === 'NC';
  });
}

function load(litmus: Litmus, state: State, op: Load): Step {
  const taken = takenEarly(state, 'cpu', state.cpu);
  const { after, value } = taken ?? loaded(litmus, state, op);
  const from = op.attr === 'WB' ? 'copy' : 'memory';
  const read = checked(litmus, after, cpuEvent(state.cpu), op.word, value, from);
  const to = { ...read.to, cpu: state.cpu + 1 };
  if (read.cause === null) return { to };
  return { to, wrong: { cause: read.cause, agent: 'cpu', op: state.cpu } };
}

interface Loaded {
  readonly after: State;
  readonly value: number;
}

function loaded(litmus: Litmus, state: State, op: Load): Loaded {
  const own = state.buffer.findLast(
    (entry) => entry.kind === 'store' && entry.attr === op.attr && entry.word === op.word,
  );
  if (own?.kind === 'store') return { after: state, value: own.value };
  if (op.attr === 'NC') return { after: state, value: state.dram[op.word] ?? 0 };
  const after = filled(litmus, state, litmus.lineOf[op.word] ?? 0);
  return { after, value: after.copy[op.word] ?? 0 };
}

// ---- Loads done behind later stores and doorbells (M8)

/** Not together with reads before their turn (src/system/delayed.ts leaves that out). */
function mayPutOff({ early }: State, op: Load, liberties: Liberties): boolean {
  return liberties.has('reorder') && !op.acquire && early.every(({ agent }) => agent !== 'cpu');
}

/** What has to wait for a load put off: its word, and all that orders more than stores. */
function isHeld(litmus: Litmus, late: number, op: CpuOp): boolean {
  const load = litmus.cpu[late];
  switch (op.op) {
    case 'store':
      return load?.op !== 'load' || op.word === load.word || op.release === true;
    case 'load':
      return load?.op !== 'load' || op.word === load.word;
    case 'barrier':
      return !['wmb', 'dma_wmb', 'smp_wmb'].includes(op.name);
    case 'bell':
      return false;
    case 'maintain':
    case 'wait':
      return true;
  }
}

/** Each may be done at any moment; what it returns is judged in its own place. */
function lateLoads(litmus: Litmus, state: State, liberties: Liberties): readonly Step[] {
  return state.late.flatMap((late): readonly Step[] => {
    const op = litmus.cpu[late];
    if (op?.op !== 'load' || !mayLoad(litmus, state, op, liberties)) return [];
    const { after, value } = loaded(litmus, state, op);
    const from = op.attr === 'WB' ? 'copy' : 'memory';
    const [read, into] = [cpuEvent(late), cpuEvent(state.cpu)];
    const { to, cause } = checked(litmus, after, read, op.word, value, from, into);
    const done = { ...to, late: state.late.filter((each) => each !== late) };
    return cause === null
      ? [{ to: done }]
      : [{ to: done, wrong: { cause, agent: 'cpu', op: late } }];
  });
}

// ---- The device

/** M10: it reads and writes memory, in its program order, while a doorbell is unanswered. */
function deviceSteps(litmus: Litmus, state: State): readonly Step[] {
  const op = litmus.device[state.device];
  if (state.run >= state.rung || op === undefined) return [];
  const isLast = state.device === litmus.device.length - 1;
  const next = isLast ? { device: 0, run: state.run + 1 } : { device: state.device + 1 };
  if (op.op === 'write') {
    const dram = set(state.dram, op.word, op.value);
    return [{ to: { ...state, ...next, dram, lost: set(state.lost, op.word, null) } }];
  }
  const event = deviceEvent(state.run, state.device);
  const taken = takenEarly(state, 'device', state.device);
  const { after, value } = taken ?? { after: state, value: state.dram[op.word] ?? 0 };
  const read = checked(litmus, after, event, op.word, value, 'memory');
  const to = { ...read.to, ...next };
  if (read.cause === null) return [{ to }];
  return [{ to, wrong: { cause: read.cause, agent: 'device', op: state.device } }];
}

// ---- Reads before their turn (M8, M10)

function takenEarly(state: State, agent: Early['agent'], op: number): Loaded | null {
  const taken = state.early.find((each) => each.agent === agent && each.op === op);
  if (taken === undefined) return null;
  return {
    after: { ...state, early: state.early.filter((each) => each !== taken) },
    value: taken.value,
  };
}

function earlyReads(litmus: Litmus, state: State, liberties: Liberties): readonly Step[] {
  const found: Step[] = [];
  litmus.cpu.forEach((op, i) => {
    if (
      op.op !== 'load' ||
      i <= state.cpu ||
      state.late.length > 0 ||
      takenEarly(state, 'cpu', i) !== null
    )
      return;
    if (!mayPass(litmus, state, litmus.cpu.slice(state.cpu, i), op)) return;
    if (!mayLoad(litmus, state, op, liberties)) return;
    const { after, value } = loaded(litmus, state, op);
    found.push({ to: withEarly(after, { agent: 'cpu', op: i, value }) });
  });
  if (state.run >= state.rung) return found;
  litmus.device.forEach((op, i) => {
    if (op.op !== 'read' || op.sync || i <= state.device) return;
    if (takenEarly(state, 'device', i) !== null) return;
    const passed = litmus.device.slice(state.device, i);
    if (passed.some((each) => each.word === op.word || (each.op === 'read' && each.sync))) return;
    const value = state.dram[op.word] ?? 0;
    found.push({ to: withEarly(state, { agent: 'device', op: i, value }) });
  });
  return found;
}

/** In one order, whichever read was taken first. */
function withEarly(state: State, read: Early): State {
  const early = [...state.early, read];
  return { ...state, early: early.sort((a, b) => a.agent.localeCompare(b.agent) || a.op - b.op) };
}

/** M8: a load may go before an earlier load; never past the same word or a barrier for loads. */
function mayPass(litmus: Litmus, state: State, passed: readonly CpuOp[], load: Load): boolean {
  const isFree = passed.every(
    (op, i) => isPassable(litmus, op, load) || isIdleWmb(state, passed.slice(0, i), op),
  );
  return isFree && passed.some((op) => op.op === 'load');
}

/** A wmb() is a dsb st: it waits for stores, and holds what follows no longer than that. */
function isIdleWmb({ buffer }: State, before: readonly CpuOp[], op: CpuOp): boolean {
  if (op.op !== 'barrier' || op.name !== 'wmb' || buffer.length > 0) return false;
  return before.every((each) => each.op === 'load' || each.op === 'barrier');
}

function isPassable(litmus: Litmus, op: CpuOp, load: Load): boolean {
  switch (op.op) {
    case 'store':
      return op.word !== load.word && !(op.release && load.acquire);
    case 'load':
      return op.word !== load.word && !op.acquire;
    case 'maintain':
      return !op.dsb && (op.line !== litmus.lineOf[load.word] || load.attr === 'NC');
    case 'barrier':
      // Those of the inner shareable domain order no read of what a device wrote.
      return ['dma_wmb', 'smp_wmb', 'smp_rmb', 'smp_mb'].includes(op.name);
    case 'bell':
      return true;
    case 'wait':
      return false;
  }
}
