/** Events and mappings in words, with the field names the kernel prints. */
import { groupDigits } from '../../base/text.js';
import { attributeBits, Direction, type EventHead, UNKNOWN } from '../events.js';
import type { Evidence } from '../model.js';
import type { SyncCall, UnmapCall } from '../track/calls.js';
import type { ClosedEntry } from '../track/closed.js';
import type { LiveMapping } from '../track/live-mapping.js';

/** As `%llx` prints it. */
export function hex(address: number): string {
  return address < 0 ? 'unknown' : address.toString(16);
}

const directionNames: Readonly<Record<number, string>> = {
  [Direction.Bidirectional]: 'BIDIRECTIONAL',
  [Direction.ToDevice]: 'TO_DEVICE',
  [Direction.FromDevice]: 'FROM_DEVICE',
  [Direction.None]: 'NONE',
};

export function directionName(direction: Direction): string {
  return directionNames[direction] ?? 'unknown';
}

export function attrNames(attrs: number): string {
  const names = Object.entries(attributeBits).filter(([, bit]) => (attrs & bit) !== 0);
  return names.map(([name]) => name).join('|');
}

export function bytes(count: number): string {
  return count === 1 ? '1 byte' : `${groupDigits(count)} bytes`;
}

/** `1.5 ms`; three digits, no locale. */
export function duration(nanoseconds: number): string {
  const units = ['ns', 'us', 'ms', 's'] as const;
  let value = nanoseconds;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value >= 100 || unit === 0 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** Seconds with microseconds, as ftrace prints a time. */
export function timestamp(nanoseconds: number): string {
  return (nanoseconds / 1e9).toFixed(6);
}

/** `dma_map_page of 1,024 bytes at ffffe000` */
export function mappingWords(m: LiveMapping): string {
  return `${m.mapEvent} of ${bytes(m.size)} at dma_addr ${hex(m.dma)}`;
}

function attrsText(attrs: number): string {
  const names = attrNames(attrs);
  return names === '' ? '' : ` attrs=${names}`;
}

/** The map event of a mapping. */
export function mapEvidence(m: LiveMapping, role = 'mapped'): Evidence {
  const phys = m.phys < 0 ? '' : ` phys_addr=${hex(m.phys)}`;
  const entries = m.entries === 1 || m.entries === UNKNOWN ? '' : ` nents=${m.entries}`;
  const dir = directionName(m.direction);
  const bounced = m.bounced ? ' (bounced)' : '';
  return {
    role,
    time: m.mappedAt,
    cpu: m.mapCpu,
    pid: m.mapPid,
    task: m.mapTask,
    event: m.mapEvent,
    text:
      `dir=${dir} dma_addr=${hex(m.dma)} size=${m.size}${entries}${phys}` +
      `${attrsText(m.attrs)}${bounced}`,
  };
}

function headEvidence(head: EventHead, role: string, text: string): Evidence {
  const { time, cpu, pid, task, name } = head;
  return { role, time, cpu, pid, task, event: name, text };
}

export function unmapEvidence(call: UnmapCall, role = 'unmapped'): Evidence {
  const list = call.kind === 'sg';
  const where = list ? `phys_addrs={${hex(call.address)}, ...}` : `dma_addr=${hex(call.address)}`;
  const size = call.size < 0 ? '' : ` size=${call.size}`;
  const entries = list && call.entries !== UNKNOWN ? ` nents=${call.entries}` : '';
  const text = `dir=${directionName(call.direction)} ${where}${size}${entries}`;
  return headEvidence(call.head, role, text + attrsText(call.attrs));
}

export function syncEvidence(call: SyncCall, role = 'synced'): Evidence {
  const dir = directionName(call.direction);
  const entries = call.list && call.entries !== UNKNOWN ? ` nents=${call.entries}` : '';
  const text = `dir=${dir} dma_addr=${hex(call.dma)} size=${call.size}${entries}`;
  return headEvidence(call.head, role, text);
}

export function pageEvidence(head: EventHead, role: string, pfn: number): Evidence {
  return headEvidence(head, role, `pfn=0x${hex(pfn)}`);
}

export function plainEvidence(head: EventHead, role: string, text: string): Evidence {
  return headEvidence(head, role, text);
}

export function closedEvidence(entry: ClosedEntry, role = 'unmapped'): Evidence {
  const { time, cpu, pid, task, event } = entry;
  const where = entry.byPhys ? 'phys_addrs={' : 'dma_addr=';
  const end = entry.byPhys ? ', ...}' : '';
  const text = `${where}${hex(entry.address)}${end} size=${entry.size}`;
  return { role, time, cpu, pid, task, event, text };
}
