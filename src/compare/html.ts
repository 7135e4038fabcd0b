/**
 * The matrix as one HTML page that needs nothing else: the grid, the use cases, the designs, and
 * for each unsafe cell the shortest run, every step with the event and the operation it is of.
 */
import { escapeHtml as esc } from '../base/html.js';
import { runTable } from './html-run.js';
import { script, style } from './html-style.js';
import { type Cell, type Matrix, shownHazards, type UseCaseFact } from './matrix.js';
import {
  cellsOf,
  costCells,
  costNote,
  costText,
  designRows,
  idsShort,
  plainAbout,
  questionCells,
  questionHeads,
  questionNote,
  tally,
  tallyWords,
  unlessWords,
  verdictWords,
  whyWords,
} from './words.js';

export function matrixHtml(matrix: Matrix): string {
  return page(matrix.kind === 'rivals' ? rivalsBody(matrix) : designsBody(matrix));
}

function rivalsBody(matrix: Matrix): string {
  const rows = matrix.designs.flatMap(({ name, file, about }) =>
    cellsOf(matrix, name).map(({ cell }) => {
      const cells = [`<td><code>${esc(file)}</code></td>`, gridCell(cell)];
      const lines = cell.cost === null ? '' : costText(cell.cost.life);
      return `<tr>${cells.join('')}<td class="num">${lines}</td><td>${esc(about)}</td></tr>`;
    }),
  );
  return [
    '<h1>Scenarios of one flow</h1>',
    '<p>Safest first, then the cheapest; lines: cache lines maintained in one run.</p>',
    tableOf(['scenario', 'verdict', 'lines', 'what it is'], rows),
    ...matrix.designs.flatMap(({ name }) => designCells(matrix, name)),
  ].join('\n');
}

function designsBody(matrix: Matrix): string {
  const all = tally(matrix);
  const intro =
    `Every run of ${matrix.designs.length} designs in ${matrix.useCases.length} use cases.` +
    ` Of ${all.cells} cells ${tallyWords(all)}.` +
    ' An unsafe cell leads to its shortest run, and a cell that is safe on this core only to' +
    ' the one on other cores.';
  return [
    '<h1>Which API keeps the buffer coherent?</h1>',
    `<p>${intro}</p>`,
    legend,
    grid(matrix),
    '<p class="faint">*: unsafe with a setting changed, which the cell tells when pointed at.' +
      ' Below “safe”: cache lines maintained in the life of a buffer of one' +
      ' page, and for each job.</p>',
    '<h2>Use cases</h2>',
    useCases(matrix.useCases),
    '<h2>Designs</h2>',
    designs(matrix),
    '<h2>Unsafe cells, and their shortest runs</h2>',
    ...matrix.designs.flatMap(({ name }) => designCells(matrix, name)),
  ].join('\n');
}

function page(body: string): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>civac compare: which API keeps the buffer coherent?</title>',
    `<style>${style}</style>`,
    '</head>',
    `<body>\n${body}\n<script>${script}</script>`,
    '</body>',
    '</html>\n',
  ].join('\n');
}

const legend =
  '<p class="legend"><span class="safe">safe in every run, on every arm64 core</span>' +
  '<span class="core">core: only where uncached accesses never hit</span>' +
  '<span class="hazard">H2+: hazard H2, and others</span>' +
  '<span class="setting">H2 if: safe with a setting changed</span>' +
  '<span class="refused">– not possible</span></p>';

function grid(matrix: Matrix): string {
  const head = matrix.useCases.map(
    ({ key, question, about }) =>
      `<th scope="col" title="${esc(plainAbout(about))}">${esc(key)}` +
      `<small>${esc(question ?? '')}</small></th>`,
  );
  const rows = matrix.designs.map(({ name, about }) => {
    const cells = cellsOf(matrix, name).map(({ cell }) => gridCell(cell));
    const title = `<th scope="row" title="${esc(about)}">${esc(name)}</th>`;
    return `<tr>${title}${cells.join('')}</tr>`;
  });
  return (
    `<div class="wide"><table class="grid"><thead><tr><th></th>${head.join('')}</tr></thead>` +
    `<tbody>${rows.join('\n')}</tbody></table></div>`
  );
}

function cellId({ design, useCase }: Cell): string {
  return `${design}--${useCase}`;
}

