/**
 * A few WebAssembly instructions as bytes, enough to write one function that works on 32-bit
 * integers in an imported memory. Source of the encoding: WebAssembly Core Specification 1.0,
 * section 5 (binary format).
 * Leaves out: every other type, calls, tables.
 */
export type Code = readonly number[];

/** Unsigned LEB128. */
function unsigned(n: number): number[] {
  const low = n & 0x7f;
  return n < 0x80 ? [low] : [low | 0x80, ...unsigned(n >>> 7)];
}

/** Signed LEB128 of a 32-bit integer. */
function signed(n: number): number[] {
  const low = n & 0x7f;
  const rest = n >> 7;
  const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return done ? [low] : [low | 0x80, ...signed(rest)];
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const int = (n: number): Code => [0x41, ...signed(n | 0)];

const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, opcode];

export const equal = binary(0x46);
export const less = binary(0x49);
export const atLeast0 = (a: Code): Code => [...a, ...int(0), 0x4e];
export const isZero = (a: Code): Code => [...a, 0x45];
export const add = binary(0x6a);
export const multiply = binary(0x6c);
export const and = binary(0x71);
export const or = binary(0x72);
export const xor = binary(0x73);
export const left = binary(0x74);
export const right = binary(0x76);

/** The word at a byte address, plus a constant. */
export const load = (address: Code, offset = 0): Code => [...address, 0x28, 2, ...unsigned(offset)];
export const store = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  0x36,
  2,
  ...unsigned(offset),
];
/** `a` when the condition is not 0, else `b`; both are computed. */
export const choose = (a: Code, b: Code, condition: Code): Code => [...a, ...b, ...condition, 0x1b];

export const when = (condition: Code, ...body: Code[]): Code => [
  ...condition,
  0x04,
  0x40,
  ...body.flat(),
  0x0b,
];

/** Leaves so many enclosing constructs: an `asLongAs` counts two, a `when` one. */
export const leave = (depth: number): Code => [0x0c, depth];
export const trap: Code = [0x00];

export const asLongAs = (condition: Code, ...body: Code[]): Code => [
  ...[0x02, 0x40, 0x03, 0x40],
  ...[...condition, 0x45, 0x0d, 1],
  ...body.flat(),
  ...[0x0c, 0, 0x0b, 0x0b],
];

function section(id: number, content: Code): number[] {
  return [id, ...unsigned(content.length), ...content];
}

const name = (text: string): number[] => [
  ...unsigned(text.length),
  ...[...text].map((c) => c.charCodeAt(0)),
];

/** A module with one function `run`, of one parameter and no result, on memory `env.memory`. */
export function moduleOf(locals: number, body: Code): Uint8Array<ArrayBuffer> {
  const code = [1, ...unsigned(locals), 0x7f, ...body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(2, [1, ...name('env'), ...name('memory'), 2, 0, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}
