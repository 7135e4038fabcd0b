/**
 * What an operation works on: one step of one thread over machine, ideal memory and the kernel's
 * books. It lives for one step; the records inside are immutable and replaced.
 * Leaves out: which step comes when (system/) and what an access observes (access.ts).
 */
import { withItem } from '../base/lists.js';
import type { Clock, Loss, View, Word } from '../ideal/word.js';
import { join, newest, withWrite } from '../ideal/word.js';
import type { RuleRow } from '../machine/cache-rules.js';
import { applyRow, hasBit, type Line, type LineOutcome } from '../machine/line.js';
import type { MachineConfig } from './config.js';
import { DMA_ATTR_SKIP_CPU_SYNC } from './constants.js';
import { ptesChanged } from './iotlb.js';
import type { Cell, Layout, LineLayout } from './layout.js';
import { noteEvent } from './mismatch.js';
import { objectOf } from './objects.js';
import type { Overrides } from './overrides.js';
import type { Named, NoteKind, Operated, Recorder } from './recorder.js';
import { ScenarioError } from './scenario-error.js';
import { type Buffer, booksWith, type Frame, type KernelState } from './state.js';
import type { EarlyRead, Place, StepState } from './step-state.js';
import { lineCode, type Touched } from './touched.js';
import type { Value } from './value.js';
import type { Work } from './work.js';

export type FindingId =
  | 'H1'
  | 'H2'
  | 'H3'
  | 'H4'
  | 'H5'
  | 'H6'
  | 'H7'
  | 'H8'
  | 'H9'
  | 'H10'
  | 'H11'
  | 'H14'
  | 'H15';

export interface FindingDetail {
  readonly message: string;
  readonly expected: string;
  readonly actual: string;
}

export interface RawFinding {
  readonly id: FindingId;
  readonly cause: boolean;
  /** Thread that met it. */
  readonly agent: number;
  /** Number of the instruction, see system/sites. */
  readonly site: number;
  readonly detail: () => FindingDetail;
  /** The word it is about; -1 for none. */
  readonly cell: number;
}

function noneEarly(): null {
  return null;
}

/** Everything an operation and an access may touch during one step. */
export class KernelContext {
  work: Work[] = [];
  readonly findings: RawFinding[] = [];
  /** Rule and text of what happened, in order; only written while a trace is made. */
  readonly said: { rule: string; text: string }[] = [];

  constructor(
    readonly machine: MachineConfig,
    readonly layout: Layout,
    readonly liberties: ReadonlySet<string>,
    readonly step: StepState,
    readonly recorder: Recorder,
    readonly choose: (ways: number) => number,
    readonly overrides: Overrides = new Map(),
    /** Where reductions are told what the step has to do with lines. */
    readonly touched: Touched | null = null,
  ) {
    touched?.begin();
    this.kernelBefore = step.kernel;
    this.framesBefore = step.frames;
  }

  /** The step has changed no page and none of the kernel's books so far. */
  get quiet(): boolean {
    const { kernel, frames } = this.step;
    return kernel === this.kernelBefore && frames === this.framesBefore && this.work.length === 0;
  }
  private readonly kernelBefore: KernelState;
  private readonly framesBefore: readonly Frame[];
  /** A choice was made that the machine need never make (an open row of the rule table). */
  tookLiberty = false;

  /** Id of the last word a read was judged on; -1 when the step read none. */
  judged = -1;

  /** The running call has to wait: the step does not happen now. */
  blocked = false;

  /** The running call is not over: after its queued work, the thread comes back to it. */
  again = false;

  /** Uses the running call's own early read of a word: its value, or null when there is none. */
  takeEarly: (cell: number) => number | null = noneEarly;

  /** While a load that was put off is judged: what its thread knew in its place (M8). */
  before: Clock | null = null;

  /** Words the step stored to: early reads of them end (M8: the same word keeps its order). */
  readonly stored: number[] = [];

  /** Overrides that are running, outer ones first; where in the innermost; options given there. */
  private running: readonly string[] = [];
  private line = 0;
  private options: StepState['options'] | null = null;

  /** A designated option of the running call; 0 when it is not given. */
  option(name: string): number {
    return (this.options ?? this.step.options)[name] ?? 0;
  }

  /** Runs a scenario's own version of a function that another one calls. */
  inOverride<T>(name: string, at: number, run: () => T): T {
    const { running, line } = this;
    if (running.includes(name)) {
      throw new ScenarioError(`the override of ${name}() comes back to ${name}()`, this.step.site);
    }
    this.running = [...running, name];
    this.line = at;
    const result = run();
    this.running = running;
    this.line = line;
    return result;
  }

