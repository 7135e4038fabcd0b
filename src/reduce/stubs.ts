/**
 * The program of a projection: accesses to words it leaves out, which change nothing at all, need
 * no steps of their own. What later reads may overtake stays as a stub, one for each stretch of
 * them, and a maintenance helper for other lines stays as its DSB, one for each stretch.
 * Leaves out: accesses that take a page fault, use a translation for the first time, or may fault.
 */
import { room } from '../base/lists.js';
import type { KernelContext } from '../kernel/context.js';
import type { Operation } from '../kernel/registry.js';
import type { Instruction, Program, ThreadCode } from '../litmus/program.js';
import { holdsLoads } from '../machine/store-buffer.js';
import { Sites } from '../system/sites.js';

/** What a site does in a projection: nothing to see, a DSB and nothing more, or more than that. */
export type Role = 'hidden' | 'dsb' | 'kept';

/** A read that nobody looks at: it waits as a load does, and later reads may pass it. */
const stub: Operation = {
  name: 'skipped',
  family: 'ordering',
  where: 'cpu',
  returns: 'int',
  params: [],
  rules: [],
  reads: true,
  doc: 'accesses that this exploration leaves out',
  source: 'docs/reductions.md',
  effect: (context: KernelContext) => {
    const { entries } = context.step;
    context.blocked = entries.some((entry) => entry.kind === 'barrier' && holdsLoads(entry.scope));
    return 0;
  },
};

/** The same program, place by place, with less to do. */
export function withStubs(program: Program, roleOf: (site: number) => Role): Program {
  const sites = Sites.of(program);
  const [init, ...threads] = sites.threads.map((code, thread) =>
    stubbed(code, (pc) => roleOf(sites.of(thread, pc))),
  );
  return { ...program, init: init ?? program.init, threads };
}

function stubbed(code: ThreadCode, roleOf: (pc: number) => Role): ThreadCode {
  let known = standins.get(code);
  if (known === undefined) {
    const { length } = code.code;
    known = { passing: room(length), standing: room(length) };
    standins.set(code, known);
  }
  const { passing, standing } = known;
  const next: Instruction[] = code.code.slice();
  // What the next instruction that stays is, from behind.
  let behind = '';
  for (let pc = code.code.length - 1; pc >= 0; pc--) {
    const instruction = code.code[pc];
    if (instruction === undefined) continue;
    const label = labelOf(code, instruction, roleOf(pc));
    if (label === 'gone' || (label !== 'kept' && label === behind)) {
      next[pc] = passing[pc] ??= passingAt(instruction, pc);
      continue;
    }
    if (label === 'stub') next[pc] = standing[pc] ??= standingAt(instruction);
    behind = label;
  }
  return { ...code, code: next };
}

/** What is left of an instruction: `kept`, `gone`, a `stub`, or the name of a helper as its DSB. */
export function labelOf({ kind }: ThreadCode, instruction: Instruction, role: Role): string {
  if (role === 'kept') return 'kept';
  if (role === 'dsb') return instruction.op === 'call' ? instruction.operation.name : 'kept';
  return instruction.op === 'store' && kind === 'cpu' ? 'gone' : 'stub';
}

/** What stands for the instructions of a thread, by place; the same in every projection. */
interface Standins {
  readonly passing: (Instruction | undefined)[];
  readonly standing: (Instruction | undefined)[];
}

const standins = new WeakMap<ThreadCode, Standins>();

/** Goes on at once. A value that is read there is still not known before. */
function passingAt(instruction: Instruction, pc: number): Instruction {
  const { at } = instruction;
  const target = 'target' in instruction ? instruction.target : undefined;
  if (target?.kind === 'local') {
    return { op: 'set', target, value: { kind: 'const', value: 0 }, at };
  }
  // A wmb() behind it still waits for it, and so does what stands behind that (M8).
  const mark = instruction.op === 'store' ? { stored: true as const } : {};
  return { op: 'jump', to: pc + 1, ...mark, at };
}

function standingAt(instruction: Instruction): Instruction {
  const { at } = instruction;
  const target = 'target' in instruction ? instruction.target : undefined;
  const call = { op: 'call' as const, operation: stub, args: [], options: {}, sync: false, at };
  return target === undefined ? call : { ...call, target };
}
