/** A cell and an answer in words, the same in every format. */
import type { Cell, Cost, Matrix, UseCaseFact } from './matrix.js';
import { cellOf } from './matrix.js';

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

function idsShort({ hazards }: Cell): string {
  const [first] = hazards;
  return `${first?.id ?? ''}${hazards.length > 1 ? '+' : ''}`;
}

export function hazardIdsOf({ hazards }: Cell): string {
  return hazards.map(({ id }) => id).join(' ');
}

/** `safe`, `safe on this core only`, `H2 H6, safe if …`. */
export function verdictWords(cell: Cell): string {
  switch (cell.verdict) {
    case 'safe':
      return 'safe';
    case 'core':
      return 'safe on this core only';
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

/** How sure the first hazard is: question 6 of the thread. */
export function likelihood(cell: Cell): string {
  const [first] = cell.hazards;
  if (first === undefined) return '';
  if (first.needs.length > 0) return `needs ${first.needs.join(' and ')}`;
  return first.certain ? 'in every run' : 'depends on the schedule';
}

/** The answer to a use case's question. */
export function answerText(cell: Cell | undefined): string {
  switch (cell?.verdict) {
    case undefined:
      return '';
    case 'safe':
      return 'yes';
    case 'core':
      return 'yes, on this core';
    case 'setting':
      return `if ${cell.safeIf.join(' or ')}`;
    case 'hazard':
      return `no: ${hazardIdsOf(cell)}`;
    case 'idle':
    case 'refused':
      return `no: ${cell.why}`;
    case 'unknown':
      return 'unknown';
  }
}

export interface QuestionRow {
  readonly design: string;
  readonly needsDevice: string;
  /** In the order of `questions`. */
  readonly answers: readonly string[];
  /** The dearest cell: lines per life, lines per frame. */
  readonly cost: Cost | null;
}

export interface Questions {
  readonly asked: readonly { readonly label: string; readonly useCase: UseCaseFact }[];
  readonly rows: readonly QuestionRow[];
}

export function questionsOf(matrix: Matrix): Questions {
  const asked = matrix.useCases.flatMap((useCase) =>
    useCase.question === null ? [] : [{ label: useCase.question, useCase }],
  );
  const rows = matrix.designs.map(({ name, needsDevice }) => ({
    design: name,
    needsDevice: needsDevice.length === 0 ? 'no' : `yes: ${needsDevice.join(', ')}`,
    answers: asked.map(({ useCase }) => answerText(cellOf(matrix, name, useCase.name))),
    cost: dearest(matrix, name),
  }));
  return { asked, rows };
}

function dearest(matrix: Matrix, design: string): Cost | null {
  const costs = matrix.cells.flatMap((cell) =>
    cell.design === design && cell.cost !== null ? [cell.cost] : [],
  );
  if (costs.length === 0) return null;
  return {
    life: Math.max(...costs.map(({ life }) => life)),
    frame: Math.max(...costs.map(({ frame }) => frame)),
  };
}

/** How many designs are safe in everything they can do. */
export function tally(matrix: Matrix): { readonly unsafe: number; readonly cells: number } {
  const unsafe = matrix.cells.filter(
    ({ verdict }) => verdict === 'hazard' || verdict === 'setting',
  ).length;
  return { unsafe, cells: matrix.cells.length };
}
