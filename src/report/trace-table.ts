/**
 * The shortest run as a table: one lane per agent, a `machine` lane for what the hardware does of
 * itself, the rule of each step, and beside it the cells the finding is about. A `*` marks a value
 * that this step changed, `"` a row of unchanged values, `>` the step that went wrong.
 */
import { wrap } from '../base/text.js';
import type { CellView, Finding, TraceStep } from '../verdict/result.js';
import type { Paint, Palette } from './paint.js';

const machineAgents = new Set(['cache', 'bus', 'iommu', 'machine']);
const cellFields = ['dram', 'cache', 'buffer', 'ideal'] as const;
const laneMin = 14;
const cellMax = 16;
const gap = '  ';

interface Column {
  readonly title: string;
  readonly width: number;
}

/** One step: what stands in each column, a text per column, painted after padding. */
interface Piece {
  readonly text: string;
  readonly paint?: Paint;
}

function laneOf(step: TraceStep): string {
  return step.line === 0 && machineAgents.has(step.agent) ? 'machine' : step.agent;
}

/** Lanes in the order in which their agents first move; the machine's own comes last. */
function laneTitles(trace: readonly TraceStep[]): string[] {
  const titles = [...new Set(trace.map(laneOf))];
  const agents = titles.filter((title) => title !== 'machine');
  return titles.length > agents.length ? [...agents, 'machine'] : agents;
}

function eventText(step: TraceStep): string {
  return step.line > 0 ? `${step.line}: ${step.text}` : step.text;
}

function heightOf(texts: readonly string[], width: number): number {
  return texts.reduce((sum, text) => sum + (text === '' ? 0 : wrap(text, width).length), 0);
}

/** The narrowest width above `width` at which a lane needs fewer lines, and how many fewer. */
function nextGain(texts: readonly string[], width: number, limit: number) {
  const now = heightOf(texts, width);
  for (let wider = width + 1; wider <= limit; wider += 1) {
    const saved = now - heightOf(texts, wider);
    if (saved > 0) return { wider, saved };
  }
  return null;
}

/**
 * Shares `available` columns among the lanes: each starts narrow, then whoever saves most lines
 * per column gets more, until nobody can save any or nothing is left.
 */
export function allot(texts: readonly (readonly string[])[], available: number): number[] {
  const natural = texts.map((lane) => Math.max(1, ...lane.map((text) => text.length)));
  const widths = natural.map((width) => Math.min(width, laneMin));
  let rest = available - widths.reduce((sum, width) => sum + width, 0);
  while (rest > 0) {
    let best: { lane: number; wider: number; worth: number } | null = null;
    for (const [lane, width] of widths.entries()) {
      const limit = Math.min(natural[lane] ?? width, width + rest);
      const gain = nextGain(texts[lane] ?? [], width, limit);
      if (gain === null) continue;
      const worth = gain.saved / (gain.wider - width);
      if (best === null || worth > best.worth) best = { lane, wider: gain.wider, worth };
    }
    if (best === null) break;
    rest -= best.wider - (widths[best.lane] ?? 0);
    widths[best.lane] = best.wider;
  }
  return widths;
}

interface Row {
  readonly step: TraceStep;
  readonly number: number;
  /** Text per event column. */
  readonly events: readonly string[];
  /** One line per cell shown beside this step: the values, and which of them are new. */
  readonly cells: readonly CellRow[];
}

interface CellRow {
  readonly name: string;
  readonly values: readonly string[];
  readonly changed: readonly boolean[];
  readonly same: boolean;
}

/** One cell is shown at every step; of several those that changed, and all where it goes wrong. */
function cellRows(trace: readonly TraceStep[]): CellRow[][] {
  const names = new Set(trace.flatMap((step) => step.cells.map((cell) => cell.name)));
  const before = new Map<string, CellView>();
  return trace.map((step) => {
    const rows: CellRow[] = [];
    for (const cell of step.cells) {
      const last = before.get(cell.name);
      const values = cellFields.map((field) => cell[field]);
      const changed = cellFields.map((field) => last !== undefined && last[field] !== cell[field]);
      const same = last !== undefined && !changed.includes(true) && !step.wrong;
      if (!same || names.size === 1) rows.push({ name: cell.name, values, changed, same });
      before.set(cell.name, cell);
    }
    return rows;
  });
}

function buildRows(finding: Finding, lanes: readonly string[], asList: boolean): Row[] {
  const cells = cellRows(finding.trace);
  return finding.trace.map((step, index) => {
    const wrongText = `\n** expected ${finding.expected}, got ${finding.actual}`;
    const text = eventText(step) + (step.wrong ? wrongText : '');
    const lane = laneOf(step);
    const events = asList ? [lane, text] : lanes.map((title) => (title === lane ? text : ''));
    return { step, number: index + 1, events, cells: cells[index] ?? [] };
  });
}

/** Pads and paints the pieces of one printed line; trailing spaces are cut. */
function joinLine(pieces: readonly Piece[], columns: readonly Column[]): string {
  let last = pieces.length - 1;
  while (last > 0 && pieces[last]?.text === '') last -= 1;
  return pieces
    .slice(0, last + 1)
    .map((piece, i) => {
      const text = i === last ? piece.text : piece.text.padEnd(columns[i]?.width ?? 0);
      return piece.paint === undefined || piece.text.trim() === '' ? text : piece.paint(text);
    })
    .join(gap)
    .trimEnd();
}

