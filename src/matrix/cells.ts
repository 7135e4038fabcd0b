/**
 * A row of `check --matrix`: one scenario, its verdict as written, and the verdict on each other
 * platform. Leaves out: how the verdicts are found (cli/matrix.ts), and their runs: the setting put
 * into the file and `civac check` show those.
 */
import type { Summary } from '../verdict/summary.js';

export type CellVerdict = 'coherent' | 'hazard' | 'unknown' | 'does not apply';

export interface MatrixCell {
  /** As it reads in the machine block; `as written` for the scenario itself. */
  readonly setting: string;
  readonly verdict: CellVerdict;
  /** Ids of the findings, each once, causes first. */
  readonly hazards: readonly string[];
  /** Why it is unknown or does not apply. */
  readonly reason: string | null;
}

export interface MatrixRow {
  readonly file: string;
  readonly written: MatrixCell;
  readonly others: readonly MatrixCell[];
}

export const AS_WRITTEN = 'as written';

export function summaryCell(setting: string, found: Summary): MatrixCell {
  const { verdict, reason } = found;
  return { setting, verdict, hazards: [...new Set(found.hazards)], reason };
}

/** The platform cannot run the scenario: a call of it makes no sense there. */
export function refusedCell(setting: string, reason: string): MatrixCell {
  return { setting, verdict: 'does not apply', hazards: [], reason };
}

export function openCell(setting: string, reason: string): MatrixCell {
  return { setting, verdict: 'unknown', hazards: [], reason };
}

/** The setting changes the verdict or the set of hazards; null when nobody knows. */
export function matters(row: MatrixRow, cell: MatrixCell): boolean | null {
  if (cell.verdict === 'does not apply') return false;
  if (cell.verdict === 'unknown' || row.written.verdict === 'unknown') return null;
  const ids = (each: MatrixCell): string => [...each.hazards].sort().join(' ');
  return cell.verdict !== row.written.verdict || ids(cell) !== ids(row.written);
}

/** One verdict for all platforms: a hazard anywhere, else unknown anywhere, else coherent. */
export function verdictOnAll(row: MatrixRow): 'coherent' | 'hazard' | 'unknown' {
  const all = [row.written, ...row.others].map((cell) => cell.verdict);
  if (all.includes('hazard')) return 'hazard';
  return all.includes('unknown') ? 'unknown' : 'coherent';
}
