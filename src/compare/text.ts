/**
 * The matrix for a terminal or a mail: one row per design, one narrow column per use case, what
 * each use case is, what each design asks for, then every cell that is not simply safe.
 */
import { count, hang, wrap } from '../base/text.js';
import { type Palette, palette } from '../report/paint.js';
import { type Cell, type Matrix, shownHazards } from './matrix.js';
import { runLines } from './text-run.js';
import {
  cellsOf,
  costCells,
  costNote,
  costText,
  designRows,
  isTold,
  plainAbout,
  questionCells,
  questionHeads,
  questionNote,
  shortLegend,
  shortText,
  tally,
  tallyWords,
  unlessOf,
  unlessWords,
  verdictWords,
  whyWords,
} from './words.js';

export interface TextOptions {
  readonly width: number;
  readonly color: boolean;
}

export function matrixText(matrix: Matrix, options: TextOptions): string {
  const paint = palette(options.color);
  const width = Math.min(options.width, 110);
  if (matrix.cells.length === 1) return oneCellText(matrix, width, paint);
  return [
    ...(matrix.kind === 'rivals' ? rivalLines(matrix, paint) : matrixLines(matrix, width, paint)),
    ...cellLines(matrix, width, paint),
    '',
    summary(matrix),
    '',
  ].join('\n');
}

/** One design in one use case: what they are, the verdict, and the run that shows it. */
function oneCellText(matrix: Matrix, width: number, paint: Palette): string {
  const [about = '', useCase = ''] = [...matrix.designs, ...matrix.useCases].map(
    (each) => each.about,
  );
  return matrix.cells
    .flatMap((cell) => {
      const why = whyWords(cell);
      const verdict = verdictWords(cell) + (why === '' ? '' : ` (${why})`) + unlessWords(cell);
      return [
        paint.strong(`${cell.design} in ${cell.useCase}`),
        hang('  ', about, width),
        hang('  ', plainAbout(useCase), width),
        '',
        ...wrap(verdict, width),
        ...runLines(cell, width),
        '',
      ];
    })
    .join('\n');
}

function matrixLines(matrix: Matrix, width: number, paint: Palette): string[] {
  return [
    ...grid(matrix, paint),
    '',
    hang('', shortLegend, width),
    '',
    ...useCaseLines(matrix, width, paint),
    '',
    ...designLines(matrix, width, paint),
  ];
}

function rivalLines(matrix: Matrix, paint: Palette): string[] {
  const pad = Math.max(...matrix.designs.map(({ name }) => name.length));
  const rows = matrix.designs
    .flatMap(({ name }) => cellsOf(matrix, name))
    .map(({ cell }) => {
      const cost = cell.cost === null ? '' : `${costText(cell.cost.life)} lines maintained`;
      const verdict = painted(cell, shortText(cell).padEnd(6), paint);
      return `${cell.design.padEnd(pad)}  ${verdict}  ${cost}`.trimEnd();
    });
  return [...rows, '', 'Safest first, then the cheapest; lines: cache lines in one run.'];
}

function grid(matrix: Matrix, paint: Palette): string[] {
  const names = Math.max(...matrix.designs.map(({ name }) => name.length));
  const widths = matrix.useCases.map(({ name, key }) => {
    const cells = matrix.cells.filter((cell) => cell.useCase === name);
    return Math.max(key.length, ...cells.map((cell) => shortText(cell).length));
  });
  const head = matrix.useCases.map(({ key }, i) => key.padEnd(widths[i] ?? 0)).join('  ');
  const rows = matrix.designs.map(({ name }) => {
    const cells = cellsOf(matrix, name).map(({ cell }, i) =>
      painted(cell, shortText(cell).padEnd(widths[i] ?? 0), paint),
    );
    return `${name.padEnd(names)}  ${cells.join('  ')}`.trimEnd();
  });
  return [`${' '.repeat(names)}  ${paint.strong(head.trimEnd())}`, ...rows];
}

