/**
 * What a scenario does to which lines, recorded while its control is explored: every word is left
 * out but those whose values decide what happens next. What comes out is a list of data lines, what
 * couples them, and the words of control; or the reason why lines cannot be told apart.
 * Leaves out: what happens to the data lines; each is explored with control (docs/reductions.md).
 */
import { explore, type Limits } from '../explore/bfs.js';
import { type Cell, isHidden, type Layout, NewCell } from '../kernel/layout.js';
import type { Operated, Passed, Recorder } from '../kernel/recorder.js';
import type { Program } from '../litmus/program.js';
import { Sites } from '../system/sites.js';
import { System } from '../system/system.js';
import { Control } from './control.js';
import { type Flow, flowOf } from './flow.js';
import { Union } from './union.js';
import { type LineKey, type Named, Words, wordsOf } from './words.js';

export interface DataLine {
  readonly key: LineKey;
  readonly buffer: number;
  /** Page number in the buffer; bytes [from, to) of the buffer. */
  readonly page: number;
  readonly from: number;
  readonly to: number;
  readonly words: readonly Named[];
}

export interface Analysis {
  readonly kind: 'lines';
  readonly control: readonly Named[];
  /** Lines that cannot be told apart from each other are one entry. */
  readonly groups: readonly (readonly DataLine[])[];
  /** Why groups have more than one line. */
  readonly couplings: readonly string[];
  readonly states: number;
  /** What is known of ranges. */
  readonly layout: Layout;
  /** By site: the hidden words it accesses. */
  readonly sites: ReadonlyMap<number, SiteWords>;
  /** By site: the ranges it maintains. */
  readonly operated: ReadonlyMap<number, readonly Operated[]>;
  /** By site: the data lines that its ranges meet. */
  readonly maintained: ReadonlyMap<number, readonly LineKey[]>;
  /** Index of the group that assertions speak of; -1 where they speak of none. */
  readonly speaking: number;
  /** A call writes the same number to many lines. */
  readonly rangeWrites: boolean;
}

export interface SiteWords {
  readonly words: readonly Named[];
  readonly keys: readonly LineKey[];
  /** Each time it was run it accessed a hidden word, and changed nothing on the way. */
  readonly quiet: boolean;
}

/** Why nothing is projected. */
export interface Coupled {
  readonly kind: 'coupled';
  readonly why: string;
  readonly states: number;
}

/** Calls that read a range and give nothing of it to their thread. */
export const RANGE_READS: readonly string[] = ['memcpy', 'memchr_inv', 'dma_read_range'];

const RANGE_WRITES: readonly string[] = ['memset', 'memcpy', 'dma_write_range'];

class CouplesAll extends Error {
  constructor(readonly why: string) {
    super(why);
  }
}

/** The value of a word that was left out turns out to decide something. */
class Decides extends Error {
  constructor(readonly cell: Cell) {
    super('decides');
  }
}

/** Access by access, what an exploration of control met. */
class Watch implements Recorder {
  readonly tracing = false;
  /** By site: the hidden words it accessed. */
  readonly cells = new Map<number, Set<Cell>>();
  readonly operatedAt = new Map<number, Operated[]>();
  /** Sites that did more, or something else, than access hidden words. */
  readonly loud = new Set<number>();
  readonly copied: (readonly [Cell, Cell])[] = [];
  private readonly deciding: Set<number>;

  constructor(
    private readonly flow: Flow,
    private readonly sites: Sites,
    private readonly waiters: number,
  ) {
    this.deciding = new Set(flow.deciding);
  }

  note(): void {}
  mapped(): void {}
  maintained(): void {}

  couples(why: string): void {
    throw new CouplesAll(why);
  }

  waitsForStores(): void {
    if (this.waiters > 1) throw new CouplesAll('a TLB invalidation waits for stores of any line');
  }

  operated(what: Operated): void {
    const known = this.operatedAt.get(what.site);
    if (known === undefined) this.operatedAt.set(what.site, [what]);
    else if (!known.some((each) => isSame(each, what))) known.push(what);
  }

  faulted(site: number): void {
    this.loud.add(site);
  }

  passed({ site, kind, cell, sync, astray, quiet }: Passed): void {
    if (!quiet) this.loud.add(site);
    if (astray) throw new CouplesAll('an access arrives where it was not meant to');
    const cells = this.cells.get(site) ?? new Set<Cell>();
    this.cells.set(site, cells.add(cell));
    if (kind === 'load' && (sync || this.decides(site))) throw new Decides(cell);
  }

