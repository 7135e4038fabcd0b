/**
 * Which data lines the scenario does the same to: their projections have the same program, read
 * with places inside the line instead of places in the buffer. One of them stands for all.
 * Leaves out: lines of different pages, and groups of several lines; they stand for themselves.
 */
import type { Operated } from '../kernel/recorder.js';
import type { Instruction, Program } from '../litmus/program.js';
import { Sites } from '../system/sites.js';
import type { Analysis, DataLine } from './analysis.js';
import { IdleText } from './idle-text.js';
import { isHelper, isSingle, type Roles } from './roles.js';
import { labelOf } from './stubs.js';
import type { Named } from './words.js';

/** From here on numbers are secrets (kernel/values.ts), which are no number like another. */
const FIRST_SECRET = 0x5ec00000;

/** Half-open byte ranges of one buffer meet. */
function meets(range: { buffer: number; from: number; size: number }, line: DataLine): boolean {
  return (
    range.buffer === line.buffer && range.from < line.to && line.from < range.from + range.size
  );
}

/** Groups that stand for each other, the first of each first. */
export function equalGroups(
  program: Program,
  analysis: Analysis,
  roles: Roles,
): readonly (readonly (readonly DataLine[])[])[] {
  const classes = new Map<string, (readonly DataLine[])[]>();
  const signatures = new Signatures(program, analysis, roles);
  analysis.groups.forEach((group, i) => {
    const [line] = group;
    const alone = group.length > 1 || line === undefined || i === analysis.speaking;
    const text = alone ? `group ${i}` : signatures.of(line);
    const known = classes.get(text);
    if (known === undefined) classes.set(text, [group]);
    else known.push(group);
  });
  return [...classes.values()];
}

/**
 * The programs of projections, as texts. Nearly all of a program does nothing to a line: that part
 * is the same text for every line and made once; a line's own text is put together from stretches
 * of it, and from the few instructions that do something to the line.
 */
class Signatures {
  private readonly sites: Sites;
  private readonly idle: readonly IdleText[];
  private readonly cuts = new Map<number, readonly number[]>();

  constructor(
    program: Program,
    private readonly analysis: Analysis,
    private readonly roles: Roles,
  ) {
    this.sites = Sites.of(program);
    const idle = roles.on([]);
    this.idle = this.sites.threads.map((code, thread) => {
      return new IdleText(code.code.length, (pc) => {
        const instruction = code.code[pc];
        if (instruction === undefined) return null;
        const site = this.sites.of(thread, pc);
        const label = labelOf(code, instruction, idle[site] ?? 'kept');
        if (label === 'gone') return null;
        const about = { analysis, line: null, renames: null };
        const text = label === 'stub' ? 'stub' : describe(instruction, site, pc, about);
        return { label, text: text === '' ? '' : `${thread} ${text}\n` };
      });
    });
  }

  /** Equal texts: the scenario does the same to both lines. */
  of(line: DataLine): string {
    const { analysis, sites } = this;
    const about = { analysis, line, renames: analysis.rangeWrites ? null : new Map() };
    const own = this.roles.about(line);
    let text = `${this.place(line)}\n`;
    let next = 0;
    sites.threads.forEach((code, thread) => {
      const idle = this.idle[thread];
      let from = 0;
      for (; ; next++) {
        const at = sites.at(own[next] ?? -1);
        if (at?.thread !== thread) break;
        text += idle?.between(from, at.pc) ?? '';
        const done = describe(at.instruction, sites.of(thread, at.pc), at.pc, about);
        if (done !== '') text += `${thread} ${done}\n`;
        from = at.pc + 1;
      }
      text += idle?.between(from, code.code.length) ?? '';
    });
    return text;
  }

  private place(line: DataLine): string {
    let cuts = this.cuts.get(line.buffer);
    if (cuts === undefined) {
      cuts = this.analysis.layout.mappedCuts(line.buffer);
      this.cuts.set(line.buffer, cuts);
    }
    const words = line.words.map(({ byte, size }) => `${byte - line.from}+${size}`);
    // Which mappings the line is in, and where their ends cut it.
    const before = cuts.filter((byte) => byte <= line.from).length;
    const inside = cuts.filter((byte) => line.from < byte && byte < line.to);
    const at = inside.map((byte) => byte - line.from);
    return `${line.buffer} ${line.page}: ${words.join()}; ${before}, ${at.join()}`;
  }
}

