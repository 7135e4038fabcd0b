/** Values of options: checked where they come in, with a message that says what is right. */
import { InvalidArgumentError } from 'commander';
import { InputError } from './errors.js';

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number greater than 0.');
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number greater than 0.');
}

/** A size in bytes from 16 to 1 MiB, as a granule or a page has. */
export function powerOfTwo(text: string): number {
  const value = Number(text);
  const fits = /^\d+$/.test(text) && value >= 16 && value <= 1 << 20;
  if (fits && (value & (value - 1)) === 0) return value;
  throw new InvalidArgumentError('Expected a power of two from 16 to 1048576.');
}

/** `512K`, `8M`, `1G` (bytes; a bare number is KiB, as in tracefs) as KiB, rounded up. */
export function sizeInKb(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = { '': 1, k: 1, m: 1024, g: 1024 * 1024 }[unit.toLowerCase()];
  const value = Number(digits) * (factor ?? Number.NaN);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a size: 512K, 8M, 1G.');
}

/** `--json` and `--format json` of a verb that has no third format. */
export function wantsJson({ json, format }: { json?: boolean; format?: string }): boolean {
  if (json !== true || format === undefined || format === 'json') return json ?? format === 'json';
  throw new InputError(`--json and --format ${format} contradict each other`);
}

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** `--shard i/n`. */
export interface Shard {
  /** From 1 to `of`. */
  readonly part: number;
  readonly of: number;
}

/** More machines than this is a mistake. */
const PARTS_MAX = 10_000;

export function shardOf(text: string): Shard {
  const [, first = '', second = ''] = /^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? [];
  const [part, of] = [Number(first), Number(second)];
  if (first !== '' && part >= 1 && part <= of && of <= PARTS_MAX) return { part, of };
  throw new InvalidArgumentError('Expected i/n, the i-th of n parts: 1/4 to 4/4.');
}
