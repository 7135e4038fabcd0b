/**
 * Where the values go that a scenario reads: which reads decide what it does next, which stores
 * pass them on, which reach an assertion. Follows locals without regard to order, so that it errs
 * on the side of a flow too many.
 * Leaves out: words; which word an instruction reads is known only when it runs (analysis.ts).
 */
import { inputsOf, localsOf } from '../litmus/code-writer.js';
import type { Condition, Expr, Instruction, Program, ThreadCode } from '../litmus/program.js';
import { Sites } from '../system/sites.js';

export interface Flow {
  /** Sites of reads on whose value addresses, calls, conditions or shared names depend. */
  readonly deciding: ReadonlySet<number>;
  /** By site of a store: the sites of the reads whose values it may store. */
  readonly into: ReadonlyMap<number, readonly number[]>;
  /** Sites of the reads that an assertion speaks of. */
  readonly asserted: ReadonlySet<number>;
}

/** By local: sites of the reads whose values it may hold. */
type Sources = Map<number, Set<number>>;

function isLoad(instruction: Instruction): boolean {
  return (
    instruction.op === 'load' || (instruction.op === 'call' && instruction.operation.reads === true)
  );
}

function sourcesOf(code: ThreadCode, siteOf: (pc: number) => number): Sources {
  const sources: Sources = new Map();
  const add = (local: number, sites: Iterable<number>): boolean => {
    const known = sources.get(local) ?? new Set<number>();
    const before = known.size;
    for (const site of sites) known.add(site);
    sources.set(local, known);
    return known.size > before;
  };
  code.code.forEach((instruction, pc) => {
    if (!isLoad(instruction) || !('target' in instruction)) return;
    if (instruction.target?.kind === 'local') add(instruction.target.index, [siteOf(pc)]);
  });
  for (let changed = true; changed; ) {
    changed = false;
    for (const instruction of code.code) {
      if (instruction.op !== 'set' || instruction.target.kind !== 'local') continue;
      if (add(instruction.target.index, readsIn(sources, instruction.value))) changed = true;
    }
  }
  return sources;
}

const NO_READS: readonly number[] = [];

function readsIn(sources: Sources, expr: Expr): readonly number[] {
  if (expr.kind === 'const' || expr.kind === 'handle' || sources.size === 0) return NO_READS;
  const reads: number[] = [];
  for (const local of localsOf(expr)) {
    for (const site of sources.get(local) ?? NO_READS) reads.push(site);
  }
  return reads;
}

/** The value a store or a device write stores; null when all of it decides something. */
function storedBy(instruction: Instruction): Expr | null {
  if (instruction.op === 'store') return instruction.value;
  if (instruction.op !== 'call' || instruction.operation.name !== 'dma_write') return null;
  const last = instruction.args.at(-1);
  return last?.kind === 'value' ? last.value : null;
}

/** What an instruction needs to know before it does anything. */
function decidedBy(instruction: Instruction): readonly Expr[] {
  if (instruction.op === 'set') {
    return instruction.target.kind === 'handle' ? [instruction.value] : [];
  }
  const stored = storedBy(instruction);
  const inputs = inputsOf(instruction);
  return stored === null ? inputs : inputs.filter((expr) => expr !== stored);
}

function localsIn(condition: Condition): readonly { thread: number; local: number }[] {
  switch (condition.kind) {
    case 'compare':
      return [{ thread: condition.thread, local: condition.local }];
    case 'not':
      return localsIn(condition.operand);
    default:
      return [...localsIn(condition.left), ...localsIn(condition.right)];
  }
}

export function flowOf(program: Program): Flow {
  const sites = Sites.of(program);
  const deciding = new Set<number>();
  const into = new Map<number, readonly number[]>();
  const asserted = new Set<number>();
  sites.threads.forEach((code, thread) => {
    const siteOf = (pc: number): number => sites.of(thread, pc);
    const sources = sourcesOf(code, siteOf);
    code.code.forEach((instruction, pc) => {
      for (const expr of decidedBy(instruction)) {
        for (const site of readsIn(sources, expr)) deciding.add(site);
      }
      const stored = storedBy(instruction);
      const reads = stored === null ? [] : readsIn(sources, stored);
      if (reads.length > 0) into.set(siteOf(pc), reads);
      const target = 'target' in instruction ? instruction.target : undefined;
      if (isLoad(instruction) && target?.kind === 'handle') deciding.add(siteOf(pc));
    });
    for (const { condition } of program.assertions) {
      // Threads are numbered without init in a scenario, with it in a state.
      for (const { thread: index, local } of localsIn(condition)) {
        if (index + 1 !== thread) continue;
        for (const site of sources.get(local) ?? []) asserted.add(site);
      }
    }
  });
  return { deciding, into, asserted };
}
