/**
 * Runs the steps of an override where a function of the kernel calls it: calls change the books
 * and queue the machine's work behind what the calling function has queued, as its own would.
 * Leaves out: memory accesses and calls that wait, which the compiler refuses there (L085).
 */
import { withItem } from '../base/lists.js';
import { fail } from '../kernel/args.js';
import type { KernelContext } from '../kernel/context.js';
import { type OverrideEffect, type Overrides, waits } from '../kernel/overrides.js';
import type { Value } from '../kernel/value.js';
import type { Instruction, OverrideCode, Program, Target } from '../litmus/program.js';
import { evaluate } from './evaluate.js';

/** Steps of one run of an override. */
const STEPS_MAX = 100_000;

export function overridesOf({ overrides, handles }: Program): Overrides {
  return new Map(overrides.map((each) => [each.name, effectOf(each, handles)]));
}

function effectOf(override: OverrideCode, handleNames: readonly string[]): OverrideEffect {
  return (context, args) =>
    context.inOverride(override.name, override.at.line, () =>
      run(context, override, args, handleNames),
    );
}

function run(
  context: KernelContext,
  override: OverrideCode,
  args: readonly Value[],
  handleNames: readonly string[],
): Value {
  const locals: Value[] = override.locals.map(() => 0);
  override.params.forEach((local, index) => {
    locals[local] = args[index] ?? 0;
  });
  let calls = 0;
  let pc = 0;
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const instruction = override.code[pc];
    if (instruction === undefined) {
      if (calls === 0) context.noop('nothing is done');
      return override.result < 0 ? 0 : (locals[override.result] ?? 0);
    }
    if (instruction.op === 'call') calls++;
    pc = step(context, instruction, pc, locals, handleNames);
  }
  return fail(context, `the override of ${override.name} does not end`);
}

/** Takes one instruction; the place of the next. */
function step(
  context: KernelContext,
  instruction: Instruction,
  pc: number,
  locals: Value[],
  handleNames: readonly string[],
): number {
  const { handles } = context.kernel;
  const env = { locals, handles, handleNames, site: context.step.site };
  switch (instruction.op) {
    case 'jump':
      return instruction.to;
    case 'branch':
      return evaluate(instruction.condition, env) === 0 ? instruction.otherwise : pc + 1;
    case 'set':
      assign(context, locals, instruction.target, evaluate(instruction.value, env));
      return pc + 1;
    case 'call': {
      refuseWaiting(context, instruction);
      const args = instruction.args.map((arg) =>
        arg.kind === 'value' ? evaluate(arg.value, env) : 0,
      );
      const before = context.outs.length;
      const { operation, options, target, at } = instruction;
      const value = context.inLine(at.line, options, () => operation.effect(context, args));
      for (const { index, value: out } of context.outs.splice(before)) {
        const arg = instruction.args[index];
        if (arg?.kind === 'out') assign(context, locals, arg.target, out);
      }
      if (target !== undefined) assign(context, locals, target, value);
      return pc + 1;
    }
    default: {
      const place = `the override in line ${instruction.at.line} accesses memory`;
      return fail(context, `${place}, which it cannot inside another function of the kernel`);
    }
  }
}

/** Its effect begins before the work that is queued is done: what it looks at would be too old. */
function refuseWaiting(
  context: KernelContext,
  { operation, at }: Extract<Instruction, { op: 'call' }>,
): void {
  if (!waits(operation)) return;
  const call = `the override in line ${at.line} calls ${operation.name}()`;
  fail(context, `${call}, which it cannot inside another function of the kernel`);
}

function assign(context: KernelContext, locals: Value[], target: Target, value: Value): void {
  if (target.kind === 'local') locals[target.index] = value;
  else context.update({ handles: withItem(context.kernel.handles, target.index, value) });
}
