/** `check --matrix` as text and as JSON (docs/json.md). Leaves out: the runs of its findings. */
import {
  type MatrixCell,
  type MatrixRow,
  matters,
  type PairCell,
  tellsMore,
  verdictOnAll,
} from './cells.js';

function verdictText(cell: MatrixCell): string {
  const ids = cell.hazards.join(' ');
  const reason = cell.reason === null ? '' : `: ${cell.reason}`;
  return cell.verdict === 'hazard' ? `hazard ${ids}` : `${cell.verdict}${reason}`;
}

export function matrixText(row: MatrixRow): string {
  const cells = [row.written, ...row.others];
  const width = Math.max(...cells.map((cell) => cell.setting.length));
  const lines = cells.map((cell) => {
    const mark = cell !== row.written && matters(row, cell) === true ? '*' : ' ';
    return `  ${mark} ${cell.setting.padEnd(width)}  ${verdictText(cell)}`;
  });
  const deciding = row.others.filter((cell) => matters(row, cell) === true);
  const open = row.others.some((cell) => matters(row, cell) === null);
  const names = deciding.map((cell) => cell.setting).join('; ');
  const known = names === '' ? 'no setting alone changes what is found' : `what matters: ${names}`;
  const summary = open ? `${known}; some could not be decided` : known;
  return (
    `${row.file}: ${verdictOnAll(row)} over all\n${lines.join('\n')}\n  ${summary}\n` +
    `${pairsText(row)}${runText(row)}`
  );
}

/** How to see a run of what a setting alone does, or of what only a pair of them does. */
function runText(row: MatrixRow): string {
  const [one] = row.others.filter((cell) => cell.verdict === 'hazard');
  const [two] = (row.pairs ?? []).filter(
    (pair) => pair.verdict === 'hazard' && tellsMore(row, pair) === true,
  );
  const settings = two?.settings ?? (one === undefined ? [] : [one.setting]);
  if (settings.length === 0) return '';
  const given = settings.map((setting) => `--with '${setting}' `).join('');
  return `  a run: civac check ${given}${row.file}\n`;
}

/** The pairs that tell more than their settings alone, and how many there were; '' unasked. */
function pairsText(row: MatrixRow): string {
  const { pairs } = row;
  if (pairs === undefined) return '';
  const telling = pairs.filter((pair) => tellsMore(row, pair) === true);
  const open = pairs.filter((pair) => tellsMore(row, pair) === null).length;
  const width = Math.max(...telling.map(({ setting }) => setting.length));
  const lines = telling.map((pair) => `  * ${pair.setting.padEnd(width)}  ${verdictText(pair)}\n`);
  const count = telling.length < 2 ? `${telling.length || 'none'} tells` : `${telling.length} tell`;
  const more = `${count} more than each setting alone`;
  const left = open === 0 ? '' : `; ${open} could not be decided`;
  const of = pairs.length === 1 ? '1 pair' : `${pairs.length} pairs`;
  return `  ${of} of settings, ${more}${left}\n${lines.join('')}`;
}

function pairJson(row: MatrixRow, pair: PairCell): Readonly<Record<string, unknown>> {
  const { settings, verdict, hazards, reason } = pair;
  return { settings, verdict, hazards, reason, tellsMore: tellsMore(row, pair) };
}

export function matrixJson(rows: readonly MatrixRow[], version: number): string {
  const results = rows.map((row) => ({
    file: row.file,
    verdict: verdictOnAll(row),
    cells: [row.written, ...row.others].map((cell) => ({
      setting: cell.setting,
      verdict: cell.verdict,
      hazards: cell.hazards,
      reason: cell.reason,
      matters: cell === row.written ? null : matters(row, cell),
    })),
    ...(row.pairs === undefined ? {} : { pairs: row.pairs.map((pair) => pairJson(row, pair)) }),
  }));
  return `${JSON.stringify({ version, matrix: results }, null, 2)}\n`;
}