  /** A read whose value nobody follows decides, for all that is known. */
  private decides(site: number): boolean {
    if (this.deciding.has(site)) return true;
    const instruction = this.sites.at(site)?.instruction;
    if (instruction?.op !== 'call') return false;
    const { name, reads } = instruction.operation;
    return reads !== true && !RANGE_READS.includes(name);
  }

  /** As a store of what was read: the two lines are one group, or both are control. */
  copies(from: Cell, to: Cell): void {
    if (isHidden(from) && isHidden(to)) this.copied.push([from, to]);
    else if (isHidden(from)) throw new Decides(from);
  }

  /** What is stored to a word of control is control. */
  reached(site: number, kind: 'load' | 'store'): void {
    this.loud.add(site);
    if (kind !== 'store') return;
    for (const read of this.flow.into.get(site) ?? []) {
      this.deciding.add(read);
      const [cell] = this.cells.get(read) ?? [];
      if (cell !== undefined) throw new Decides(cell);
    }
  }
}

export interface AnalysisOptions {
  readonly limits: Limits;
  /** All that any exploration of the scenario may take. */
  readonly liberties: readonly string[];
  /** A range stands for each of its lines; else for as few as tell of all. */
  readonly everyLine: boolean;
  readonly now: () => number;
  readonly tick: (states: number, transitions: number) => boolean;
}

/**
 * Throws what a step throws that makes no sense (ScenarioError, MixedSize). `known`: words that
 * turned up later, in a projection.
 */
export function analyse(
  program: Program,
  options: AnalysisOptions,
  known: readonly Named[],
): Analysis | Coupled {
  const early = whyNot(program);
  if (early !== null) return { kind: 'coupled', why: early, states: 0 };
  const words = new Words(program, options.everyLine);
  for (const word of known) words.add(word);
  const started = options.now();
  const flow = flowOf(program);
  for (let size = -1; ; ) {
    const layout = words.layout();
    const watch = new Watch(flow, Sites.of(program), waiters(program));
    const liberties = new Set(options.liberties);
    const system = new System(program, layout, liberties, watch);
    const control = new Control(system, new System(program, layout, liberties, watch, false));
    try {
      const maxSeconds = options.limits.maxSeconds - (options.now() - started);
      const limits = { ...options.limits, maxSeconds };
      const explored = explore(control, { ...options, limits });
      const states = explored.states + control.passed;
      if (explored.stopped !== null || states > limits.maxStates) {
        return { kind: 'coupled', why: 'its control alone has too many states', states };
      }
      for (const cell of layout.hidden) words.add(words.nameOf(cell));
      if (words.guesses.areWrong(words.list())) continue;
      // Words of a line that decides are shown, also those that turned up in it just now.
      if (layout.hidden.some((cell) => words.isControl(words.nameOf(cell)))) continue;
      // A range goes over the words there are: with those that turned up it is gone over again.
      if (!layout.hasRanges || words.list().length === size)
        return result(program, words, layout, watch, states, flow);
      size = words.list().length;
    } catch (error) {
      if (error instanceof CouplesAll) return { kind: 'coupled', why: error.why, states: 0 };
      if (error instanceof Decides) words.decide(error.cell);
      else if (error instanceof NewCell) {
        for (const word of wordsOf(error)) words.add(word);
        words.guesses.add(error);
      } else throw error;
      for (const cell of layout.hidden) words.add(words.nameOf(cell));
    }
  }
}

/** What shows in the text alone. */
function whyNot(program: Program): string | null {
  // It orders accesses to other lines, and later acquires, only as long as it is there.
  if (hasRelease(program)) return 'a store-release orders lines';
  for (const name of callsOf(program)) {
    if (name.endsWith('_nosync')) return `${name}() leaves maintenance in the store buffer`;
  }
  return null;
}

function hasRelease(program: Program): boolean {
  const codes = Sites.of(program).threads.map(({ code }) => code);
  return codes.some((code) => code.some((each) => each.op === 'store' && each.release === true));
}

/** The names of all operations that are called. */
function callsOf(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { code } of Sites.of(program).threads) {
    for (const each of code) if (each.op === 'call') names.add(each.operation.name);
  }
  return names;
}

/** Agents whose stores a TLB invalidation may have to wait for. */
function waiters(program: Program): number {
  const { devices } = program.machine;
  return program.threads.filter(
    ({ kind, device }) => kind === 'cpu' || devices[device]?.writeBackCache === true,
  ).length;
}

