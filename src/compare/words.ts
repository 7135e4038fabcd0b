/** A cell, a design and an answer in words, the same in every format. */
import {
  type Cell,
  type Cost,
  cellOf,
  type DesignFact,
  type Matrix,
  shownHazards,
  type UseCaseFact,
} from './matrix.js';

/** For a narrow column. */
export function shortText(cell: Cell): string {
  switch (cell.verdict) {
    case 'safe':
      return 'safe';
    case 'core':
      return 'core';
    case 'setting':
      return `${idsShort(cell)}?`;
    case 'hazard':
      return idsShort(cell);
    case 'idle':
    case 'refused':
      return '-';
    case 'unknown':
      return '?';
  }
}

/** The first id, and a `+` for others. */
export function idsShort({ hazards }: Cell): string {
  return `${hazards[0]?.id ?? ''}${hazards.length > 1 ? '+' : ''}`;
}

export const shortLegend =
  'safe; core: safe on this core only, not where an uncached access may hit as the architecture' +
  ' allows; H2+: hazard H2 and others (civac explain H2); H2?: safe if a setting is changed;' +
  ' -: not possible; ?: not decided';

export function hazardIdsOf({ hazards }: Cell): string {
  return hazards.map(({ id }) => id).join(' ');
}

/** `safe`, `safe on this core only`, `H2 H6; safe if …`. */
export function verdictWords(cell: Cell): string {
  switch (cell.verdict) {
    case 'safe':
      return 'safe';
    case 'core':
      return `safe on this core only${otherCoresWords(cell)}`;
    case 'setting':
      return `${hazardIdsOf(cell)}; safe if ${cell.safeIf.join(', or if ')}`;
    case 'hazard':
      return hazardIdsOf(cell);
    case 'idle':
      return `not done: ${cell.why}`;
    case 'refused':
      return `not possible: ${cell.why}`;
    case 'unknown':
      return `unknown: ${cell.why}`;
  }
}

function otherCoresWords({ onOtherCores }: Cell): string {
  if (onOtherCores === null) return '';
  return `: ${onOtherCores.hazards.map(({ id }) => id).join(' ')} if ${onOtherCores.setting}`;
}

/** Settings that make a safe cell unsafe. */
export function unlessWords({ unsafeIf }: Cell): string {
  return unsafeIf.length === 0 ? '' : `; unsafe if ${unsafeIf.join(', or if ')}`;
}

/** Settings that make a safe cell of a design unsafe, with the columns where they do. */
export function unlessOf(matrix: Matrix, design: string): readonly string[] {
  const where = new Map<string, string[]>();
  for (const { key, cell } of cellsOf(matrix, design)) {
    for (const label of cell.unsafeIf) where.set(label, [...(where.get(label) ?? []), key]);
  }
  return [...where].map(([label, keys]) => `${label}: ${keys.join(' ')}`);
}

/** How sure the first hazard is, question 6 of the thread; and what it is. Empty without one. */
export function whyWords(cell: Cell): string {
  const [first] = shownHazards(cell);
  return first === undefined ? '' : `${likelihood(cell)}: ${first.message}`;
}

export function likelihood(cell: Cell): string {
  const [first] = shownHazards(cell);
  if (first === undefined) return '';
  if (first.needs.length > 0) return `needs ${first.needs.join(' and ')}`;
  return first.certain ? 'in every run' : 'depends on the schedule';
}

/** `64`, `21.3`; whole numbers stay whole. */
export function costText(lines: number): string {
  return Number.isInteger(lines) ? String(lines) : lines.toFixed(1);
}

/** The dearest cell of a design that is safe there; null when it is safe nowhere. */
export function dearest(matrix: Matrix, design: string): Cost | null {
  const costs = matrix.cells.flatMap(({ design: name, verdict, cost }) =>
    name === design && (verdict === 'safe' || verdict === 'core') && cost !== null ? [cost] : [],
  );
  if (costs.length === 0) return null;
  return {
    life: Math.max(...costs.map(({ life }) => life)),
    frame: Math.max(...costs.map(({ frame }) => frame)),
  };
}

export interface DesignRow {
  readonly design: DesignFact;
  readonly safe: number;
  readonly unsafe: number;
  /** For each use case that answers a question with yes or no, its answer. */
  readonly answers: readonly string[];
  readonly needsDevice: string;
  readonly reach: string;
  readonly bounce: string;
  readonly secondAddress: string;
  readonly cost: Cost | null;
}

/** How often a design is safe, and what it costs; `none` for a cost that no safe cell tells. */
export function costCells({ safe, unsafe, cost }: DesignRow, none: string): readonly string[] {
  const lines = cost === null ? [none, none] : [costText(cost.life), costText(cost.frame)];
  return [`${safe}`, `${unsafe}`, ...lines];
}

