/**
 * The matrix in Markdown, to paste into an issue or a mail: the grid, what its columns are, what
 * each design asks for, and the unsafe cells.
 */
import type { Cell, Matrix } from './matrix.js';
import {
  cellsOf,
  costCells,
  costNote,
  costText,
  type DesignRow,
  designRows,
  isTold,
  plainAbout,
  questionCells,
  questionHeads,
  questionNote,
  shortText,
  tally,
  tallyWords,
  unlessOf,
  verdictWords,
  whyWords,
} from './words.js';

export function matrixMarkdown(matrix: Matrix): string {
  if (matrix.kind === 'rivals') return rivalsMarkdown(matrix);
  const all = tally(matrix);
  return [
    '# Designs and use cases',
    `Every run of ${matrix.designs.length} designs in ${matrix.useCases.length} use cases:` +
      ` of ${all.cells} cells ${tallyWords(all)}.`,
    gridMarkdown(matrix),
    legendMarkdown,
    '## Use cases',
    useCasesMarkdown(matrix),
    '## Designs',
    designsMarkdown(matrix),
    factsMarkdown(matrix),
    '## Cells that are not simply safe',
    ...cellsMarkdown(matrix),
    'The shortest run of a cell: the same command with `--cell DESIGN:KEY`.',
  ]
    .join('\n\n')
    .concat('\n');
}

function rivalsMarkdown(matrix: Matrix): string {
  const rows = matrix.designs.flatMap(({ name, file, about }) =>
    cellsOf(matrix, name).map(({ cell }) => [
      `\`${file}\``,
      cellMarkdown(cell),
      cell.cost === null ? '' : costText(cell.cost.life),
      about,
    ]),
  );
  return [
    '# Scenarios of one flow',
    'Safest first, then the cheapest; lines: cache lines maintained in one run.',
    table(['scenario', 'verdict', 'lines', 'what it is'], rows),
    ...cellsMarkdown(matrix),
  ]
    .join('\n\n')
    .concat('\n');
}

export const legendMarkdown =
  '**safe**: coherent in every run, on every arm64 core; *core*: only on cores where an uncached' +
  ' access never hits; **H2+**: hazard H2 and others (`civac explain H2`), *if* where' +
  ' another setting makes it safe; –: not possible.';

export function gridMarkdown(matrix: Matrix): string {
  return table(
    ['', ...matrix.useCases.map(({ key }) => key)],
    matrix.designs.map(({ name }) => [
      `\`${name}\``,
      ...cellsOf(matrix, name).map(({ cell }) => cellMarkdown(cell)),
    ]),
  );
}

function cellMarkdown(cell: Cell): string {
  switch (cell.verdict) {
    case 'safe':
      return 'safe';
    case 'core':
      return '*core*';
    case 'setting':
      return `**${shortText(cell).slice(0, -1)}** *if*`;
    case 'hazard':
      return `**${shortText(cell)}**`;
    case 'idle':
    case 'refused':
      return '–';
    case 'unknown':
      return '?';
  }
}

export function useCasesMarkdown(matrix: Matrix): string {
  return table(
    ['', 'question', 'what happens', 'file'],
    matrix.useCases.map(({ key, question, about, file }) => [
      key,
      question ?? '',
      plainAbout(about),
      `\`${file}\``,
    ]),
  );
}

export function designsMarkdown(matrix: Matrix): string {
  return table(
    ['design', 'what it does', 'file'],
    matrix.designs.map(({ name, about, file }) => [`\`${name}\``, about, `\`${file}\``]),
  );
}

export function factsMarkdown(matrix: Matrix): string {
  const rows = designRows(matrix);
  const name = ({ design }: DesignRow): string => `\`${design.name}\``;
  return [
    table(
      ['design', 'safe', 'unsafe', 'lines per life', 'lines per frame'],
      rows.map((row) => [name(row), ...costCells(row, '–')]),
    ),
    costNote,
    table(
      ['design', ...questionHeads(matrix)],
      rows.map((row) => [name(row), ...questionCells(row)]),
    ),
    questionNote(matrix),
  ].join('\n\n');
}

function cellsMarkdown(matrix: Matrix): string[] {
  return matrix.designs.flatMap(({ name }) => {
    const told = cellsOf(matrix, name).filter(({ cell }) => isTold(cell));
    const unless = unlessOf(matrix, name).map((text) => `- no longer safe if ${escaped(text)}`);
    if (told.length + unless.length === 0) return [];
    const lines = told.map(({ key, cell }) => `- ${key}: ${cellSentence(cell)}`);
    return [`### ${name}`, [...lines, ...unless].join('\n')];
  });
}

export function cellSentence(cell: Cell): string {
  const why = whyWords(cell);
  return escaped(why === '' ? verdictWords(cell) : `${verdictWords(cell)} (${why})`);
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => escaped(cell)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
