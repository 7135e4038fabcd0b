/** Expressions of a lowered scenario: free of memory accesses, so plain arithmetic on values. */
import { ScenarioError } from '../kernel/args.js';
import { isNumber, type Value } from '../kernel/value.js';
import { foldBinary, foldUnary } from '../litmus/arithmetic.js';
import type { BinaryOperator, Expr } from '../litmus/program.js';

export interface Environment {
  readonly locals: readonly Value[];
  readonly handles: readonly (Value | null)[];
  readonly handleNames: readonly string[];
  readonly site: number;
}

export function evaluate(expr: Expr, env: Environment): Value {
  switch (expr.kind) {
    case 'const':
      return expr.value;
    case 'local':
      return env.locals[expr.index] ?? 0;
    case 'handle': {
      const value = env.handles[expr.index];
      if (value === null || value === undefined) {
        const name = env.handleNames[expr.index] ?? '?';
        throw new ScenarioError(`'${name}' has no value yet when this is reached`, env.site);
      }
      return value;
    }
    case 'device':
      return { kind: 'device', id: expr.index };
    case 'unary':
      // What wraps at 32 bits was lowered to a binary operation.
      return foldUnary(expr.operator, 64, number(evaluate(expr.operand, env)));
    case 'offset': {
      const pointer = evaluate(expr.pointer, env);
      const bytes = distance(expr.bytes, env);
      if (isNumber(pointer)) return pointer + bytes;
      return pointer.kind === 'ptr' ? { ...pointer, offset: pointer.offset + bytes } : pointer;
    }
    case 'binary':
      return binary(expr.operator, evaluate(expr.left, env), evaluate(expr.right, env), expr.wrap);
  }
}

function number(value: Value): number {
  return isNumber(value) ? value : 1;
}

function sameValue(a: Value, b: Value): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function binary(operator: BinaryOperator, left: Value, right: Value, wrap: 32 | 64): Value {
  if (operator === '==') return sameValue(left, right) ? 1 : 0;
  if (operator === '!=') return sameValue(left, right) ? 0 : 1;
  return foldBinary(operator, wrap, number(left), number(right));
}

/** Bytes added to a pointer: `p - x` is kept as a negated expression, never as 2^64 - x. */
function distance(expr: Expr, env: Environment): number {
  if (expr.kind === 'unary' && expr.operator === '-') return -number(evaluate(expr.operand, env));
  return number(evaluate(expr, env)) | 0;
}
