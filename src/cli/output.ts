/** Where a report goes, and what that place can show. */
import { closeSync, openSync, realpathSync, writeSync } from 'node:fs';
import { InputError, reasonOf } from './errors.js';

export interface Output {
  readonly color: boolean;
  readonly width: number;
  write(text: string): void;
  close(): void;
}

/** Wide enough for the lanes of a trace, narrow enough for a mail. */
const plainWidth = 110;
const narrowest = 60;

function wantsColor(stream: { isTTY?: boolean }, noColor: boolean): boolean {
  if (noColor || process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR) return process.env.FORCE_COLOR !== '0';
  return stream.isTTY === true && process.env.TERM !== 'dumb';
}

export function stderrColor(noColor: boolean): boolean {
  return wantsColor(process.stderr, noColor);
}

/** A file that is being written, and is no input. */
export interface OutputFile {
  write(data: string | Uint8Array): void;
  close(): void;
}

/** Empties the file at once, so that a path that cannot be written fails before the work. */
export function openFile(path: string, inputs: readonly string[]): OutputFile {
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new InputError(`cannot write ${path}: ${reasonOf(error)}`);
    }
  };
  const fd = attempt(() => {
    // Opening for writing empties the file: never do that to a scenario.
    if (inputs.some((input) => sameFile(input, path))) throw new InputError('it is an input');
    return openSync(path, 'w');
  });
  return {
    write: (data) =>
      attempt(() => {
        const bytes = typeof data === 'string' ? Buffer.from(data) : data;
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      }),
    close: () => attempt(() => closeSync(fd)),
  };
}

function toFile(path: string, inputs: readonly string[]): Output {
  return { color: false, width: plainWidth, ...openFile(path, inputs) };
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** Opens the output before the work, so that a path that cannot be written fails first. */
export function openOutput(options: {
  readonly path?: string | undefined;
  readonly noColor: boolean;
  readonly inputs: readonly string[];
}): Output {
  if (options.path !== undefined) return toFile(options.path, options.inputs);
  return {
    color: wantsColor(process.stdout, options.noColor),
    width: process.stdout.isTTY ? Math.max(narrowest, process.stdout.columns - 1) : plainWidth,
    write: (text) => void process.stdout.write(text),
    close: () => {},
  };
}
