/** The tables of the page: bytes by device, devices, costs, the dearest buffers, savings. */
import { groupDigits } from '../../base/text.js';
import { directionName, duration, hex } from '../judge/words.js';
import type { BufferCost, CostRow, Costs, DeviceFacts, Saving } from '../model.js';
import { meter } from './chart.js';
import { type Html, html } from './html-text.js';
import { bytesShort } from './units.js';

/** Rows of a table; the other formats have all. */
const rowsMax = 200;

function table(heads: readonly Html[], rows: readonly Html[]): Html {
  const rest = rows.length - rowsMax;
  const more =
    rest > 0 ? html`<p class="dim">${groupDigits(rest)} further rows are left out.</p>` : null;
  return html`<div class="scroll"><table><tr>${heads}</tr>${rows.slice(0, rowsMax)}</table></div>
${more}`;
}

const text = (name: string) => html`<th>${name}</th>`;
const num = (name: string) => html`<th class="num">${name}</th>`;
const amount = (value: number) => html`<td class="num">${groupDigits(value)}</td>`;
const size = (value: number) => html`<td class="num">${value > 0 ? bytesShort(value) : '0'}</td>`;
const time = (ns: number | null) => html`<td class="num">${ns === null ? '' : duration(ns)}</td>`;

const answer = (fact: boolean | null, yes: string, no: string) =>
  fact === null ? 'not known' : fact ? yes : no;

function deviceRow(device: DeviceFacts): Html {
  const { coherenceFrom: from, coherenceBecause: because } = device;
  // The answer says already that it is not known.
  const source = [from === 'unknown' ? '' : from, because].filter((part) => part !== '');
  const name = `${device.name}${device.pageTableWalker ? ' (page tables)' : ''}`;
  return html`<tr><td class="nowrap">${name}</td><td>${answer(device.coherent, 'yes', 'no')}
<span class="dim">${source.join(': ')}</span></td>
<td>${answer(device.translated, 'yes', 'no')}</td>${amount(device.maps)}${amount(device.live)}
${amount(device.olderThanTrace)}</tr>`;
}

export function devicesPart(devices: readonly DeviceFacts[]): Html | null {
  if (devices.length === 0) return null;
  const heads = [text('device'), text('snoops the CPU caches'), text('behind an IOMMU')];
  const counts = [num('maps'), num('live at the end'), num('older than the trace')];
  return html`<h2>Devices</h2>${table([...heads, ...counts], devices.map(deviceRow))}`;
}

/** Bytes by device, as lengths: what was mapped, and what of it cost the CPU something. */
export function bytesPart({ rows }: Costs): Html | null {
  const devices = rows.filter(({ task }) => task === '');
  if (devices.length === 0) return null;
  const kinds = ['bytesMapped', 'bytesCleaned', 'bytesInvalidated', 'bytesBounced'] as const;
  const most = kinds.map((kind) => Math.max(0, ...devices.map((row) => row[kind])));
  const cells = (row: CostRow) =>
    kinds.map((kind, i) => {
      const label = row[kind] > 0 ? bytesShort(row[kind]) : '0';
      return html`<td class="nowrap">${meter(row[kind], most[i] ?? 0, label)}</td>`;
    });
  const heads = ['device', 'mapped', 'cleaned', 'invalidated', 'bounced'].map(text);
  const lines = devices.map(
    (row) => html`<tr><td class="nowrap">${row.device}</td>${cells(row)}</tr>`,
  );
  return html`<h2>Bytes by device</h2>${table(heads, lines)}
<p class="dim">Cleaned and invalidated as arm64 does for devices that do not snoop. Lengths compare
within a column.</p>`;
}

function costRow(row: CostRow): Html {
  const site = row.task !== '';
  const name = site ? row.task : row.device;
  return html`<tr class="${site ? 'part' : ''}"><td class="nowrap">${name}</td>
${amount(row.maps)}<td class="num">${groupDigits(Math.round(row.mapsPerSecond))}</td>
${size(row.bytesMapped)}${time(row.lifetimeMedian)}${time(row.lifetimeMax)}
${amount(row.syncsForCpu)}${amount(row.syncsForDevice)}${size(row.bytesCleaned)}
${size(row.bytesInvalidated)}${amount(row.bounces)}${amount(row.invalidations)}</tr>`;
}

function bufferRow(buffer: BufferCost): Html {
  const at = buffer.phys < 0 ? 'not known' : hex(buffer.phys);
  return html`<tr><td class="nowrap">${buffer.device}</td><td class="nowrap">${buffer.task}</td>
<td class="num">${at}</td>${size(buffer.size)}<td>${directionName(buffer.direction)}</td>
${amount(buffer.maps)}${size(buffer.bytesCleaned)}${size(buffer.bytesInvalidated)}
${size(buffer.bytesBounced)}${amount(buffer.invalidations)}</tr>`;
}

function savingRow(saving: Saving): Html {
  return html`<tr><td class="nowrap">${saving.device}</td><td class="nowrap">${saving.task}</td>
<td>${saving.change}</td>${amount(saving.maps)}${amount(saving.invalidations)}
${size(saving.bytesMaintained)}${size(saving.bytesBounced)}</tr>`;
}

export function costsPart(costs: Costs): Html | null {
  if (costs.rows.length === 0) return null;
  const rowHeads = [
    text('device, and its callers'),
    ...['maps', 'maps/s', 'bytes', 'median life', 'longest'].map(num),
    ...['syncs for CPU', 'for device', 'cleaned', 'invalidated', 'bounces', 'IOTLB inv.'].map(num),
  ];
  const bufferHeads = [
    ...['device', 'caller'].map(text),
    ...['phys', 'size'].map(num),
    text('direction'),
    ...['maps', 'cleaned', 'invalidated', 'bounced', 'IOTLB inv.'].map(num),
  ];
  const savingHeads = [
    ...['device', 'caller', 'change'].map(text),
    ...['maps saved', 'IOTLB inv. saved', 'maintenance saved', 'bounces saved'].map(num),
  ];
  return html`<h2>Costs</h2>${table(rowHeads, costs.rows.map(costRow))}
${titled('What would be saved', savingHeads, costs.savings.map(savingRow))}
${titled('The dearest buffers', bufferHeads, costs.dearest.map(bufferRow))}`;
}

function titled(title: string, heads: readonly Html[], rows: readonly Html[]): Html | null {
  return rows.length === 0 ? null : html`<h3>${title}</h3>${table(heads, rows)}`;
}
