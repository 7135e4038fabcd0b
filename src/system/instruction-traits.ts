/**
 * What one instruction is to a read that would be taken before it: what it accesses, and what it
 * holds back (M7, M8). By the instruction alone.
 * Leaves out: paths (lookahead.ts).
 */
import type { Operation } from '../kernel/registry.js';
import type { Expr, Instruction, Target } from '../litmus/program.js';
import { orderProfiles, type ProfileName } from '../machine/profile.js';

/** An access that a read would pass: an address and its size, or a whole range. */
export interface Passed {
  /** A pointer, or a device call's (domain,) address. */
  readonly address: readonly Expr[];
  /** Bytes of a single access. */
  readonly size: number;
  /** Bytes of the range of a memset or memcpy; absent for a single access. */
  readonly range?: Expr;
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

/** What the instruction accesses; for a memcpy the source first. */
export function accessesOf(instruction: Instruction): readonly Passed[] {
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
export function stops(instruction: Instruction): boolean {
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

export function isInnerBarrier(instruction: Instruction): boolean {
  return instruction.op === 'call' && sortOf(instruction.operation).inner;
}

export function isWmb(instruction: Instruction): boolean {
  return instruction.op === 'call' && sortOf(instruction.operation).wmb;
}

export function mayStore(instruction: Instruction): boolean {
  if (instruction.op !== 'call') return instruction.op === 'store';
  return sortOf(instruction.operation).stores;
}

/** It orders no loads at all on this architecture. */
export function ordersNoLoads(instruction: Instruction, profile: ProfileName): boolean {
  if (instruction.op !== 'call') return false;
  const { operation } = instruction;
  return orderProfiles[profile].earlyLoadsPass.has(operation.as ?? operation.name);
}

/** What the look ahead asks of an instruction, found out once. */
export interface Traits {
  readonly accesses: readonly Passed[];
  readonly stops: boolean;
  /** It stops nothing here after all, and a read that passes it need not remember it. */
  readonly weak: boolean;
  readonly inner: boolean;
  readonly wmb: boolean;
  readonly released: boolean;
  readonly stores: boolean;
  readonly copies: boolean;
  readonly reads: boolean;
  readonly idle: Expr | null;
  /** What it maintains without a dsb; null for nothing. */
  readonly maintains: readonly Expr[] | null;
  readonly target: Target | undefined;
}

export function traitsOf(instruction: Instruction, profile: ProfileName): Traits {
  const weak = ordersNoLoads(instruction, profile);
  return {
    accesses: accessesOf(instruction),
    stops: stops(instruction),
    inner: isInnerBarrier(instruction),
    weak,
    wmb: isWmb(instruction) && !weak,
    released: instruction.op === 'store' && instruction.release === true,
    stores: mayStore(instruction),
    copies: isCopy(instruction),
    reads: isRead(instruction),
    idle: idleFor(instruction),
    maintains: isIncomplete(instruction) ? valuesOf(instruction) : null,
    target: 'target' in instruction ? instruction.target : undefined,
  };
}

function valuesOf(instruction: Instruction): readonly Expr[] {
  const values: Expr[] = [];
  if (instruction.op !== 'call') return values;
  for (const arg of instruction.args) if (arg.kind === 'value') values.push(arg.value);
  return values;
}
