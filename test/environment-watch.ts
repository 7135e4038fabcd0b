/**
 * What the steps of a state do with lines, against what they note (docs/reductions.md, "Environment
 * steps"). Leaves out: which states; environment.test.ts has them.
 */
import { type Data, Tracker } from '../src/fast/track.js';
import type { Parts } from '../src/fast/parts.js';
import { newest, type Word } from '../src/ideal/word.js';
import type { Layout } from '../src/kernel/layout.js';
import { lineCode, Touched } from '../src/kernel/touched.js';
import type { Program } from '../src/litmus/program.js';
import type { Entry } from '../src/machine/store-buffer.js';
import type { State } from '../src/system/state.js';
import { System } from '../src/system/system.js';
import { libertiesOf, withWords } from '../src/verdict/check.js';
import { Facts } from '../src/verdict/recorder.js';

/** A scenario's states, nearest first, and what is needed to look at them closely. */
export function some(program: Program, most: number) {
  return withWords(program, (layout) => {
    const system = new System(program, layout, new Set(libertiesOf(program)), new Facts());
    const states = [...system.initial()];
    const known = new Set(states.map(({ key }) => key));
    for (const state of states) {
      for (const { next } of system.successors(state)) {
        if (states.length >= most || known.has(next.key)) continue;
        known.add(next.key);
        states.push(next);
      }
    }
    return { layout, states };
  });
}

/** Where a word stands now; undefined while its page is nowhere. */
function codeOf(state: State, layout: Layout, cell: number): number | undefined {
  const named = layout.cells[cell];
  if (named === undefined) return undefined;
  const { page, line } = layout.position(named);
  const slot = state.kernel.buffers.find(({ id }) => id === named.buffer)?.pages[page];
  return slot?.state === 'resident' ? lineCode(slot.frame, line) : undefined;
}

function storesOf(entries: readonly Entry[]): Map<string, number> {
  return new Map(
    entries.flatMap((each) =>
      each.kind === 'store' ? [[JSON.stringify(each), lineCode(each.frame, each.line)]] : [],
    ),
  );
}

/** What a group of steps does that it has not noted; empty as it should be. */
export class Watch {
  readonly wrong: string[] = [];
  groups = 0;

  constructor(
    private readonly program: Program,
    private readonly layout: Layout,
    private readonly parts: Parts,
  ) {}

  private tell(what: string): void {
    this.wrong.push(`${this.program.name}: ${what}`);
  }

  state(state: State): void {
    const { program, layout, parts } = this;
    const data = new Map<number, Data>(
      parts.changes(state).map(([component, text]) => [component, JSON.parse(text) as Data]),
    );
    const liberties = new Set(libertiesOf(program));
    const system = new System(program, layout, liberties, new Facts(), false);
    for (const group of system.groups(state)) {
      const tracker = new Tracker();
      const view = parts.view(tracker, (component) => data.get(component) ?? null);
      const touched = new Touched();
      system.stepsOf(view, group, touched);
      this.groups++;
      const names = [...tracker.reads.keys()].map((each) => parts.names[each] ?? '');
      if (group.kind === 'cache') {
        const own = `line ${group.agent} ${group.at}`;
        for (const name of names) {
          if (name.startsWith('line') && name !== own) this.tell(`${own} reads ${name}`);
        }
        for (const { next } of system.stepsOf(state, group)) {
          this.byItself(state, next, group.agent, group.at);
        }
        continue;
      }
      for (const name of names) {
        const [, frame, at] = /^line (\d+) (\d+)$/.exec(name) ?? [];
        if (frame !== undefined) this.line(touched, Number(frame), Number(at), `reads ${name}`);
        if (name === 'kernel iotlb' && layout.hasPtes && !touched.iotlb) this.tell('reads iotlb');
      }
      for (const { next } of system.stepsOf(state, group)) this.change(touched, state, next);
    }
  }

  private line(touched: Touched, frame: number, at: number, what: string): void {
    const code = lineCode(frame, at);
    const noted =
      touched.lines.has(code) || touched.accesses.has(code) || touched.frames.has(frame);
    if (!noted) this.tell(what);
  }

  /** All that a line's own steps write: the record, and what is lost of its words. */
  private byItself(state: State, next: State, frame: number, at: number): void {
    const { layout } = this;
    state.words.forEach((word, cell) => {
      if (!differs(word, next.words[cell])) return;
      if (codeOf(state, layout, cell) !== lineCode(frame, at)) this.tell('a line changes a word');
    });
    for (const field of Object.keys(state.kernel) as (keyof State['kernel'])[]) {
      if (same(state.kernel[field], next.kernel[field])) continue;
      if (field !== 'iotlb' || !layout.hasPtes) this.tell(`a line changes ${field}`);
    }
    if (!same(state.threads, next.threads)) this.tell('a line changes a thread');
    state.frames.forEach((each, i) => {
      each.lines.forEach((line, j) => {
        const mine = i === frame && j === at;
        if (!mine && line !== next.frames[i]?.lines[j]) this.tell('a line changes another one');
      });
    });
  }

  private change(touched: Touched, state: State, next: State): void {
    state.frames.forEach((frame, i) => {
      frame.lines.forEach((line, at) => {
        if (line !== next.frames[i]?.lines[at]) this.line(touched, i, at, 'changes a line');
      });
    });
    const { mappings, iovas } = state.kernel;
    const now = next.kernel;
    if (!(same(mappings, now.mappings) && same(iovas, now.iovas)) && !touched.mappings) {
      this.tell('changes mappings');
    }
    state.words.forEach((word, cell) => {
      const code = codeOf(state, this.layout, cell);
      if (code === undefined || !differs(word, next.words[cell])) return;
      const frame = [...touched.frames].some((each) => Math.floor(code / 8192) === each);
      if (frame || touched.stores.has(code) || touched.lines.has(code)) return;
      // A write-back or a drop that is the access itself: rule 4 knows of it.
      const lost = same(top(word), top(next.words[cell] ?? word));
      if (!lost || !touched.accesses.has(code)) this.tell(`changes word ${cell}`);
    });
    state.threads.forEach((thread, i) => {
      const before = storesOf(thread.entries);
      const after = storesOf(next.threads[i]?.entries ?? []);
      for (const [text, code] of [...before, ...after]) {
        if (before.has(text) !== after.has(text) && !touched.stores.has(code)) {
          this.tell('a store comes or goes');
        }
      }
    });
  }
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function top({ writes }: Word): readonly number[] {
  return newest(writes).map(({ value }) => value);
}

/** To what a write-back looks at: the newest values, and whether they are lost. */
function differs(a: Word, b: Word | undefined): boolean {
  if (b === undefined || a === b) return a !== b;
  return a.lost !== b.lost || !same(top(a), top(b));
}
