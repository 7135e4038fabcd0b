/**
 * Integer arithmetic of scenarios: unsigned, reduced to 32 or 64 bits. Used to fold constants at
 * compile time, and meant for the engine too, so that both give the same results. A 64-bit value
 * above 2^53 loses its low bits: scenarios have no use for such values.
 */
import type { BinaryOperator, UnaryOperator } from './program.js';

export type Wrap = 32 | 64;

export function foldBinary(
  operator: BinaryOperator,
  wrap: Wrap,
  left: number,
  right: number,
): number {
  switch (operator) {
    case '==':
      return left === right ? 1 : 0;
    case '!=':
      return left !== right ? 1 : 0;
    case '<':
      return left < right ? 1 : 0;
    case '<=':
      return left <= right ? 1 : 0;
    case '>':
      return left > right ? 1 : 0;
    case '>=':
      return left >= right ? 1 : 0;
    case '&&':
      return left !== 0 && right !== 0 ? 1 : 0;
    case '||':
      return left !== 0 || right !== 0 ? 1 : 0;
    case '+':
      return wrapSum(left + right, wrap) ?? wide(operator, wrap, left, right);
    case '-':
      return wrapSum(left - right, wrap) ?? wide(operator, wrap, left, right);
    default:
      return wide(operator, wrap, left, right);
  }
}

export function foldUnary(operator: UnaryOperator, wrap: Wrap, operand: number): number {
  if (operator === '!') return operand === 0 ? 1 : 0;
  return operator === '-' ? foldBinary('-', wrap, 0, operand) : wrapBig(~BigInt(operand), wrap);
}

/** The common case without big integers; undefined where the result does not fit. */
function wrapSum(exact: number, wrap: Wrap): number | undefined {
  if (exact < 0) return undefined;
  if (exact < 2 ** 32) return exact;
  return wrap === 64 && Number.isSafeInteger(exact) ? exact : undefined;
}

function wide(operator: BinaryOperator, wrap: Wrap, left: number, right: number): number {
  const a = BigInt(left);
  const b = BigInt(right);
  switch (operator) {
    case '+':
      return wrapBig(a + b, wrap);
    case '-':
      return wrapBig(a - b, wrap);
    case '*':
      return wrapBig(a * b, wrap);
    // Division by zero gives 0, as arm64's UDIV does; UMOD there is derived and gives the operand.
    case '/':
      return b === 0n ? 0 : wrapBig(a / b, wrap);
    case '%':
      return b === 0n ? left : wrapBig(a % b, wrap);
    case '&':
      return wrapBig(a & b, wrap);
    case '|':
      return wrapBig(a | b, wrap);
    case '^':
      return wrapBig(a ^ b, wrap);
    // A shift by the width or more is undefined in C; arm64 takes the count modulo the width.
    case '<<':
      return wrapBig(a << (b % BigInt(wrap)), wrap);
    case '>>':
      return wrapBig(a >> (b % BigInt(wrap)), wrap);
    default:
      return 0;
  }
}

function wrapBig(value: bigint, wrap: Wrap): number {
  return Number(BigInt.asUintN(wrap, value));
}