interface About {
  readonly analysis: Analysis;
  /** Null: a line to which the instruction does nothing. */
  readonly line: DataLine | null;
  readonly renames: Map<number, number> | null;
}

const NO_WORDS: readonly Named[] = [];
const NO_RANGES: readonly Operated[] = [];

function describe(instruction: Instruction, site: number, pc: number, about: About): string {
  const { analysis, line } = about;
  if (isPassing(instruction, pc)) return '';
  const at = `${instruction.at.line}:${instruction.at.column}`;
  const found = analysis.sites.get(site);
  const all = found?.words ?? NO_WORDS;
  const places: number[] = [];
  if (line !== null) {
    for (const word of all) if (within(word, line)) places.push(word.byte - line.from);
  }
  if (places.length > 0 && isSingle(instruction)) {
    const only = found?.keys.length === 1 ? '' : pc;
    return `${shapeOf(instruction)} ${only} ${at} ${places.join()} ${stored(instruction, about)}`;
  }
  const ranges = analysis.operated.get(site) ?? NO_RANGES;
  const near = ranges.map((range) =>
    line !== null && meets(range, line)
      ? [range.op, Math.max(range.from - line.from, 0), cut(range.from + range.size, line)]
      : [],
  );
  if (isHelper(instruction) && instruction.op === 'call') {
    if (line === null || !ranges.some((range) => meets(range, line))) {
      return `dsb ${instruction.operation.name}`;
    }
    const only = ranges.every(
      (range) => line.from <= range.from && range.from + range.size <= line.to,
    );
    return `${only ? at : `${at} ${pc}`} ${instruction.operation.name} ${JSON.stringify(near)}`;
  }
  // A range goes over the line's words: which, and whether it goes over others before.
  const before = (word: Named): boolean =>
    line !== null && word.buffer === line.buffer && word.byte < line.from;
  const first = places.length > 0 && !all.some(before);
  return `${pc} ${textOf(near)} ${places.join()} ${first}`;
}

/** As JSON, which is slow for what is nearly always empty. */
function textOf(what: object): string {
  for (const _ in what) return JSON.stringify(what);
  return '';
}

function cut(end: number, line: DataLine): number {
  return Math.min(end, line.to) - line.from;
}

function within(word: Named, line: DataLine): boolean {
  return word.buffer === line.buffer && line.from <= word.byte && word.byte < line.to;
}

/** What an access is, but for its place and the value it stores. */
function shapeOf(instruction: Instruction): string {
  const target = 'target' in instruction ? instruction.target : undefined;
  const into = target === undefined ? '' : `${target.kind} ${target.index}`;
  switch (instruction.op) {
    case 'load':
      return `load ${instruction.size} ${instruction.sync} ${into}`;
    case 'call': {
      const { operation, options, sync } = instruction;
      return `${operation.name} ${textOf(options)} ${sync} ${into}`;
    }
    default:
      return `${instruction.op} ${instruction.op === 'store' ? instruction.size : ''}`;
  }
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
function stored(instruction: Instruction, { renames }: About): string {
  const last = instruction.op === 'call' ? instruction.args.at(-1) : undefined;
  const value = instruction.op === 'store' ? instruction.value : last;
  const expr = value !== undefined && value.kind === 'value' ? value.value : value;
  if (instruction.op === 'load') return '';
  if (instruction.op === 'call' && instruction.operation.name === 'dma_read') return '';
  const number = expr !== undefined && expr.kind === 'const' ? expr.value : -1;
  if (renames === null || number <= 0 || number >= FIRST_SECRET) {
    return JSON.stringify(expr) ?? '';
  }
  const known = renames.get(number) ?? renames.size + 1;
  renames.set(number, known);
  return `value ${known}`;
}
