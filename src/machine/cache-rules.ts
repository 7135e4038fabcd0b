/**
 * What a cache line does: state × event → next state, effects, one line of text with its rule.
 * The engine, the reference page and the legend of a picture are all drawn from these rows; no
 * other code knows how a line behaves. Several rows for one pair are choices of the machine; a row
 * with a liberty is open only where that liberty is allowed (model.md §1, `needs`).
 * Sources: model.md M2-M5, M9, M10; Arm ARM DDI0487 B2.11 and D8.18; the TRMs of Cortex-A35 and
 * A53 for M6 `ignore` (a non-cacheable access does not use the lookup).
 * Leaves out: caches of devices (M11, kernel/device-cache.ts) and of processors in another
 * shareability domain (kernel/remoteproc.ts).
 */
export type LineState = 'absent' | 'clean' | 'dirty';

export type LineEvent =
  | 'evict'
  | 'speculate'
  | 'load WB'
  | 'store WB'
  | 'load NC'
  | 'store NC'
  | 'clean'
  | 'invalidate'
  | 'clean+invalidate'
  | 'device read'
  | 'device write'
  | 'snooping read'
  | 'snooping write';

export type LineEffect =
  | 'fill'
  | 'write-back'
  | 'drop'
  | 'copy<-value'
  | 'dram<-value'
  | 'return copy'
  | 'return dram'
  | 'mark clean'
  | 'stop here';

export type RowLiberty = 'eviction' | 'speculation' | 'snoop' | 'stash' | 'arch-hit';

export interface RuleRow {
  readonly state: LineState;
  readonly event: LineEvent;
  readonly next: LineState;
  readonly effects: readonly LineEffect[];
  readonly rule: string;
  readonly text: string;
  readonly liberty?: RowLiberty;
  /** Under M6 `arch` only for a line this CPU accessed WB with no DMB since. */
  readonly own?: boolean;
}

function row(
  state: LineState,
  event: LineEvent,
  next: LineState,
  effects: readonly LineEffect[],
  rule: string,
  text: string,
  liberty?: RowLiberty,
): RuleRow {
  const plain = { state, event, next, effects, rule, text };
  return liberty === undefined ? plain : { ...plain, liberty };
}

