/**
 * The matrix for a terminal or a mail: one row per design, one narrow column per use case, then
 * the questions, then every cell that is not simply safe, with the command that shows its run.
 */
import { hang } from '../base/text.js';
import { palette, type Palette } from '../report/paint.js';
import { costText } from './judge.js';
import { type Cell, cellOf, type Matrix } from './matrix.js';
import { likelihood, questionsOf, shortText, tally, verdictWords } from './words.js';

export interface TextOptions {
  readonly width: number;
  readonly color: boolean;
}

export function matrixText(matrix: Matrix, options: TextOptions): string {
  const paint = palette(options.color);
  return [
    ...grid(matrix, paint),
    '',
    legend(options.width),
    '',
    ...useCaseLines(matrix, options.width, paint),
    '',
    ...questionLines(matrix, options.width, paint),
    ...cellLines(matrix, options.width, paint),
    '',
    summary(matrix),
    '',
  ].join('\n');
}

function grid(matrix: Matrix, paint: Palette): string[] {
  const names = Math.max(...matrix.designs.map(({ name }) => name.length));
  const columns = matrix.useCases.map((useCase) => {
    const cells = matrix.cells.filter((cell) => cell.useCase === useCase.name);
    return Math.max(useCase.key.length, ...cells.map((cell) => shortText(cell).length));
  });
  const head = matrix.useCases.map(({ key }, i) => key.padEnd(columns[i] ?? 0)).join('  ');
  const rows = matrix.designs.map(({ name }) => {
    const cells = matrix.useCases.map((useCase, i) => {
      const cell = cellOf(matrix, name, useCase.name);
      if (cell === undefined) return '';
      return painted(cell, shortText(cell).padEnd(columns[i] ?? 0), paint);
    });
    return `${name.padEnd(names)}  ${cells.join('  ')}`.trimEnd();
  });
  return [`${' '.repeat(names)}  ${paint.strong(head.trimEnd())}`, ...rows];
}

function painted({ verdict }: Cell, text: string, paint: Palette): string {
  if (verdict === 'safe') return paint.good(text);
  if (verdict === 'hazard') return paint.bad(text);
  return verdict === 'setting' || verdict === 'core' || verdict === 'unknown'
    ? paint.unsure(text)
    : paint.faint(text);
}

function legend(width: number): string {
  const text =
    'safe; core: safe on this core only (an access may not hit where the architecture allows' +
    ' it); H2+: hazard H2 and others (civac explain H2); H2?: safe if a setting is changed;' +
    ' -: not possible; ?: not decided';
  return hang('', text, Math.min(width, 100));
}

function useCaseLines(matrix: Matrix, width: number, paint: Palette): string[] {
  const pad = Math.max(...matrix.useCases.map(({ key }) => key.length));
  return [
    paint.strong('use cases'),
    ...matrix.useCases.map(({ key, about }) =>
      hang(`  ${key.padEnd(pad)}  `, about.replace(/^\(\w+\)\s*/u, ''), Math.min(width, 110)),
    ),
  ];
}

function questionLines(matrix: Matrix, width: number, paint: Palette): string[] {
  const { asked, rows } = questionsOf(matrix);
  return rows.flatMap((row) => {
    const about = matrix.designs.find(({ name }) => name === row.design)?.about ?? '';
    const answers = asked.map(({ label }, i) => `${label}: ${row.answers[i] ?? ''}`);
    const cost =
      row.cost === null
        ? []
        : [
            `lines of a buffer at most: ${costText(row.cost.life)} in its life,` +
              ` ${costText(row.cost.frame)} per frame`,
          ];
    return [
      `${paint.strong(row.design)}`,
      hang('  ', about, Math.min(width, 100)),
      ...[...answers, `needs the device known first: ${row.needsDevice}`, ...cost].map((line) =>
        hang('    ', line, Math.min(width, 100)),
      ),
    ];
  });
}

function cellLines(matrix: Matrix, width: number, paint: Palette): string[] {
  const told = matrix.cells.filter(({ verdict }) => verdict !== 'safe');
  if (told.length === 0) return [];
  const lines = told.flatMap((cell) => {
    const place = `${cell.design}, ${cell.useCase}: `;
    const first = cell.hazards[0];
    const why = first === undefined ? '' : ` (${likelihood(cell)}: ${first.message})`;
    const replay = first === undefined ? [] : [`    ${cell.replay}`];
    const text = painted(cell, verdictWords(cell), paint) + why;
    return [hang('  ', place + text, Math.min(width, 110)), ...replay];
  });
  return ['', paint.strong('cells that are not simply safe'), ...lines];
}

function summary(matrix: Matrix): string {
  const { unsafe, cells } = tally(matrix);
  return `${matrix.designs.length} designs, ${matrix.useCases.length} use cases: ${unsafe} of ${cells} cells unsafe`;
}