function result(
  program: Program,
  words: Words,
  layout: Layout,
  watch: Watch,
  states: number,
  { into, asserted }: Flow,
): Analysis {
  const lines = new Map<LineKey, Named[]>();
  for (const word of words.list()) {
    if (word.size === 0 || words.isControl(word)) continue;
    const key = words.keyOf(word);
    lines.set(key, [...(lines.get(key) ?? []), word]);
  }
  const keysAt = (site: number): LineKey[] =>
    [...(watch.cells.get(site) ?? [])].map((cell) => words.keyOf(words.nameOf(cell)));
  const union = new Union([...lines.keys()]);
  const couplings: string[] = [];
  for (const [site, reads] of into) {
    const together = [...reads.flatMap(keysAt), ...keysAt(site)];
    if (!union.join(together)) continue;
    const at = Sites.of(program).at(site)?.instruction.at.line;
    couplings.push(`line ${at} stores what was read elsewhere`);
  }
  const pairs = watch.copied.map((pair) => pair.map((cell) => words.keyOf(words.nameOf(cell))));
  if (pairs.filter((pair) => union.join(pair)).length > 0) {
    couplings.push('memcpy copies words of one line to another');
  }
  const spoken = [...asserted].flatMap(keysAt);
  if (union.join(spoken)) couplings.push('an assertion speaks of more than one line');
  const groups = union
    .groups()
    .map((keys) => keys.map((key) => lineOf(program, key, lines.get(key) ?? [])));
  const at = groups.findIndex((group) => group.some(({ key }) => key === spoken[0]));
  const control = words.list().filter((word) => word.size === 0 || words.isControl(word));
  return {
    kind: 'lines',
    control,
    groups,
    couplings,
    states,
    layout,
    ...recorded(program, words, watch, groups.flat()),
    speaking: at,
  };
}

function lineOf(program: Program, key: LineKey, words: readonly Named[]): DataLine {
  const { lineSize, pageSize } = program.machine;
  const { buffer = -1, byte = 0 } = words[0] ?? {};
  const from = Math.floor(byte / lineSize) * lineSize;
  const page = Math.floor(byte / pageSize);
  return { key, buffer, page, from, to: from + lineSize, words };
}

function isSame(a: Operated, b: Operated): boolean {
  return a.op === b.op && a.buffer === b.buffer && a.from === b.from && a.size === b.size;
}

/** Data lines by buffer, and there in order, as ranges ask for them. */
class LinesInOrder {
  private readonly byBuffer = new Map<number, DataLine[]>();

  constructor(lines: readonly DataLine[]) {
    for (const line of lines) {
      const known = this.byBuffer.get(line.buffer);
      if (known === undefined) this.byBuffer.set(line.buffer, [line]);
      else known.push(line);
    }
    for (const mine of this.byBuffer.values()) mine.sort((a, b) => a.from - b.from);
  }

  /** Adds those that a range meets. */
  addIn({ buffer, from, size }: Operated, found: LineKey[]): void {
    const lines = this.byBuffer.get(buffer) ?? [];
    // The first that ends behind the range's first byte: they are all of one length.
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((lines[middle]?.to ?? 0) > from) high = middle;
      else low = middle + 1;
    }
    for (let i = low; i < lines.length; i++) {
      const line = lines[i];
      if (line === undefined || line.from >= from + size) break;
      found.push(line.key);
    }
  }
}

function recorded(program: Program, words: Words, watch: Watch, lines: readonly DataLine[]) {
  const sites = new Map<number, SiteWords>();
  for (const [site, cells] of watch.cells) {
    const named: Named[] = [];
    for (const cell of cells) named.push(words.nameOf(cell));
    const [first] = named;
    const keys =
      first !== undefined && named.length === 1
        ? [words.keyOf(first)]
        : [...new Set(named.map((word) => words.keyOf(word)))];
    sites.set(site, { words: named, keys, quiet: !watch.loud.has(site) });
  }
  const inOrder = new LinesInOrder(lines);
  const operated = new Map<number, readonly Operated[]>();
  const maintained = new Map<number, readonly LineKey[]>();
  for (const [site, all] of watch.operatedAt) {
    const met: LineKey[] = [];
    for (const range of all) inOrder.addIn(range, met);
    operated.set(site, all);
    maintained.set(site, met);
  }
  const calls = callsOf(program);
  const rangeWrites = RANGE_WRITES.some((name) => calls.has(name));
  return { sites, operated, maintained, rangeWrites };
}
