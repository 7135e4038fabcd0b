/**
 * The report of `civac trace` for a terminal: findings with the events that show them, devices,
 * costs, and what limits all of it. Leaves out colours by name (report/paint.ts).
 */
import { count, groupDigits, hang } from '../../base/text.js';
import { type Palette, palette } from '../../report/paint.js';
import { UNKNOWN } from '../events.js';
import { ruleOf } from '../judge/rules.js';
import { directionName, duration, hex, timestamp } from '../judge/words.js';
import type {
  BufferCost,
  CostRow,
  DeviceFacts,
  Evidence,
  Finding,
  Saving,
  Severity,
  TraceResult,
} from '../model.js';
import { table } from './table.js';
import { bytesShort, shortNumber } from './units.js';

export interface TraceTextOptions {
  readonly width: number;
  readonly color: boolean;
  /** Notes in full, and every call site in the costs. */
  readonly all: boolean;
}

interface Context {
  readonly paint: Palette;
  readonly width: number;
  readonly all: boolean;
}

/** Call sites of a device in the costs, unless all are asked for. */
const sitesShown = 3;

function severityPaint(paint: Palette, severity: Severity): (text: string) => string {
  if (severity === 'error') return paint.bad;
  return severity === 'warning' ? paint.unsure : paint.strong;
}

function headText(result: TraceResult): string {
  const { source } = result;
  const span = duration(Math.max(0, source.last - source.first));
  const kernel = source.kernel === '' ? '' : `, kernel ${source.kernel}`;
  const lostCount = source.lost === UNKNOWN ? 'an unknown number' : groupDigits(source.lost);
  const lost = source.lost === 0 ? '' : `, ${lostCount} lost`;
  return `${source.file}: ${count(source.events, 'event')} in ${span}${lost}${kernel}`;
}

function verdictText(result: TraceResult): string {
  const of = (severity: Severity) => result.findings.filter((f) => f.severity === severity).length;
  const parts = [
    count(of('error'), 'error'),
    count(of('warning'), 'warning'),
    count(of('note'), 'note'),
  ];
  const open = result.findings.filter(
    (f) => f.severity !== 'note' && f.certainty === 'needs-coherence',
  ).length;
  const unless = open === 0 ? '' : `; ${groupDigits(open)} of them only if a device does not snoop`;
  return parts.join(', ') + unless;
}

function evidenceRows(evidence: readonly Evidence[]): string[] {
  const role = Math.max(...evidence.map((e) => e.role.length), 0);
  const event = Math.max(...evidence.map((e) => e.event.length), 0);
  const task = Math.max(...evidence.map((e) => `${e.task}-${e.pid}`.length), 0);
  return evidence.map((e) => {
    const who = `${e.task}-${e.pid}`.padEnd(task);
    const where = `${timestamp(e.time)} [${String(e.cpu).padStart(3, '0')}]`;
    return `    ${where} ${who}  ${e.role.padEnd(role)}  ${e.event.padEnd(event)}  ${e.text}`;
  });
}

function findingText(finding: Finding, { paint, width }: Context): string[] {
  const { severity, first } = finding;
  const rule = ruleOf(finding.rule);
  const hazard = finding.id === '' ? '' : `${finding.id} `;
  const title = `${severity} ${hazard}${finding.rule}`;
  const times = finding.count > 1 ? `, ${groupDigits(finding.count)} times` : '';
  const who = first.pid >= 0 ? `${first.task} at ${timestamp(first.time)}` : 'all tasks';
  return [
    `${severityPaint(paint, severity)(title)}: ${rule?.title ?? ''} (${finding.certainty})`,
    hang('  ', `${finding.device}, ${who}${times}: ${finding.message}`, width),
    ...evidenceRows(finding.evidence).map((line) => paint.faint(line)),
    ...(rule === undefined || severity === 'note' ? [] : [hang('  mend: ', rule.mend, width)]),
  ];
}

/** Notes are many and harmless: one line each. */
function noteLine(finding: Finding, { width }: Context): string {
  const times = finding.count > 1 ? ` ${groupDigits(finding.count)}x` : '';
  const text = `${finding.device}${times} ${finding.rule}: ${finding.message}`;
  return hang('  - ', text, width);
}

function findingsText(result: TraceResult, context: Context): string[] {
  const loud = result.findings.filter((f) => context.all || f.severity !== 'note');
  const quiet = result.findings.filter((f) => !context.all && f.severity === 'note');
  const lines = loud.flatMap((finding) => ['', ...findingText(finding, context)]);
  if (quiet.length === 0) return lines;
  const title = 'notes, nothing wrong by themselves (--all shows their events)';
  return [
    ...lines,
    '',
    context.paint.strong(title),
    ...quiet.map((finding) => noteLine(finding, context)),
  ];
}

