/** Turns a path of step indices back into the events a reader follows, with the state beside. */
import { newest } from '../ideal/word.js';
import type { RawFinding } from '../kernel/context.js';
import type { Cell } from '../kernel/layout.js';
import { showValue, showValues } from '../kernel/values.js';
import type { Entry } from '../machine/store-buffer.js';
import type { State } from '../system/state.js';
import type { Step, System } from '../system/system.js';
import type { Facts } from './recorder.js';
import type { CellView, TraceStep } from './result.js';
import type { Run, Sighting } from './runs.js';

export interface Replay {
  readonly steps: readonly TraceStep[];
  /** The finding as the last step met it. */
  readonly finding: RawFinding | null;
}

/** Runs the path again; throws when a step is not there, which would be a fault of ours. */
export function replay(run: Run, sighting: Sighting, facts: Facts): Replay {
  const { system, exploration } = run;
  const path = exploration.path(sighting.state);
  const actions = sighting.action < 0 ? path.actions : [...path.actions, sighting.action];
  facts.tracing = true;
  try {
    let state = system.initial()[path.initial];
    if (state === undefined) throw new Error('the counterexample does not replay');
    const taken: { step: Step; state: State }[] = [];
    for (const action of actions) {
      const step: Step | undefined = system.successors(state)[action];
      if (step === undefined) throw new Error('the counterexample does not replay');
      state = step.next;
      taken.push({ step, state });
    }
    const last = taken.at(-1);
    const finding = last?.step.findings.find((each) => system.name(each) === sighting.name) ?? null;
    // The run comes from the explorer, the steps from the reference engine: they must agree.
    if (sighting.finding !== null && finding === null) {
      throw new Error(`the counterexample of ${sighting.name} does not replay`);
    }
    const cells = cellsOf(system, finding, sighting, run);
    const steps = taken.map(({ step, state: after }, i) =>
      traceStep(system, step, after, cells, i === taken.length - 1),
    );
    return { steps, finding };
  } finally {
    facts.tracing = false;
  }
}

/** The word of the finding first, then the other words of its line. */
function cellsOf(
  system: System,
  finding: RawFinding | null,
  sighting: Sighting,
  run: Run,
): readonly Cell[] {
  const stuck = run.stuck.find((each) => each.name === sighting.name);
  const cell = system.layout.cells[finding?.cell ?? stuck?.cell ?? -1];
  if (cell === undefined) return [];
  const lineOf = (each: Cell): number => Math.floor(each.offset / system.program.machine.lineSize);
  const others = system.layout.cells.filter(
    (each) =>
      each !== cell &&
      each.buffer === cell.buffer &&
      each.page === cell.page &&
      lineOf(each) === lineOf(cell),
  );
  // By address: in which order an exploration met them depends on how it went.
  return [cell, ...others.sort((a, b) => a.offset - b.offset)];
}

function traceStep(
  system: System,
  step: Step,
  state: State,
  cells: readonly Cell[],
  wrong: boolean,
): TraceStep {
  const site = system.sites.at(step.site);
  const thread = system.sites.threads[step.agent];
  const source = site === undefined ? '' : snippet(system.program.text, site.instruction.at);
  const said = step.said.map((each) => each.text).join('; ');
  const rules = [...new Set(step.said.map((each) => each.rule))].join(' ');
  const line = site?.instruction.at.line ?? 0;
  const views = cells.map((cell) => viewCell(system, state, cell));
  const base = { rule: rules, cells: views, wrong };
  if (step.kind === 'cache') return { ...base, agent: 'cache', text: said, line: 0 };
  if (step.kind === 'drain') {
    const text = `${thread?.name ?? '?'}'s buffer, line ${line} \`${source}\`: ${said}`;
    return { ...base, agent: 'bus', text, line: 0 };
  }
  const text = said === '' ? source : `${source}: ${said}`;
  return { ...base, agent: thread?.name ?? '?', text, line };
}

function snippet(text: string, at: { line: number; column: number; length: number }): string {
  const line = text.split('\n')[at.line - 1] ?? '';
  return line.slice(at.column - 1, at.column - 1 + at.length).trim();
}

export function cellName(system: System, cell: Cell): string {
  const byte = cell.page * system.program.machine.pageSize + cell.offset;
  return `${system.bufferName(cell.buffer)}+0x${byte.toString(16)}`;
}

function viewCell(system: System, state: State, cell: Cell): CellView {
  const name = cellName(system, cell);
  const word = state.words[cell.id];
  const ideal =
    word === undefined || word.writes.length === 0
      ? '-'
      : showValues(newest(word.writes).map((write) => write.value));
  const position = system.layout.position(cell);
  const buffer = state.kernel.buffers.find((each) => each.id === cell.buffer);
  const slot = buffer?.pages[position.page];
  if (slot?.state === 'swapped') {
    const value = slot.lines[position.line]?.[position.word] ?? 0;
    return { name, dram: `swap ${showValue(value)}`, cache: '-', buffer: '-', ideal };
  }
  const index = slot?.state === 'resident' ? slot.frame : -1;
  const line = state.frames[index]?.lines[position.line];
  if (line === undefined) return { name, dram: '-', cache: '-', buffer: '-', ideal };
  const copy = line.copy[position.word];
  return {
    name,
    ideal,
    dram: showValue(line.dram[position.word] ?? 0),
    cache: copy === undefined ? '-' : `${line.state} ${showValue(copy)}`,
    buffer: pending(state, index, position.line, position.word),
  };
}

function pending(state: State, frame: number, line: number, word: number): string {
  const texts = state.threads.flatMap((thread) =>
    thread.entries.flatMap((entry) => entryText(entry, frame, line, word)),
  );
  const sent = state.kernel.posted.flatMap(({ store }) => entryText(store, frame, line, word));
  texts.push(...sent.map((text) => `posted ${text}`));
  return texts.length === 0 ? '-' : texts.join(', ');
}

function entryText(entry: Entry, frame: number, line: number, word: number): string[] {
  if (!('line' in entry) || entry.frame !== frame || entry.line !== line) return [];
  if (entry.kind === 'maintain') return [entry.op];
  return entry.word === word ? [`${entry.attribute} ${showValue(entry.value)}`] : [];
}
