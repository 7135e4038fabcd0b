/**
 * Which data lines the scenario does the same to: their projections have the same program, read
 * with places inside the line instead of places in the buffer. One of them stands for all.
 * Leaves out: lines of different pages, and groups of several lines; they stand for themselves.
 */
import type { Instruction, Program } from '../litmus/program.js';
import { Sites } from '../system/sites.js';
import type { Analysis, DataLine, Named } from './analysis.js';
import { isStub, type Role, withStubs } from './stubs.js';

/** Helpers that maintain a range and complete it, and do nothing else. */
const HELPERS: readonly string[] = [
  'dcache_clean_poc',
  'dcache_inval_poc',
  'dcache_clean_inval_poc',
];

/** From here on numbers are secrets (kernel/values.ts), which are no number like another. */
const FIRST_SECRET = 0x5ec00000;

/** Half-open byte ranges of one buffer meet. */
function meets(range: { buffer: number; from: number; size: number }, line: DataLine): boolean {
  return (
    range.buffer === line.buffer && range.from < line.to && line.from < range.from + range.size
  );
}

/** What each site does in the projection on a group of lines. */
export function rolesFor(
  program: Program,
  analysis: Analysis,
  group: readonly DataLine[],
): (site: number) => Role {
  const sites = new Sites(program);
  const shown = new Set(group.map(({ key }) => key));
  return (site) => {
    const instruction = sites.at(site)?.instruction;
    if (instruction === undefined) return 'kept';
    const found = analysis.sites.get(site);
    if (found !== undefined && isSingle(instruction)) {
      return found.quiet && !found.keys.some((key) => shown.has(key)) ? 'hidden' : 'kept';
    }
    const lines = analysis.maintained.get(site);
    if (lines === undefined || !isHelper(instruction)) return 'kept';
    return lines.length > 0 && !lines.some((key) => shown.has(key)) ? 'dsb' : 'kept';
  };
}

function isHelper(instruction: Instruction): boolean {
  return instruction.op === 'call' && HELPERS.includes(instruction.operation.name);
}

/** It accesses one word, and does nothing else. */
function isSingle(instruction: Instruction): boolean {
  if (instruction.op === 'load' || instruction.op === 'store') return true;
  if (instruction.op !== 'call') return false;
  return ['dma_read', 'dma_write'].includes(instruction.operation.name);
}

/** Groups that stand for each other, the first of each first. */
export function equalGroups(
  program: Program,
  analysis: Analysis,
): readonly (readonly (readonly DataLine[])[])[] {
  const classes = new Map<string, (readonly DataLine[])[]>();
  const renames = analysis.rangeWrites ? null : new Map<number, number>();
  analysis.groups.forEach((group, i) => {
    const [line] = group;
    const alone = group.length > 1 || line === undefined || i === analysis.speaking;
    renames?.clear();
    const text = alone ? `group ${i}` : signature(program, analysis, line, renames);
    classes.set(text, [...(classes.get(text) ?? []), group]);
  });
  return [...classes.values()];
}

function signature(
  program: Program,
  analysis: Analysis,
  line: DataLine,
  renames: Map<number, number> | null,
): string {
  const projected = withStubs(program, rolesFor(program, analysis, [line]));
  const sites = new Sites(projected);
  const words = line.words.map(({ byte, size }) => [byte - line.from, size]);
  const cuts = analysis.layout.mappedCuts(line.buffer);
  const texts: string[] = [
    JSON.stringify({
      words,
      buffer: line.buffer,
      page: line.page,
      // Which mappings the line is in, and where their ends cut it.
      before: cuts.filter((byte) => byte <= line.from).length,
      inside: cuts.filter((byte) => line.from < byte && byte < line.to).map((b) => b - line.from),
    }),
  ];
  sites.threads.forEach(({ code }, thread) => {
    code.forEach((instruction, pc) => {
      const text = describe(instruction, sites.of(thread, pc), pc, { analysis, line, renames });
      if (text !== '') texts.push(`${thread} ${text}`);
    });
  });
  return texts.join('\n');
}

interface About {
  readonly analysis: Analysis;
  readonly line: DataLine;
  readonly renames: Map<number, number> | null;
}

function describe(instruction: Instruction, site: number, pc: number, about: About): string {
  const { analysis, line } = about;
  if (isStub(instruction)) return 'stub';
  if (isPassing(instruction, pc)) return '';
  const at = `${instruction.at.line}:${instruction.at.column}`;
  const mine = (analysis.sites.get(site)?.words ?? []).filter((word) => within(word, line));
  if (isSingle(instruction) && mine.length > 0) {
    const { address: _a, args: _b, at: _c, ...rest } = { address: 0, args: 0, ...instruction };
    const places = mine.map(({ byte }) => byte - line.from);
    const only = analysis.sites.get(site)?.keys.length === 1 ? '' : pc;
    return JSON.stringify({
      ...rest,
      operation: only,
      at,
      places,
      stored: stored(instruction, about),
    });
  }
  const ranges = analysis.operated.get(site) ?? [];
  const near = ranges.map((range) =>
    meets(range, line)
      ? [range.op, Math.max(range.from - line.from, 0), cut(range.from + range.size, line)]
      : [],
  );
  if (isHelper(instruction) && instruction.op === 'call') {
    const touches = ranges.some((range) => meets(range, line));
    if (!touches) return `dsb ${instruction.operation.name}`;
    const only = ranges.every(
      (range) => line.from <= range.from && range.from + range.size <= line.to,
    );
    return `${only ? at : `${at} ${pc}`} ${instruction.operation.name} ${JSON.stringify(near)}`;
  }
  // A range goes over the line's words: which, and whether it goes over others before.
  const all = analysis.sites.get(site)?.words ?? [];
  const first = !all.some((word) => word.buffer === line.buffer && word.byte < line.from);
  const places = mine.map(({ byte }) => byte - line.from);
  return `${pc} ${JSON.stringify(near)} ${JSON.stringify(places)} ${places.length > 0 && first}`;
}

function cut(end: number, line: DataLine): number {
  return Math.min(end, line.to) - line.from;
}

function within(word: Named, line: DataLine): boolean {
  return word.buffer === line.buffer && line.from <= word.byte && word.byte < line.to;
}

/** It was taken out: a jump to the next place, or a value nobody sees. */
function isPassing(instruction: Instruction, pc: number): boolean {
  if (instruction.op === 'jump') return instruction.to === pc + 1;
  return (
    instruction.op === 'set' &&
    instruction.target.kind === 'local' &&
    instruction.value.kind === 'const' &&
    instruction.value.value === 0
  );
}

/**
 * What a store stores. Numbers are told apart only by whether they are equal, so that the first
 * one that a line gets is the first whatever it is; not where a range is written too.
 */
function stored(instruction: Instruction, { renames }: About): unknown {
  const last = instruction.op === 'call' ? instruction.args.at(-1) : undefined;
  const value = instruction.op === 'store' ? instruction.value : last;
  const expr = value !== undefined && value.kind === 'value' ? value.value : value;
  if (instruction.op === 'load') return null;
  if (instruction.op === 'call' && instruction.operation.name === 'dma_read') return null;
  const number = expr !== undefined && expr.kind === 'const' ? expr.value : -1;
  if (renames === null || number <= 0 || number >= FIRST_SECRET) return expr;
  const known = renames.get(number) ?? renames.size + 1;
  renames.set(number, known);
  return `value ${known}`;
}