  /** Runs a call that an override makes. */
  inLine<T>(line: number, options: StepState['options'], run: () => T): T {
    const before = this.options;
    this.line = line;
    this.options = options;
    const result = run();
    this.options = before;
    return result;
  }

  /** What a report adds to what happens in an override. */
  private place(): string {
    const name = this.running.at(-1);
    return name === undefined ? '' : ` (override of ${name}, line ${this.line})`;
  }

  /** Notes an access of this CPU: a WB one for M6 `arch`, both for R4. */
  touch(frame: number, line: number, cacheable = true): void {
    const code = touchCode(frame, line, cacheable);
    const counts = this.machine.strictAlias || (cacheable && this.liberties.has('arch-hit'));
    if (!counts || this.step.touched.includes(code)) return;
    this.step.touched = [...this.step.touched, code].sort((a, b) => a - b);
  }

  /** This CPU accessed the line so and no DMB came since. */
  hasTouched(frame: number, line: number, cacheable = true): boolean {
    return this.step.touched.includes(touchCode(frame, line, cacheable));
  }

  /** Stores to an `&x` argument of the running call. */
  out(index: number, value: Value): void {
    this.outs.push({ index, value });
  }
  readonly outs: { index: number; value: Value }[] = [];

  /** Attributes of a call whose maintenance a test took away. */
  skipSyncAttrs(): number {
    return this.option('skip_sync') !== 0 ? DMA_ATTR_SKIP_CPU_SYNC : 0;
  }

  get kernel(): KernelState {
    return this.step.kernel;
  }

  /** Replaces parts of the kernel's books. */
  update(part: Partial<KernelState>): void {
    this.step.kernel = booksWith(this.step.kernel, part);
  }

  say(rule: string, text: () => string): void {
    if (this.recorder.tracing) this.said.push({ rule, text: text() + this.place() });
  }

  find(id: FindingId, cause: boolean, cell: number, detail: () => FindingDetail): void {
    const place = this.place();
    const placed = (): FindingDetail => {
      const told = detail();
      return { ...told, message: told.message + place };
    };
    this.findings.push({
      id,
      cause,
      cell,
      detail: place === '' ? detail : placed,
      agent: this.step.agent,
      site: this.step.site,
    });
  }

  /** H11: a breach of an API contract, in the words of the checker that knows it. */
  contract(message: string): void {
    this.find('H11', true, -1, () => ({
      message,
      expected: 'a call that keeps the contract',
      actual: message,
    }));
    this.say('H11', () => message);
  }

  note(kind: NoteKind, rule: string, message: string): void {
    this.recorder.note(kind, rule, this.step.site, message + this.place());
    this.say(rule, () => message);
  }

  /** M17: the call did nothing. */
  noop(message: string): void {
    this.note('no-op', 'M17', message);
  }

  queue(...work: Work[]): void {
    this.work.push(...work);
  }

  frame(index: number): Frame | undefined {
    return this.step.frames[index];
  }

  /** A line's record; whoever looks at one otherwise is overlooked by reductions (Touched). */
  lineAt(frame: number, at: number): Line | undefined {
    this.touched?.look(lineCode(frame, at));
    return this.frame(frame)?.lines[at];
  }

  /** Reductions are told of every line that it leaves otherwise, whoever calls it. */
  setFrame(index: number, frame: Frame): void {
    this.touched?.replaced(index, this.frame(index)?.lines ?? [], frame.lines);
    this.replaceFrame(index, frame);
  }

  private replaceFrame(index: number, frame: Frame): void {
    const frames = this.step.frames.slice();
    frames[index] = frame;
    this.step.frames = frames;
  }

  word(cell: Cell): Word {
    const found = this.step.words[cell.id];
    if (found === undefined) throw new Error(`no word for cell ${cell.id}`);
    return found;
  }

  setWord(cell: Cell, word: Word): void {
    this.step.words = withItem(this.step.words, cell.id, word);
  }

  view(cell: Cell): View {
    const view = { clock: this.step.clock, seen: this.step.seen[cell.id] };
    const before = this.before?.[this.step.agent];
    return before === undefined
      ? view
      : { ...view, before: { agent: this.step.agent, count: before } };
  }

  learn(clock: Clock): void {
    this.step.clock = join(this.step.clock, clock);
  }

  /** One more store of this agent: its number and the clock that goes with it. */
  tick(): { count: number; clock: Clock } {
    const count = (this.step.clock[this.step.agent] ?? 0) + 1;
    const clock = this.step.clock.slice();
    clock[this.step.agent] = count;
    this.step.clock = clock;
    return { count, clock };
  }

