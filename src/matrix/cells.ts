/**
 * A row of `check --matrix`: one scenario, its verdict as written, the verdict on each other
 * platform, and where asked for with each two settings changed. Leaves out: how the verdicts are
 * found (cli/matrix.ts), and their runs: `civac check --with` shows those.
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

/** Two settings changed together. */
export interface PairCell extends MatrixCell {
  readonly settings: readonly [string, string];
}

export interface MatrixRow {
  readonly file: string;
  readonly written: MatrixCell;
  readonly others: readonly MatrixCell[];
  /** Absent: nobody asked for them. */
  readonly pairs?: readonly PairCell[];
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

/** What a cell found: its ids; null where nobody knows. A refused platform changes nothing. */
function idsOf(row: MatrixRow, cell: MatrixCell | undefined): ReadonlySet<string> | null {
  if (cell === undefined || cell.verdict === 'does not apply') return idsOf(row, row.written);
  return cell.verdict === 'unknown' ? null : new Set(cell.hazards);
}

/**
 * Whether two settings together do what neither tells: the pair has other ids than the scenario as
 * written, with all that either setting alone adds and without all that either takes away.
 */
export function tellsMore(row: MatrixRow, pair: PairCell): boolean | null {
  if (pair.verdict === 'does not apply') return false;
  const alone = (label: string): ReadonlySet<string> | null =>
    idsOf(
      row,
      row.others.find(({ setting }) => setting === label),
    );
  const written = idsOf(row, row.written);
  const [first, second] = [alone(pair.settings[0]), alone(pair.settings[1])];
  const found = idsOf(row, pair);
  if (written === null || first === null || second === null || found === null) return null;
  return [...written, ...first, ...second, ...found].some((id) => {
    const kept = first.has(id) && second.has(id);
    const added = !written.has(id) && (first.has(id) || second.has(id));
    return found.has(id) !== (kept || added);
  });
}

/** One verdict for all platforms: a hazard anywhere, else unknown anywhere, else coherent. */
export function verdictOnAll(row: MatrixRow): 'coherent' | 'hazard' | 'unknown' {
  const all = [row.written, ...row.others, ...(row.pairs ?? [])].map((cell) => cell.verdict);
  if (all.includes('hazard')) return 'hazard';
  return all.includes('unknown') ? 'unknown' : 'coherent';
}