function painted({ verdict }: Cell, text: string, paint: Palette): string {
  if (verdict === 'safe') return paint.good(text);
  if (verdict === 'hazard') return paint.bad(text);
  const isOpen = verdict === 'setting' || verdict === 'core' || verdict === 'unknown';
  return isOpen ? paint.unsure(text) : paint.faint(text);
}

function useCaseLines(matrix: Matrix, width: number, paint: Palette): string[] {
  const pad = Math.max(...matrix.useCases.map(({ key }) => key.length));
  return [
    paint.strong('use cases'),
    ...matrix.useCases.map(({ key, about, question }) => {
      const asked = question === null ? '' : `${question}: `;
      return hang(`  ${key.padEnd(pad)}  `, asked + plainAbout(about), width);
    }),
  ];
}

function designLines(matrix: Matrix, width: number, paint: Palette): string[] {
  const rows = designRows(matrix);
  const names = rows.map(({ design }) => design.name);
  const costs = rows.map((each, i) => [names[i] ?? '', ...costCells(each, '-')]);
  const asked = rows.map((each, i) => [names[i] ?? '', ...questionCells(each)]);
  return [
    ...columns(['design', 'safe', 'unsafe', 'lines/life', '/frame'], costs, paint),
    hang('', costNote, width),
    '',
    ...columns(['design', ...questionHeads(matrix).map(shortHead)], asked, paint),
    hang('', questionNote(matrix), width),
  ];
}

/** Narrow columns have short titles. */
function shortHead(head: string): string {
  const short: Readonly<Record<string, string>> = {
    'mmap before map': 'mmap 1st',
    'several domains': 'domains',
    'needs the device early': 'needs dev',
    "device's mask": 'mask',
    'may bounce': 'bounces',
    'second address': '2nd address',
  };
  return short[head] ?? head;
}

function columns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Palette,
): string[] {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [paint.strong(line(head)), ...rows.map(line)];
}

function cellLines(matrix: Matrix, width: number, paint: Palette): string[] {
  const lines = matrix.designs.flatMap(({ name }) => {
    const told = cellsOf(matrix, name).filter(({ cell }) => isTold(cell));
    const unless = unlessOf(matrix, name).map((text) => hang('  no longer safe if ', text, width));
    if (told.length + unless.length === 0) return [];
    const cells = told.map(({ key, cell }) => cellLine(key, cell, width));
    return ['', paint.strong(name), ...cells, ...unless];
  });
  if (lines.length === 0) return [];
  const command =
    matrix.kind === 'rivals'
      ? "civac check FILE, or check --with 'SETTING' FILE"
      : `the same with --cell DESIGN:KEY, as in --cell ${exampleCell(matrix)}`;
  return [...lines, '', `The shortest run of a cell: ${command}`];
}

/** `shmem_helper:a`, the first cell that has a run. */
function exampleCell({ cells, useCases }: Matrix): string {
  const cell = cells.find((each) => shownHazards(each).length > 0);
  const key = useCases.find(({ name }) => name === cell?.useCase)?.key;
  return cell === undefined || key === undefined ? 'DESIGN:KEY' : `${cell.design}:${key}`;
}

function cellLine(key: string, cell: Cell, width: number): string {
  const why = whyWords(cell);
  const words = why === '' ? verdictWords(cell) : `${verdictWords(cell)} (${why})`;
  return hang(`  ${key.padEnd(3)} `, words, width);
}

function summary(matrix: Matrix): string {
  const all = tally(matrix);
  if (matrix.kind === 'rivals') return `${count(all.cells, 'scenario')}: ${all.unsafe} unsafe`;
  const useCases = count(matrix.useCases.length, 'use case');
  const size = `${count(matrix.designs.length, 'design')}, ${useCases}`;
  return `${size}: of ${count(all.cells, 'cell')} ${tallyWords(all)}`;
}