export const cacheRules: readonly RuleRow[] = [
  // M3: eviction, at any moment.
  row('dirty', 'evict', 'clean', ['write-back'], 'M3', 'dirty line written back, kept clean', 'eviction'),
  row('dirty', 'evict', 'absent', ['write-back', 'drop'], 'M3', 'dirty line written back and dropped', 'eviction'),
  row('clean', 'evict', 'absent', ['drop'], 'M3', 'clean line dropped', 'eviction'),
  // M4: speculation, while a cacheable mapping of the page exists.
  row('absent', 'speculate', 'clean', ['fill'], 'M4', 'line fetched speculatively', 'speculation'),
  // M5: cacheable accesses.
  row('absent', 'load WB', 'clean', ['fill', 'return copy'], 'M5', 'miss: line filled, value from memory'),
  row('clean', 'load WB', 'clean', ['return copy'], 'M5', 'hit in a clean line'),
  row('dirty', 'load WB', 'dirty', ['return copy'], 'M5', 'hit in a dirty line'),
  row('absent', 'store WB', 'dirty', ['fill', 'copy<-value'], 'M5', 'write-allocate: line filled, then dirty'),
  row('clean', 'store WB', 'dirty', ['copy<-value'], 'M5', 'the copy becomes dirty'),
  row('dirty', 'store WB', 'dirty', ['copy<-value'], 'M5', 'the dirty copy is updated'),
  // M5, M6 `ignore`: non-cacheable and Device accesses pass the cache by.
  row('absent', 'load NC', 'absent', ['return dram'], 'M5', 'value from memory'),
  row('clean', 'load NC', 'clean', ['return dram'], 'M6', 'value from memory; the cached copy is not looked at'),
  row('dirty', 'load NC', 'dirty', ['return dram'], 'M6', 'value from memory; the dirty copy is not looked at'),
  row('absent', 'store NC', 'absent', ['dram<-value'], 'M5', 'memory written'),
  row('clean', 'store NC', 'clean', ['dram<-value'], 'M6', 'memory written; the cached copy is now stale'),
  row('dirty', 'store NC', 'dirty', ['dram<-value'], 'M6', 'memory written under a dirty copy'),
  // M6 `arch` and `may-hit`: unexpected hits.
  row('dirty', 'load NC', 'dirty', ['return copy'], 'M6', 'unexpected hit: value from the dirty copy', 'arch-hit'),
  row('dirty', 'store NC', 'dirty', ['copy<-value', 'stop here'], 'M6', 'unexpected hit: the store stops in the dirty copy', 'arch-hit'),
  { ...row('clean', 'load NC', 'clean', ['return copy'], 'M6', 'unexpected hit: value from the clean copy', 'arch-hit'), own: true },
  { ...row('clean', 'store NC', 'dirty', ['copy<-value', 'stop here'], 'M6', 'unexpected hit: the store stops in the copy', 'arch-hit'), own: true },
  // M9: maintenance to the Point of Coherency.
  row('absent', 'clean', 'absent', [], 'M9', 'clean: no copy, nothing to write back'),
  row('clean', 'clean', 'clean', [], 'M9', 'clean: the copy is clean, nothing to write back'),
  row('dirty', 'clean', 'clean', ['write-back'], 'M9', 'clean: the whole line is written back'),
  row('absent', 'invalidate', 'absent', [], 'M9', 'invalidate: no copy'),
  row('clean', 'invalidate', 'absent', ['drop'], 'M9', 'invalidate: the copy is dropped'),
  row('dirty', 'invalidate', 'absent', ['drop'], 'M9', 'invalidate: the dirty copy is thrown away'),
  row('dirty', 'invalidate', 'absent', ['write-back', 'drop'], 'M9', 'invalidate: the hardware wrote the dirty copy back first', 'eviction'),
  row('absent', 'clean+invalidate', 'absent', [], 'M9', 'clean+invalidate: no copy'),
  row('clean', 'clean+invalidate', 'absent', ['drop'], 'M9', 'clean+invalidate: the copy is dropped'),
  row('dirty', 'clean+invalidate', 'absent', ['write-back', 'drop'], 'M9', 'clean+invalidate: written back and dropped'),
  // M10: a device that does not snoop.
  row('absent', 'device read', 'absent', ['return dram'], 'M10', 'device reads memory'),
  row('clean', 'device read', 'clean', ['return dram'], 'M10', 'device reads memory'),
  row('dirty', 'device read', 'dirty', ['return dram'], 'M10', 'device reads memory, not the dirty copy'),
  row('absent', 'device write', 'absent', ['dram<-value'], 'M10', 'device writes memory'),
  row('clean', 'device write', 'clean', ['dram<-value'], 'M10', 'device writes memory; the cached copy is now stale'),
  row('dirty', 'device write', 'dirty', ['dram<-value'], 'M10', 'device writes memory under a dirty copy'),
  // M10: an I/O-coherent device.
  row('absent', 'snooping read', 'absent', ['return dram'], 'M10', 'no copy: device reads memory'),
  row('clean', 'snooping read', 'clean', ['return copy'], 'M10', 'device reads the clean copy'),
  row('clean', 'snooping read', 'clean', ['return dram'], 'M10', 'device reads memory beside a clean copy', 'snoop'),
  row('dirty', 'snooping read', 'dirty', ['return copy'], 'M10', 'device reads the dirty copy'),
  row('absent', 'snooping write', 'absent', ['dram<-value'], 'M10', 'device writes memory'),
  row('clean', 'snooping write', 'absent', ['dram<-value', 'drop'], 'M10', 'device writes memory, the copy is invalidated'),
  row('clean', 'snooping write', 'clean', ['dram<-value', 'copy<-value', 'mark clean'], 'M10', 'device writes memory, the copy is updated', 'snoop'),
  row('dirty', 'snooping write', 'absent', ['write-back', 'dram<-value', 'drop'], 'M10', 'dirty copy written back, then the device writes memory'),
  row('dirty', 'snooping write', 'clean', ['write-back', 'dram<-value', 'copy<-value', 'mark clean'], 'M10', 'dirty copy written back, device writes memory and the copy', 'snoop'),
  row('absent', 'snooping write', 'dirty', ['fill', 'copy<-value'], 'M10', 'device write allocates a dirty line', 'stash'),
  row('clean', 'snooping write', 'dirty', ['copy<-value'], 'M10', 'device write stays in the cache, dirty', 'stash'),
  row('dirty', 'snooping write', 'dirty', ['copy<-value'], 'M10', 'device write stays in the dirty line', 'stash'),
];

/** Whether the machine may take a row. `own`: see RuleRow.own. */
export function isOpen(row: RuleRow, liberties: ReadonlySet<string>, own: boolean): boolean {
  const { liberty } = row;
  if (liberty === undefined) return true;
  if (liberty !== 'arch-hit') return liberties.has(liberty);
  return liberties.has('may-hit') || (liberties.has('arch-hit') && (row.own !== true || own));
}

const NO_ROWS: readonly RuleRow[] = [];
const index: Readonly<Record<LineState, Partial<Record<LineEvent, readonly RuleRow[]>>>> = {
  absent: {},
  clean: {},
  dirty: {},
};
for (const each of cacheRules) {
  index[each.state][each.event] = [...(index[each.state][each.event] ?? []), each];
}

/** The rows for an event in a state, in table order; empty where the event cannot happen. */
export function rowsFor(state: LineState, event: LineEvent): readonly RuleRow[] {
  return index[state][event] ?? NO_ROWS;
}