interface Layout {
  readonly columns: readonly Column[];
  readonly eventColumns: number;
  readonly named: boolean;
}

function planColumns(rows: readonly Row[], titles: readonly string[], width: number): Layout {
  const all = rows.flatMap((row) => row.cells);
  const names = [...new Set(all.map((cell) => cell.name))];
  const named = names.length > 1;
  const cellColumns: Column[] = cellFields.map((title, i) => ({
    title: ` ${title}`,
    width: Math.min(
      cellMax,
      Math.max(title.length, ...all.map((c) => c.values[i]?.length ?? 0)) + 1,
    ),
  }));
  if (named) {
    const nameWidth = Math.min(cellMax, Math.max(4, ...names.map((name) => name.length)));
    cellColumns.unshift({ title: 'cell', width: nameWidth });
  }
  const step: Column = { title: ' step', width: 5 };
  const ruleWidth = Math.min(8, Math.max(4, ...rows.map((row) => row.step.rule.length)));
  const fixed = [step, { title: 'rule', width: ruleWidth }, ...(all.length > 0 ? cellColumns : [])];
  const taken = fixed.reduce((sum, column) => sum + column.width + gap.length, 0);
  const texts = titles.map((title, lane) => [
    title,
    ...rows.flatMap((row) => (row.events[lane] ?? '').split('\n')),
  ]);
  const widths = allot(texts, width - taken - gap.length * (titles.length - 1));
  const events = titles.map((title, lane) => ({ title, width: widths[lane] ?? laneMin }));
  return { columns: [step, ...events, ...fixed.slice(1)], eventColumns: titles.length, named };
}

/** The values beside a step, one block of columns, each block line a list of pieces. */
function cellLines(row: Row, layout: Layout, paint: Palette): Piece[][] {
  const columns = layout.columns.slice(layout.eventColumns + 2);
  return row.cells.flatMap((cell) => {
    const texts = cell.values.map((value, i) => {
      if (cell.same) return ' "';
      return `${cell.changed[i] ? '*' : ' '}${value}`;
    });
    const widths = layout.named ? columns.slice(1) : columns;
    const wrapped = texts.map((text, i) => {
      const lines = wrap(text.slice(1), (widths[i]?.width ?? cellMax) - 1);
      return lines.map((line, n) => (n === 0 ? text[0] : ' ') + line);
    });
    const height = Math.max(...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, n) => {
      const pieces: Piece[] = wrapped.map((lines, i) => ({
        text: lines[n] ?? '',
        paint: cell.same ? paint.faint : cell.changed[i] ? paint.changed : (text) => text,
      }));
      return layout.named ? [{ text: n === 0 ? cell.name : '' }, ...pieces] : pieces;
    });
  });
}

function printRow(row: Row, layout: Layout, paint: Palette): string[] {
  const events = row.events.map((text, lane) =>
    text === '' ? [] : wrap(text, layout.columns[lane + 1]?.width ?? laneMin),
  );
  const rule = wrap(row.step.rule, layout.columns[layout.eventColumns + 1]?.width ?? 4);
  const cells = cellLines(row, layout, paint);
  const height = Math.max(1, rule.length, cells.length, ...events.map((lines) => lines.length));
  return Array.from({ length: height }, (_, n) => {
    const mark = row.step.wrong ? '>' : ' ';
    const number = n === 0 ? mark + String(row.number).padStart(4) : '';
    const loud = (text: string): Piece => (row.step.wrong ? { text, paint: paint.bad } : { text });
    const pieces = [
      loud(number),
      ...events.map((lines) => loud(lines[n] ?? '')),
      { text: rule[n] ?? '', paint: paint.faint },
      ...(cells[n] ?? []),
    ];
    return joinLine(pieces, layout.columns);
  });
}

/** The table, without a final line feed; empty when the finding has no trace. */
export function traceTable(finding: Finding, width: number, paint: Palette): string {
  if (finding.trace.length === 0) return '';
  const lanes = laneTitles(finding.trace);
  let titles = lanes;
  let rows = buildRows(finding, lanes, false);
  let layout = planColumns(rows, titles, width);
  const needed = layout.columns.reduce((sum, column) => sum + column.width + gap.length, 0);
  if (needed - gap.length > width && lanes.length > 1) {
    // Too many agents for this width: the agent becomes a column, the events share one.
    titles = ['agent', 'event'];
    rows = buildRows(finding, lanes, true);
    layout = planColumns(rows, titles, width);
  }
  const cell = rows[0]?.cells[0];
  const lines: string[] = [];
  if (cell !== undefined && !layout.named) {
    const before = layout.columns.slice(0, layout.eventColumns + 2);
    const indent = before.reduce((sum, column) => sum + column.width + gap.length, 1);
    lines.push(paint.strong(' '.repeat(indent) + cell.name));
  }
  const title = (column: Column): Piece => ({ text: column.title, paint: paint.strong });
  lines.push(joinLine(layout.columns.map(title), layout.columns));
  const rule = (column: Column): Piece => ({ text: '-'.repeat(column.width), paint: paint.faint });
  lines.push(joinLine(layout.columns.map(rule), layout.columns));
  for (const row of rows) lines.push(...printRow(row, layout, paint));
  return lines.join('\n');
}