function gridCell(cell: Cell): string {
  const link = `<a href="#${esc(cellId(cell))}">${esc(idsShort(cell))}</a>`;
  const title = esc(`${cell.design}, ${cell.useCase}: ${verdictWords(cell)}${unlessWords(cell)}`);
  const open = `<td class="${cell.verdict}" title="${title}">`;
  switch (cell.verdict) {
    case 'safe':
      return `${open}safe${star(cell)}${costLine(cell)}</td>`;
    case 'core':
      return `${open}<a href="#${esc(cellId(cell))}">core</a>${star(cell)}${costLine(cell)}</td>`;
    case 'hazard':
      return `${open}${link}</td>`;
    case 'setting':
      return `${open}${link}<small>if …</small></td>`;
    case 'idle':
    case 'refused':
      return `${open}–</td>`;
    case 'unknown':
      return `${open}?</td>`;
  }
}

function star({ unsafeIf }: Cell): string {
  return unsafeIf.length > 0 ? '*' : '';
}

function costLine({ cost }: Cell): string {
  if (cost === null) return '';
  return `<small>${costText(cost.life)} + ${costText(cost.frame)}</small>`;
}

function useCases(facts: readonly UseCaseFact[]): string {
  const rows = facts.map(({ key, question, about, file }) =>
    row([
      `<b>${esc(key)}</b>`,
      esc(question ?? ''),
      esc(plainAbout(about)),
      `<code>${esc(file)}</code>`,
    ]),
  );
  return tableOf(['', 'question', 'what happens', 'file'], rows);
}

function designs(matrix: Matrix): string {
  const rows = designRows(matrix);
  const costs = rows.map((each) => {
    const { name, file, about } = each.design;
    const numbers = costCells(each, '–').map(number);
    return row([designName(name, file), esc(about), ...numbers]);
  });
  const asked = rows.map((each) =>
    row([`<b>${esc(each.design.name)}</b>`, ...questionCells(each).map(esc)]),
  );
  return [
    tableOf(['design', 'what it does', 'safe', 'unsafe', 'lines per life', 'per frame'], costs),
    `<p class="faint">${costNote}</p>`,
    '<h2>What the thread asked of each</h2>',
    tableOf(['design', ...questionHeads(matrix)], asked),
    `<p class="faint">${questionNote(matrix)}</p>`,
  ].join('\n');
}

function designName(name: string, file: string): string {
  return `<b>${esc(name)}</b><br><code>${esc(file.replace(/^.*[/\\]/u, ''))}</code>`;
}

function number(text: string): string {
  return `<div class="num">${text}</div>`;
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function tableOf(head: readonly string[], rows: readonly string[]): string {
  const titles = head.map((title) => `<th scope="col">${esc(title)}</th>`).join('');
  return (
    `<div class="wide"><table><thead><tr>${titles}</tr></thead>` +
    `<tbody>${rows.join('\n')}</tbody></table></div>`
  );
}

function designCells(matrix: Matrix, design: string): string[] {
  const unsafe = cellsOf(matrix, design).filter(({ cell }) => shownHazards(cell).length > 0);
  if (unsafe.length === 0) return [];
  return [`<h3>${esc(design)}</h3>`, ...unsafe.map(({ key, cell }) => cellDetails(key, cell))];
}

function cellDetails(key: string, cell: Cell): string {
  const [first, ...others] = shownHazards(cell);
  if (first === undefined) return '';
  const more = others.map(({ id, message }) => `<li><b>${esc(id)}</b> ${esc(message)}</li>`);
  const ids = shownHazards(cell)
    .map(({ id }) => id)
    .join(' ');
  const again = cell.onOtherCores?.replay ?? cell.replay;
  const list = more.length === 0 ? '' : `<p>Also:</p><ul>${more.join('')}</ul>`;
  return [
    `<details id="${esc(cellId(cell))}"><summary><b>${esc(key)}</b> ` +
      `<span class="tag ${cell.verdict}">${esc(ids)}</span> ` +
      `${esc(settingText(cell))}<span class="faint">${esc(whyWords(cell))}</span></summary>`,
    '<div class="inside">',
    `<p><b>${esc(first.id)}</b> ${esc(first.message)}. Expected <b>${esc(first.expected)}</b>,` +
      ` got <b>${esc(first.actual)}</b>.</p>`,
    runTable(first.steps),
    list,
    `<p class="faint">Again: <code>${esc(again)}</code>; the lines that steps name are` +
      ' those of that scenario.</p>',
    '</div></details>',
  ].join('\n');
}

function settingText({ safeIf, onOtherCores }: Cell): string {
  if (onOtherCores !== null) return `safe on this core only, unsafe if ${onOtherCores.setting}; `;
  return safeIf.length === 0 ? '' : `safe if ${safeIf.join(', or if ')}; `;
}
