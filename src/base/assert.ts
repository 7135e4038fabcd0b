/**
 * Checks of our own reasoning: when one fires, the program is wrong, not its input.
 * Leaves out: everything about inputs, which are judged by diagnostics/.
 */

/** In the `default` of an exhaustive switch: a new case becomes a type error there. */
export function assertNever(value: never, what = 'case'): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`);
}

/** States what must hold here, for the reader and the type checker both. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
