/**
 * The shortest run as a table: one lane per agent, a `machine` lane for what the hardware does of
 * itself, the rule of each step, and beside it the cells the finding is about. An event starts in
 * the lane of its agent and may run on to the right, since no row has two. A `*` marks a value
 * that this step changed, `"` a row of unchanged values, `>` the step that went wrong.
 */
import { wrap } from '../base/text.js';
import type { CellView, Finding, TraceStep } from '../verdict/result.js';
import type { Paint, Palette } from './paint.js';

const machineAgents = new Set(['cache', 'bus', 'iommu', 'machine']);
const cellFields = ['dram', 'cache', 'buffer', 'ideal'] as const;
type CellField = (typeof cellFields)[number];
/** What an event must have to the right of where its lane starts. */
const eventMin = 26;
const laneMin = 7;
const cellMax = 16;
const gap = '  ';

/** A text of one line and how to paint it once it is padded. */
interface Piece {
  readonly text: string;
  readonly paint?: Paint;
}

interface Column {
  readonly title: string;
  readonly width: number;
}

interface Lane {
  readonly name: string;
  readonly start: number;
}

interface CellRow {
  readonly name: string;
  readonly values: readonly string[];
  readonly changed: readonly boolean[];
  readonly same: boolean;
}

interface Row {
  readonly step: TraceStep;
  readonly number: number;
  /** Cells shown beside this step. */
  readonly cells: readonly CellRow[];
}

interface Layout {
  /** Null: too many agents for the width; every event then names its own. */
  readonly lanes: readonly Lane[] | null;
  readonly events: number;
  readonly rule: number;
  /** The cell's name when there are several, then its fields. */
  readonly cells: readonly Column[];
  readonly named: boolean;
}

function laneOf(step: TraceStep): string {
  return step.line === 0 && machineAgents.has(step.agent) ? 'machine' : step.agent;
}

/** In the order in which the agents first move; the machine's own lane comes last. */
function laneNames(trace: readonly TraceStep[]): string[] {
  const names = [...new Set(trace.map(laneOf))];
  const agents = names.filter((name) => name !== 'machine');
  return names.length > agents.length ? [...agents, 'machine'] : agents;
}

/** Null when the last lane would have no room for its events. */
function placeLanes(trace: readonly TraceStep[], width: number): Lane[] | null {
  let start = 0;
  const lanes = laneNames(trace).map((name) => {
    const lane = { name, start };
    start += Math.max(laneMin, name.length + gap.length);
    return lane;
  });
  return (lanes.at(-1)?.start ?? 0) + eventMin <= width ? lanes : null;
}

/** A field that is empty all along only takes room. */
function usedFields(trace: readonly TraceStep[]): CellField[] {
  const cells = trace.flatMap((step) => step.cells);
  return cellFields.filter((field) => cells.some((cell) => cell[field] !== '-'));
}

/** One cell is shown at every step; of several those that changed, and all where it goes wrong. */
function cellRows(trace: readonly TraceStep[], fields: readonly CellField[]): CellRow[][] {
  const names = new Set(trace.flatMap((step) => step.cells.map((cell) => cell.name)));
  const before = new Map<string, CellView>();
  return trace.map((step) => {
    const rows: CellRow[] = [];
    for (const cell of step.cells) {
      const last = before.get(cell.name);
      const values = fields.map((field) => cell[field]);
      const changed = fields.map((field) => last !== undefined && last[field] !== cell[field]);
      const same = last !== undefined && !changed.includes(true) && !step.wrong;
      if (!same || names.size === 1) rows.push({ name: cell.name, values, changed, same });
      before.set(cell.name, cell);
    }
    return rows;
  });
}

function plan(rows: readonly Row[], fields: readonly CellField[], width: number): Layout {
  const cells = rows.flatMap((row) => row.cells);
  const names = [...new Set(cells.map((cell) => cell.name))];
  const named = names.length > 1;
  const columns: Column[] = fields.map((title, i) => ({
    // One more for the mark of a changed value.
    title: ` ${title}`,
    width: 1 + Math.min(cellMax, Math.max(title.length, ...cells.map((c) => c.values[i]!.length))),
  }));
  if (named) {
    const longest = Math.max('cell'.length, ...names.map((name) => name.length));
    columns.unshift({ title: 'cell', width: Math.min(cellMax, longest) });
  }
  const rule = Math.min(6, Math.max(4, ...rows.map((row) => row.step.rule.length)));
  const taken = [5, rule, ...columns.map((column) => column.width)];
  const fixed = taken.reduce((sum, each) => sum + each + gap.length, 0);
  const events = Math.max(eventMin, width - fixed);
  const lanes = placeLanes(
    rows.map((row) => row.step),
    events,
  );
  return { lanes, events, rule, cells: columns, named };
}