  /** The ideal memory takes a store. */
  write(cell: Cell, value: number, tick: { count: number; clock: Clock }): void {
    this.recorder.wrote?.(this.step.site, cell.id);
    this.setWord(cell, withWrite(this.word(cell), { value, agent: this.step.agent, ...tick }));
  }

  buffer(id: number): Buffer {
    const found = this.kernel.buffers.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no buffer ${id}`);
    return found;
  }

  setBuffer(next: Buffer): void {
    this.update({
      buffers: this.kernel.buffers.map((each) => (each.id === next.id ? next : each)),
    });
  }

  /**
   * An event of the rule table happens to a line; keeps account of words whose newest value it
   * destroys. `range`: the bytes of the page that maintenance was issued for.
   */
  apply(
    frameIndex: number,
    lineIndex: number,
    row: RuleRow,
    access?: { word: number; value: number },
    range?: { from: number; to: number },
    own = false,
  ): LineOutcome {
    const what = { event: row.event, word: access?.word ?? 0, value: access?.value ?? 0, own };
    this.touched?.access(lineCode(frameIndex, lineIndex), what);
    let frame = this.frame(frameIndex);
    const line = frame?.lines[lineIndex];
    if (frame === undefined || line === undefined) throw new Error('no such line');
    if (this.machine.strictAlias) {
      noteEvent(this, frameIndex, lineIndex, row.event, access?.word ?? 0);
      frame = this.frame(frameIndex) ?? frame;
    }
    const outcome = applyRow(line, row, access?.word, access?.value);
    if (outcome.line !== line) {
      const lines = frame.lines.slice();
      lines[lineIndex] = outcome.line;
      // An event of the cache table, which was told above.
      this.replaceFrame(frameIndex, { ...frame, lines });
      if (this.layout.hasPtes) ptesChanged(this, frame, lineIndex, line, outcome.line);
      if (outcome.wroteBack || outcome.dropped) {
        this.recordLosses(frameIndex, frame, lineIndex, line, outcome.line, range);
      }
    }
    return outcome;
  }

  private recordLosses(
    frameIndex: number,
    frame: Frame,
    lineIndex: number,
    old: Line,
    now: Line,
    range?: { from: number; to: number },
  ): void {
    this.lineLayout(frame, lineIndex)?.cells.forEach((cell, i, cells) => {
      const word = this.word(cell);
      if (word.lost !== null || word.writes.length === 0) return;
      const values = newest(word.writes).map((write) => write.value);
      const pending = this.pendingValues(frameIndex, cell);
      const holds = (line: Line): boolean =>
        [line.dram[i], line.copy[i], ...pending].some((v) => v !== undefined && values.includes(v));
      if (!holds(old) || holds(now)) return;
      this.recorder.lost?.(this.step.site);
      const { writes, refused } = word;
      this.setWord(cell, { writes, lost: this.lossKind(cells, i, old, range), refused });
    });
  }

  /** H10 when the line went out, or was maintained, for another object's sake; else H3. */
  private lossKind(
    cells: readonly Cell[],
    index: number,
    old: Line,
    range?: { from: number; to: number },
  ): Loss {
    const victim = cells[index];
    if (victim === undefined) return 'H3';
    if (range !== undefined && (victim.offset < range.from || victim.offset >= range.to)) {
      return 'H10';
    }
    const owner = objectOf(this, victim);
    const written = cells.filter((_, i) => hasBit(old.written, i));
    return written.some((cell) => objectOf(this, cell) === owner) ? 'H3' : 'H10';
  }

  private pendingValues(frame: number, cell: Cell): number[] {
    return this.step
      .allBuffers()
      .flatMap((buffer) =>
        buffer.flatMap((entry) =>
          entry.kind === 'store' && entry.frame === frame && entry.cell === cell.id
            ? [entry.value]
            : [],
        ),
      );
  }

  lineLayout(frame: Frame, lineIndex: number): LineLayout | undefined {
    const pages = this.layout.pages(frame.buffer);
    return pages[this.layout.pageIndex(frame.buffer, frame.page)]?.lines[lineIndex];
  }
}

/** One number for a line of a frame: pages have fewer lines than this. Below 0: not cacheable. */
function touchCode(frame: number, line: number, cacheable: boolean): number {
  return cacheable ? frame * 8192 + line : -1 - (frame * 8192 + line);
}

export type { PteWork, Work } from './work.js';
export type { EarlyRead, Named, NoteKind, Operated, Place, Recorder, StepState };
