/** Expressions of a lowered scenario: free of memory accesses, so plain arithmetic on values. */
import { ScenarioError } from '../kernel/args.js';
import type { Value } from '../kernel/value.js';
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
    case 'unary': {
      const value = number(evaluate(expr.operand, env));
      if (expr.operator === '!') return value === 0 ? 1 : 0;
      return expr.operator === '~' ? ~value >>> 0 : -value >>> 0;
    }
    case 'offset': {
      const pointer = evaluate(expr.pointer, env);
      const bytes = number(evaluate(expr.bytes, env)) | 0;
      if (typeof pointer === 'number') return pointer + bytes;
      return pointer.kind === 'ptr' ? { ...pointer, offset: pointer.offset + bytes } : pointer;
    }
    case 'binary':
      return binary(expr.operator, evaluate(expr.left, env), evaluate(expr.right, env), expr.wrap);
  }
}

function number(value: Value): number {
  return typeof value === 'number' ? value : 1;
}

function sameValue(a: Value, b: Value): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function binary(operator: BinaryOperator, left: Value, right: Value, wrap: 32 | 64): Value {
  if (operator === '==') return sameValue(left, right) ? 1 : 0;
  if (operator === '!=') return sameValue(left, right) ? 0 : 1;
  const a = number(left);
  const b = number(right);
  switch (operator) {
    case '<':
      return a < b ? 1 : 0;
    case '<=':
      return a <= b ? 1 : 0;
    case '>':
      return a > b ? 1 : 0;
    case '>=':
      return a >= b ? 1 : 0;
    case '&&':
      return a !== 0 && b !== 0 ? 1 : 0;
    case '||':
      return a !== 0 || b !== 0 ? 1 : 0;
    default:
      return wrap === 32 ? wrap32(operator, a, b) : wide(operator, a, b);
  }
}

function wrap32(operator: BinaryOperator, a: number, b: number): number {
  return Number(BigInt.asUintN(32, big(operator, BigInt(a), BigInt(b))));
}

function wide(operator: BinaryOperator, a: number, b: number): number {
  return Number(BigInt.asUintN(64, big(operator, BigInt(a), BigInt(b))));
}

function big(operator: BinaryOperator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0n ? 0n : a / b;
    case '%':
      return b === 0n ? 0n : a % b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
      return a << b;
    default:
      return a >> b;
  }
}