/** The lines of an event, indented to its lane. */
function eventLines({ step }: Row, layout: Layout, finding: Finding): string[] {
  const start = layout.lanes?.find((lane) => lane.name === laneOf(step))?.start ?? 0;
  const agent = layout.lanes === null ? `${laneOf(step)}: ` : '';
  const place = step.line > 0 ? `${step.line}: ` : '';
  const wrong = step.wrong ? `\n** expected ${finding.expected}, got ${finding.actual}` : '';
  const lines = wrap(`${agent}${place}${step.text}${wrong}`, layout.events - start);
  return lines.map((line) => ' '.repeat(start) + line);
}

/** The values beside a step: a list of lines, each a list of pieces. */
function cellLines(row: Row, layout: Layout, paint: Palette): Piece[][] {
  const widths = layout.named ? layout.cells.slice(1) : layout.cells;
  return row.cells.flatMap((cell) => {
    const wrapped = cell.values.map((value, i) => {
      const mark = cell.changed[i] ? '*' : ' ';
      const lines = wrap(cell.same ? '"' : value, (widths[i]?.width ?? cellMax) - 1);
      return lines.map((line, n) => (n === 0 ? mark : ' ') + line);
    });
    const height = Math.max(1, ...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, n) => {
      const pieces = wrapped.map((lines, i): Piece => {
        const text = lines[n] ?? '';
        if (cell.same) return { text, paint: paint.faint };
        return cell.changed[i] ? { text, paint: paint.changed } : { text };
      });
      return layout.named ? [{ text: n === 0 ? cell.name : '' }, ...pieces] : pieces;
    });
  });
}

/** Pads, then paints, the pieces of one printed line; nothing trails. */
function joinLine(pieces: readonly Piece[], layout: Layout): string {
  const widths = [5, layout.events, layout.rule, ...layout.cells.map((column) => column.width)];
  let last = pieces.length - 1;
  while (last > 0 && pieces[last]?.text === '') last -= 1;
  const padded = pieces.slice(0, last + 1).map(({ text, paint }, i) => {
    const full = i === last ? text : text.padEnd(widths[i] ?? 0);
    return paint === undefined || text.trim() === '' ? full : paint(full);
  });
  return padded.join(gap).trimEnd();
}

function rowLines(row: Row, layout: Layout, finding: Finding, paint: Palette): string[] {
  const events = eventLines(row, layout, finding);
  const rule = wrap(row.step.rule, layout.rule);
  const cells = cellLines(row, layout, paint);
  const height = Math.max(events.length, rule.length, cells.length);
  const loud = (text: string): Piece => (row.step.wrong ? { text, paint: paint.bad } : { text });
  return Array.from({ length: height }, (_, n) => {
    const mark = row.step.wrong ? '>' : ' ';
    const number = n === 0 ? mark + String(row.number).padStart(4) : '';
    const pieces = [
      loud(number),
      loud(events[n] ?? ''),
      { text: rule[n] ?? '', paint: paint.faint },
    ];
    return joinLine([...pieces, ...(cells[n] ?? [])], layout);
  });
}

function headLines(rows: readonly Row[], layout: Layout, paint: Palette): string[] {
  const strong = (text: string): Piece => ({ text, paint: paint.strong });
  const lanes = layout.lanes ?? [{ name: 'event', start: 0 }];
  const titles = lanes.reduce((line, lane) => line.padEnd(lane.start) + lane.name, '');
  const head = [' step', titles, 'rule', ...layout.cells.map((column) => column.title)];
  const rulers = [5, layout.events, layout.rule, ...layout.cells.map((column) => column.width)];
  const lines = [
    joinLine(head.map(strong), layout),
    joinLine(
      rulers.map((width) => ({ text: '-'.repeat(width), paint: paint.faint })),
      layout,
    ),
  ];
  const only = rows.find((row) => row.cells.length > 0)?.cells[0];
  if (layout.named || only === undefined) return lines;
  return [joinLine([...['', '', ''].map(strong), strong(` ${only.name}`)], layout), ...lines];
}

/** The table, without a final line feed; empty when the finding has no trace. */
export function traceTable(finding: Finding, width: number, paint: Palette): string {
  const { trace } = finding;
  if (trace.length === 0) return '';
  const fields = usedFields(trace);
  const cells = cellRows(trace, fields);
  const rows = trace.map((step, i) => ({ step, number: i + 1, cells: cells[i] ?? [] }));
  const layout = plan(rows, fields, width);
  return [
    ...headLines(rows, layout, paint),
    ...rows.flatMap((row) => rowLines(row, layout, finding, paint)),
  ].join('\n');
}
