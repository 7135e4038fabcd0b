/**
 * Decides which reads synchronise (model.md §1): READ_ONCE and acquire as written, and every read
 * whose value reaches a condition of its thread. The flow through locals is followed without
 * regard to order, so that a value a loop carries round is found too.
 */
import { inputsOf, localsOf } from './code-writer.js';
import type { Expr, Instruction } from './program.js';

export function markSyncReads(code: readonly Instruction[]): readonly Instruction[] {
  const decisive = localsReachingConditions(code);
  return code.map((instruction): Instruction => {
    const { op } = instruction;
    if (op === 'load') {
      return { ...instruction, sync: instruction.sync || isDecisive(instruction.target) };
    }
    if (op !== 'call') return instruction;
    const { operation, target } = instruction;
    const reaches = operation.reads === true && target !== undefined && isDecisive(target);
    return { ...instruction, sync: reaches || operation.name.endsWith('_sync') };
  });

  function isDecisive(target: { readonly kind: string; readonly index: number }): boolean {
    return target.kind === 'local' && decisive.has(target.index);
  }
}

function localsReachingConditions(code: readonly Instruction[]): ReadonlySet<number> {
  const decisive = new Set<number>();
  for (const instruction of code) {
    if (instruction.op === 'branch') addAll(decisive, localsOf(instruction.condition));
    for (const input of inputsOf(instruction)) addLogicOperands(decisive, input);
  }
  for (let size = -1; size !== decisive.size; ) {
    size = decisive.size;
    for (const instruction of code) {
      if (instruction.op !== 'set' || instruction.target.kind !== 'local') continue;
      if (decisive.has(instruction.target.index)) addAll(decisive, localsOf(instruction.value));
    }
  }
  return decisive;
}

/** `a && b` decides on a and b, also where it is computed without a branch. */
function addLogicOperands(decisive: Set<number>, expr: Expr): void {
  switch (expr.kind) {
    case 'binary':
      if (expr.operator === '&&' || expr.operator === '||') addAll(decisive, localsOf(expr));
      addLogicOperands(decisive, expr.left);
      addLogicOperands(decisive, expr.right);
      break;
    case 'unary':
      addLogicOperands(decisive, expr.operand);
      break;
    case 'offset':
      addLogicOperands(decisive, expr.pointer);
      addLogicOperands(decisive, expr.bytes);
      break;
    default:
  }
}

function addAll(set: Set<number>, values: readonly number[]): void {
  for (const value of values) set.add(value);
}
