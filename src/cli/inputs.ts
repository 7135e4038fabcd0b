/**
 * From the paths on the command line to the texts to work on. A folder stands for every
 * *.litmus file under it, or what else a verb reads; `-` is standard input. A path that cannot be
 * used becomes a problem of its own, so that the other paths are still worked on.
 */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize, relative } from 'node:path';
import { InputError, reasonOf } from './errors.js';

export interface Input {
  /** As it is shown: relative to the working directory where that is shorter. */
  readonly file: string;
  readonly text: string;
}

export interface Problem {
  readonly file: string;
  readonly message: string;
}

export interface Inputs {
  readonly inputs: readonly Input[];
  readonly problems: readonly Problem[];
}

export const stdinName = '<stdin>';
/** What a folder is searched for; a file that is named may be called anything. */
const scenarioEnds: readonly string[] = ['.litmus'];
/** A scenario is a page of text; anything far above that was given by mistake. */
const sizeMaxBytes = 1 << 20;

function isOneOf(name: string, ends: readonly string[]): boolean {
  return ends.some((end) => name.endsWith(end));
}

function filesUnder(folder: string, ends: readonly string[]): string[] {
  const found: string[] = [];
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    if (item.name.startsWith('.') || item.name === 'node_modules') continue;
    const path = join(folder, item.name);
    if (item.isDirectory()) found.push(...filesUnder(path, ends));
    else if (isOneOf(item.name, ends) && statSync(path).isFile()) found.push(path);
  }
  // Plain code-unit order: the same on every machine, whatever its locale.
  return found.sort();
}

function shown(path: string): string {
  if (!isAbsolute(path)) return normalize(path);
  const near = relative(process.cwd(), path);
  return near.startsWith('..') || isAbsolute(near) ? path : near;
}

/** `.litmus`; `.litmus, .design or .usecase`. */
function inWords(ends: readonly string[]): string {
  const last = ends[ends.length - 1] ?? '';
  return ends.length < 2 ? last : `${ends.slice(0, -1).join(', ')} or ${last}`;
}

/** Files the paths stand for, each once, in the order given. */
function expand(path: string, ends: readonly string[]): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const found = filesUnder(path, ends);
  if (found.length === 0) throw new InputError(`no ${inWords(ends)} file in this directory`);
  return found;
}

function decode(bytes: Uint8Array): string {
  if (bytes.byteLength > sizeMaxBytes) {
    throw new InputError(`too large for a scenario (${bytes.byteLength} bytes)`);
  }
  if (bytes.includes(0)) throw new InputError('a binary file, not a scenario');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError('not UTF-8 text');
  }
}

function readText(path: string): string {
  if (path === '-') return decode(readFileSync(0));
  const { size } = statSync(path);
  if (size > sizeMaxBytes) throw new InputError(`too large for a scenario (${size} bytes)`);
  return decode(readFileSync(path));
}

export function readInputs(paths: readonly string[], ends = scenarioEnds): Inputs {
  const inputs: Input[] = [];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const attempt = (file: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      problems.push({ file, message: reasonOf(error) });
    }
  };
  for (const path of paths) {
    attempt(path, () => {
      for (const file of path === '-' ? ['-'] : expand(path, ends)) {
        const identity = file === '-' ? file : realpathSync(file);
        if (seen.has(identity)) continue;
        seen.add(identity);
        const name = file === '-' ? stdinName : shown(file);
        attempt(name, () => inputs.push({ file: name, text: readText(file) }));
      }
    });
  }
  return { inputs, problems };
}

/** The one scenario that a verb works on; throws InputError, in that verb's name. */
export function oneInput(verb: string, path: string | undefined): Input {
  if (path === undefined) throw new InputError(`${verb}: name a FILE, or '-' for stdin`);
  const { inputs, problems } = readInputs([path]);
  const [problem] = problems;
  if (problem !== undefined) throw new InputError(`${problem.file}: ${problem.message}`);
  const [input] = inputs;
  if (inputs.length !== 1 || input === undefined) {
    throw new InputError(`${verb}: ${path} is a folder; name one FILE`);
  }
  return input;
}
