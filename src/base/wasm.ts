/**
 * WebAssembly instructions as bytes: an assembler for functions on 32-bit integers that share one
 * imported memory, and the way to load what it made. Source of the encoding: WebAssembly Core
 * Specification 2.0, section 5 (binary format).
 * Leaves out: floating point, tables, globals; 64-bit integers but for what a wide load needs.
 */
export type Code = readonly number[];
/** A number stands for the constant. */
export type Operand = Code | number;

const none: number[] = [];
/** One after the other. Not by `...`, which takes ten times as long: modules are made at start. */
export const join = (...parts: Code[]): Code => none.concat(...parts);

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

export const int = (n: number): Code => join([0x41], signed(n | 0));
const code = (value: Operand): Code => (typeof value === 'number' ? int(value) : value);

/** So many codes. */
type Codes<N extends number, Made extends readonly Code[] = readonly []> = Made['length'] extends N
  ? Made
  : Codes<N, readonly [...Made, Code]>;

/** `count` parameters and locals, in the order of the function's, as the code that reads them. */
export function locals<N extends number>(count: N): Codes<N>;
export function locals(count: number): readonly Code[] {
  return Array.from({ length: count }, (_, index) => [0x20, ...unsigned(index)]);
}
/** Gives one of `locals` a value. */
export const set = (local: Code, value: Operand): Code => join(code(value), [0x21], local.slice(1));

const binary =
  (opcode: number) =>
  (a: Operand, b: Operand): Code =>
    join(code(a), code(b), [opcode]);

// Signed, but for those called below and above.
export const equal = binary(0x46);
export const differ = binary(0x47);
export const less = binary(0x48);
export const below = binary(0x49);
export const greater = binary(0x4a);
export const above = binary(0x4b);
export const atLeast = binary(0x4e);
export const isZero = (a: Operand): Code => join(code(a), [0x45]);
export const leadingZeros = (a: Operand): Code => join(code(a), [0x67]);
export const add = binary(0x6a);
export const subtract = binary(0x6b);
export const multiply = binary(0x6c);
export const and = binary(0x71);
export const or = binary(0x72);
export const xor = binary(0x73);
export const left = binary(0x74);
/** Fills with zeros. */
export const right = binary(0x76);

const reading =
  (opcode: number) =>
  (address: Operand, offset = 0): Code =>
    join(code(address), [opcode, 0], unsigned(offset));
const writing =
  (opcode: number) =>
  (address: Operand, value: Operand, offset = 0): Code =>
    join(code(address), code(value), [opcode, 0], unsigned(offset));

/** The little-endian word at a byte address plus a constant; it need not be aligned. */
export const load = reading(0x28);
export const load8 = reading(0x2d);
export const load16 = reading(0x2f);
export const store = writing(0x36);
export const store8 = writing(0x3a);
export const store16 = writing(0x3b);
/** Copies eight bytes. */
export const copy8 = (to: Code, from: Code): Code => join(to, from, [0x29, 0, 0, 0x37, 0, 0]);
/** The low 32 bits of the eight bytes at `address`, shifted right by `count`, less than 64. */
export const loadShifted = (address: Operand, count: Operand): Code =>
  join(code(address), [0x29, 0, 0], code(count), [0xad, 0x88, 0xa7]);
/** Copies or fills `count` bytes, for many at once; a copy may overlap. */
export const copyMany = (to: Operand, from: Operand, count: Operand): Code =>
  join(code(to), code(from), code(count), [0xfc, 10, 0, 0]);
export const fillMany = (to: Operand, byte: Operand, count: Operand): Code =>
  join(code(to), code(byte), code(count), [0xfc, 11, 0]);

/** `a` when the condition is not 0, else `b`; both are computed. */
export const choose = (a: Operand, b: Operand, condition: Code): Code =>
  join(code(a), code(b), condition, [0x1b]);

export const when = (condition: Code, ...body: Code[]): Code =>
  join(condition, [0x04, 0x40], ...body, [0x0b]);
