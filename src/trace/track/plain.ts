/**
 * Calls that no rule can have a word about, by far the most of them: looked at here once, instead
 * of by each rule. `Hooks` in judge/rule.ts promises rules just that; a rule that wants to see one
 * of these needs its condition taken out here.
 */
import { attributeBits, Direction } from '../events.js';
import type { SyncCall, UnmapCall } from './calls.js';
import type { LiveMapping } from './live-mapping.js';

const SKIP = attributeBits.SKIP_CPU_SYNC;

/** Read by the device, and in place. */
export function plainMap(m: LiveMapping): boolean {
  return m.direction === Direction.ToDevice && !m.bounced;
}

/** As its map was, with all syncs done, of a buffer in place that was not synced in parts. */
export function plainUnmap(m: LiveMapping, call: UnmapCall): boolean {
  if (call.kind !== m.kind || call.direction !== m.direction) return false;
  if (m.kind === 'sg' ? call.entries !== m.entries : call.size !== m.size) return false;
  if (((m.attrs | call.attrs) & SKIP) !== 0 || m.bounced || m.cpuBytes !== 0) return false;
  return call.virt === m.virt;
}

/** In the direction of its map, of a single streaming mapping that the CPU has no part of. */
export function plainSync(m: LiveMapping, call: SyncCall): boolean {
  if (call.list || call.direction !== m.direction || m.kind !== 'page') return false;
  return m.cpuBytes === 0 && m.direction !== Direction.Bidirectional;
}