function coherenceWord(device: DeviceFacts): string {
  if (device.coherent === null) return 'unknown';
  const word = device.coherent ? 'snoops' : 'does not snoop';
  return device.coherenceFrom === 'inferred' ? `${word} (inferred)` : word;
}

function translationWord(device: DeviceFacts): string {
  if (device.translated === null) return 'unknown';
  return device.translated ? 'yes' : 'no';
}

function devicesText(devices: readonly DeviceFacts[], { paint }: Context): string[] {
  if (devices.length === 0) return [];
  const rows = devices.map((device) => [
    device.name + (device.pageTableWalker ? ' (page tables)' : ''),
    coherenceWord(device),
    translationWord(device),
    groupDigits(device.maps),
    groupDigits(device.live),
    groupDigits(device.olderThanTrace),
  ]);
  const head = ['device', 'coherence', 'IOMMU', 'mapped', 'live at end', 'calls on older mappings'];
  return ['', ...table(head, rows, 3, paint.strong)];
}

function costCells(row: CostRow): string[] {
  const time = (value: number | null) => (value === null ? '-' : duration(value));
  return [
    row.task === '' ? row.device : `  ${row.task}`,
    groupDigits(row.maps),
    shortNumber(row.mapsPerSecond),
    time(row.lifetimeMedian),
    time(row.lifetimeMax),
    bytesShort(row.bytesMapped),
    bytesShort(row.bytesCleaned),
    bytesShort(row.bytesInvalidated),
    bytesShort(row.bytesBounced),
    groupDigits(row.invalidations),
  ];
}

function costsText(rows: readonly CostRow[], { paint, all }: Context): string[] {
  if (rows.length === 0) return [];
  let sites = 0;
  const shown = rows.filter((row) => {
    sites = row.task === '' ? 0 : sites + 1;
    return all || sites <= sitesShown;
  });
  const head = [
    'cost of device and task',
    'maps',
    'per s',
    'lives',
    'longest',
    'mapped',
    'cleaned',
    'invalidated',
    'bounced',
    'IOTLB inv.',
  ];
  return ['', ...table(head, shown.map(costCells), 1, paint.strong)];
}

function dearestText(buffers: readonly BufferCost[], { paint }: Context): string[] {
  if (buffers.length === 0) return [];
  const rows = buffers.map((b) => [
    `${b.device}  ${hex(b.phys)}`,
    b.task,
    directionName(b.direction),
    bytesShort(b.size),
    groupDigits(b.maps),
    bytesShort(b.bytesCleaned + b.bytesInvalidated),
    bytesShort(b.bytesBounced),
    groupDigits(b.invalidations),
  ]);
  const head = [
    'dearest buffers',
    'task',
    'direction',
    'size',
    'maps',
    'maintained',
    'bounced',
    'IOTLB inv.',
  ];
  return ['', ...table(head, rows, 3, paint.strong)];
}

function savingLine(saving: Saving): string {
  const parts = [
    saving.maps > 0 ? count(saving.maps, 'map and unmap', 'maps and unmaps') : '',
    saving.invalidations > 0 ? count(saving.invalidations, 'IOTLB invalidation') : '',
    saving.bytesMaintained > 0 ? `${bytesShort(saving.bytesMaintained)} of maintenance` : '',
    saving.bytesBounced > 0 ? `${bytesShort(saving.bytesBounced)} of bouncing` : '',
  ];
  return `${saving.device}: ${saving.change}: ${parts.filter((part) => part !== '').join(', ')}`;
}

function section(title: string, lines: readonly string[], { paint, width }: Context): string[] {
  if (lines.length === 0) return [];
  return ['', paint.strong(title), ...lines.map((line) => hang('  - ', line, width))];
}

/** The whole report; ends with a line feed. */
export function traceText(result: TraceResult, options: TraceTextOptions): string {
  const paint = palette(options.color);
  const context = { paint, width: Math.min(options.width, 110), all: options.all };
  const unsure = result.devices.some((device) => device.coherent === null);
  const notes = [...result.notes];
  if (unsure && result.costs.rows.length > 0) {
    notes.push(
      'costs of a device of unknown coherence are those it has if it does not snoop; tell with ' +
        '--coherent and --non-coherent, or give its device tree with --dt',
    );
  }
  return `${[
    paint.strong(headText(result)),
    `  ${verdictText(result)}`,
    ...findingsText(result, context),
    ...devicesText(result.devices, context),
    ...costsText(result.costs.rows, context),
    ...dearestText(result.costs.dearest, context),
    ...section('what would be saved', result.costs.savings.map(savingLine), context),
    ...section('limits', notes, context),
  ].join('\n')}\n`;
}
