/** `check --matrix` as text and as JSON (docs/json.md). Leaves out: the runs of its findings. */
import { type MatrixCell, type MatrixRow, matters, verdictOnAll } from './cells.js';

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
  const [one] = row.others.filter((cell) => cell.verdict === 'hazard');
  const again =
    one === undefined ? '' : `  a run: civac check --with '${one.setting}' ${row.file}\n`;
  return `${row.file}: ${verdictOnAll(row)} over all\n${lines.join('\n')}\n  ${summary}\n${again}`;
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
  }));
  return `${JSON.stringify({ version, matrix: results }, null, 2)}\n`;
}