export const whenElse = (condition: Code, then: Code, otherwise: Code): Code =>
  join(condition, [0x04, 0x40], then, [0x05], otherwise, [0x0b]);

/** Leaves so many enclosing constructs: an `asLongAs` counts two, a `when` one. */
export const leave = (depth: number): Code => [0x0c, depth];
export const trap: Code = [0x00];
export const giveBack = (value: Operand): Code => join(code(value), [0x0f]);

export const asLongAs = (condition: Code, ...body: Code[]): Code =>
  join([0x02, 0x40, 0x03, 0x40], condition, [0x45, 0x0d, 1], ...body, [0x0c, 0, 0x0b, 0x0b]);
/** Like `asLongAs`, with the condition after the body. */
export const again = (body: Code, condition: Code): Code =>
  join([0x03, 0x40], body, condition, [0x0d, 0, 0x0b]);

/** Calls a function of the module by its place in the list. */
export const call = (index: number, ...args: Operand[]): Code =>
  join(...args.map(code), [0x10], unsigned(index));

/** A function: so many parameters, then so many locals; with a result, `giveBack` ends it. */
export interface Routine {
  readonly parameters: number;
  readonly locals: number;
  readonly result: boolean;
  readonly body: Code;
}

function section(id: number, content: Code): Code {
  return join([id], unsigned(content.length), content);
}

function list(items: readonly Code[]): Code {
  return join(unsigned(items.length), ...items);
}

const name = (text: string): Code => [
  ...unsigned(text.length),
  ...[...text].map((c) => c.charCodeAt(0)),
];

function bodyOf({ locals: count, result, body }: Routine): Code {
  // What follows a routine that always gives back cannot be reached.
  const whole = join([1], unsigned(count), [0x7f], body, result ? trap : [], [0x0b]);
  return join(unsigned(whole.length), whole);
}

/** A module on memory `env.memory`; the last function is exported as `run`. */
function moduleOf(routines: readonly Routine[]): Uint8Array<ArrayBuffer> {
  const types = routines.map(({ parameters, result }) => [
    ...[0x60, parameters, ...new Array<number>(parameters).fill(0x7f)],
    ...(result ? [1, 0x7f] : [0]),
  ]);
  return new Uint8Array(
    join(
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, list(types)),
      section(2, join([1], name('env'), name('memory'), [2, 0, 0])),
      section(3, list(routines.map((_, index) => unsigned(index)))),
      section(7, join([1], name('run'), [0], unsigned(routines.length - 1))),
      section(10, list(routines.map(bodyOf))),
    ),
  );
}

/**
 * Memory of a module. Where one is too small, make another: growing detaches its buffer, and once
 * any buffer was detached V8 checks for that at every access to every typed array.
 */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
const pageBytes = 65536;

export type Run = (...args: number[]) => number | undefined;

/** What is used of the WebAssembly object, which no library in use here declares. */
interface Api {
  readonly Memory: new (size: { initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

function isApi(value: unknown): value is Api {
  return typeof value === 'object' && value !== null && 'Memory' in value && 'Module' in value;
}

function api(): Api {
  const found: unknown = Reflect.get(globalThis, 'WebAssembly');
  if (!isApi(found)) throw new Error('there is no WebAssembly here');
  return found;
}

function isRun(value: unknown): value is Run {
  return typeof value === 'function';
}

/** Throws where there is no WebAssembly, as a page's security policy can forbid it. */
export function compileModule(routines: readonly Routine[]): object {
  return new (api().Module)(moduleOf(routines));
}

export function makeMemory(bytes: number): WasmMemory {
  return new (api().Memory)({ initial: Math.ceil(bytes / pageBytes) });
}

/** The module's `run` on this memory. */
export function instantiate(module: object, memory: WasmMemory): Run {
  const { run } = new (api().Instance)(module, { env: { memory } }).exports;
  if (!isRun(run)) throw new Error('the module has no function run');
  return run;
}