/** What the thread asked of each design, in the order of `questionHeads`. */
export function questionCells(row: DesignRow): readonly string[] {
  const { answers, needsDevice, reach, bounce, secondAddress } = row;
  return [...answers, needsDevice, reach, bounce, secondAddress];
}

export function questionHeads(matrix: Matrix): readonly string[] {
  const asked = askedBy(matrix).map(({ question }) => question ?? '');
  return [...asked, 'needs the device early', "device's mask", 'may bounce', 'second address'];
}

export const costNote =
  'Lines: cache lines maintained, at most, where the design is safe: in the life of a buffer of' +
  ' one page (4 KiB, 64 lines), and for each job.';

export function questionNote(matrix: Matrix): string {
  const answered =
    'Yes: it can do that, and every run of the use case of that name is coherent; unsafe: it can,' +
    ' and goes wrong; no: it cannot. ';
  const told =
    'Needs the device early: it tells the DMA API the device before the buffer is mapped for one.' +
    ' Second address: behind an IOMMU the DMA API gives it an address that its own page tables do' +
    ' not use.';
  return askedBy(matrix).length === 0 ? told : answered + told;
}

/** Questions that a use case answers with yes or no, by the label of their `Question:` line. */
const yesNo: ReadonlySet<string> = new Set([
  'swappable',
  'mmap before map',
  'several domains',
  'user pages',
  '32-bit device',
]);

function askedBy({ useCases }: Matrix): readonly UseCaseFact[] {
  return useCases.filter(({ question }) => question !== null && yesNo.has(question));
}

function answerOf(cell: Cell | undefined): string {
  switch (cell?.verdict) {
    case 'safe':
      return 'yes';
    case 'core':
      return 'this core only';
    case 'setting':
    case 'hazard':
      return `unsafe: ${idsShort(cell)}`;
    case 'idle':
    case 'refused':
      return 'no';
    default:
      return '?';
  }
}

/** What the thread asked of each design: cells of use cases, and what its operations tell. */
export function designRows(matrix: Matrix): readonly DesignRow[] {
  const asked = askedBy(matrix);
  return matrix.designs.map((design) => {
    const { name, needsDevice, dmaMaps, dmaAllocs, zones } = design;
    const cells = matrix.cells.filter((cell) => cell.design === name);
    const count = (...verdicts: Cell['verdict'][]): number =>
      cells.filter(({ verdict }) => verdicts.includes(verdict)).length;
    const maps = dmaMaps.length > 0;
    const allocates = dmaAllocs.length > 0;
    return {
      design,
      safe: count('safe', 'core'),
      unsafe: count('hazard', 'setting'),
      answers: asked.map((useCase) => answerOf(cellOf(matrix, name, useCase.name))),
      needsDevice: needsDevice.length > 0 ? 'yes' : 'no',
      reach: allocates
        ? 'by allocation'
        : zones.length > 0
          ? 'by zone'
          : maps
            ? 'checked by dma_map'
            : 'not checked',
      bounce: maps && !allocates && zones.length === 0 ? 'may' : 'no',
      secondAddress: maps || allocates ? 'yes' : 'no',
      cost: dearest(matrix, name),
    };
  });
}

export interface Tally {
  readonly unsafe: number;
  readonly impossible: number;
  readonly undecided: number;
  readonly cells: number;
}

export function tally({ cells }: Matrix): Tally {
  const count = (...verdicts: Cell['verdict'][]): number =>
    cells.filter(({ verdict }) => verdicts.includes(verdict)).length;
  return {
    unsafe: count('hazard', 'setting'),
    impossible: count('refused', 'idle'),
    undecided: count('unknown'),
    cells: cells.length,
  };
}

/** `107 unsafe, 12 not possible`, and what was not decided. */
export function tallyWords({ unsafe, impossible, undecided }: Tally): string {
  const open = undecided === 0 ? '' : `, ${undecided} not decided`;
  return `${unsafe} unsafe, ${impossible} not possible${open}`;
}

/** What the lists of cells tell: not the safe ones, and not those that nobody reached. */
export function isTold({ verdict, why }: Cell): boolean {
  return verdict !== 'safe' && !(verdict === 'unknown' && why === 'interrupted');
}

/** Cells of one design in the order of the use cases, each with its use case's key. */
export function cellsOf(
  matrix: Matrix,
  design: string,
): readonly { readonly key: string; readonly cell: Cell }[] {
  return matrix.useCases.flatMap(({ key, name }) => {
    const cell = cellOf(matrix, design, name);
    return cell === undefined ? [] : [{ key, cell }];
  });
}

/** A use case's first line without its letter. */
export function plainAbout(about: string): string {
  return about.replace(/^\(\w+\)\s*/u, '');
}
