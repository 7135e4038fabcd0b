/** Values of options: checked where they come in, with a message that says what is right. */
import { InvalidArgumentError } from 'commander';

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
