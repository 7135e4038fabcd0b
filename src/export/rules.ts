/**
 * The machine's own steps by rule: lines that are evicted or fetched, entries that leave a store
 * buffer for cache or memory. Uses the second statement of the rules (line-rules.ts,
 * buffer-rules.ts, losses.ts) over the values that the explorer met.
 * Leaves out: doorbells, stores that arrive in a page which has another owner by then, the buffer
 * of `init`, whose emptying starts every thread, buffers of other architectures than arm64, and all
 * of it where H5 is looked for, which keeps a history of every line: these are tabulated.
 */
import type { Tables } from '../fast/tables.js';
import type { Word } from '../ideal/word.js';
import type { Cell } from '../kernel/layout.js';
import type { CpuMap, Frame, IotlbEntry } from '../kernel/state.js';
import type { System } from '../system/system.js';
import { afterLeaving, type BufferEntry, mayLeave } from './buffer-rules.js';
import { bodyOf, casesOf, guardOf, type Leaf } from './cases.js';
import type { Encoding } from './encode.js';
import type { Guards } from './guards.js';
import { also, LineRules, type Way } from './line-rules.js';
import { Losses, type Streamed } from './losses.js';
import { always, and, type Cond, type Option, or } from './model.js';
import { WalkCache } from './walk-cache.js';

/** Lines with more words are tabulated: a mask has two to that power values. */
const WORDS_MAX = 5;

export class Rules {
  private readonly losses: Losses;
  private readonly walks: WalkCache;
  private readonly frames: number;
  private readonly maps: number;

  constructor(
    private readonly system: System,
    private readonly tables: Tables,
    private readonly encoding: Encoding,
    private readonly guards: Guards,
  ) {
    const { parts } = tables;
    this.frames = parts.frames;
    this.maps = parts.component('kernel maps');
    const mappings = parts.component('kernel mappings');
    this.losses = new Losses({
      encoding,
      guards,
      layout: system.layout,
      word: (cell) => {
        const component = parts.component(`word ${cell}`);
        return { component, values: this.values<Word>(component) };
      },
      mappings: { component: mappings, values: this.values<readonly Streamed[]>(mappings) },
      slots: this.slots(),
    });
    const iotlb = parts.component('kernel iotlb');
    this.walks = new WalkCache({
      encoding,
      layout: system.layout,
      devices: system.program.machine.devices,
      iotlb: { component: iotlb, values: this.values<readonly IotlbEntry[]>(iotlb) },
    });
  }

  /** The values of a component have the shape of the record that it was cut from (fast/parts). */
  private values<T>(component: number): readonly T[] {
    return this.tables.local(component).data as readonly unknown[] as readonly T[];
  }

  private buffer(thread: number): number {
    return this.tables.parts.component(`thread ${thread} 2`);
  }

  private buffers(thread: number): readonly (readonly BufferEntry[])[] {
    return this.values<{ entries: readonly BufferEntry[] }>(this.buffer(thread)).map(
      ({ entries }) => entries,
    );
  }

  private slots(): { variable: number; entries: readonly (BufferEntry | null)[] }[] {
    return this.system.sites.threads.flatMap((_, thread) =>
      (this.encoding.of[this.buffer(thread)] ?? []).map((variable) => ({
        variable,
        entries: (this.encoding.variables[variable]?.meaning ?? []).map(
          (text): BufferEntry | null => (text === '' ? null : (JSON.parse(text) as BufferEntry)),
        ),
      })),
    );
  }

  /** A line's rules; null when it has too many words for them, or too many walked entries. */
  private line(frame: number, at: number): LineRules | null {
    const component = this.tables.parts.line(frame, at);
    const { unexpectedHit } = this.system.program.machine;
    const rules = new LineRules(this.encoding, component, unexpectedHit);
    if (rules.words > WORDS_MAX) return null;
    const { layout } = this.system;
    const tooWide = this.owners(frame, at).some(({ cells }) => this.walks.isTooWide(rules, cells));
    return layout.hasPtes && tooWide ? null : rules;
  }

  /** The books of the frames by who owns a frame's page, with the words of a line then. */
  private owners(frame: number, at: number): { cond: Cond; cells: readonly Cell[] }[] {
    const found = new Map<string, { ids: Set<number>; cells: readonly Cell[] }>();
    const { layout } = this.system;
    this.values<readonly Frame[]>(this.frames).forEach((frames, id) => {
      const owner = frames[frame];
      if (owner === undefined) return;
      const { buffer, page } = owner;
      const lines = layout.pages(buffer)[layout.pageIndex(buffer, page)]?.lines ?? [];
      const cells = lines[at]?.cells ?? [];
      const key = cells.map((cell) => cell.id).join();
      const kind = found.get(key) ?? { ids: new Set(), cells };
      kind.ids.add(id);
      found.set(key, kind);
    });
    const kinds = [...found.values()];
    return kinds.map(({ ids, cells }) => ({
      // A line is there only where its frame is.
      cond: kinds.length === 1 ? always : this.guards.among(this.frames, ids),
      cells,
    }));
  }

  /** A way with what it does to ideal memory and walk caches, for each owner the page may have. */
  private counted(
    way: Way,
    line: LineRules,
    frame: number,
    at: number,
    range: { from: number; to: number } | null,
  ): readonly Way[] {
    if (way.gone === null && !this.system.layout.hasPtes) return [way];
    const owners = this.owners(frame, at);
    return owners.map(({ cond, cells }) =>
      also(way, cond, [
        ...this.losses.statements(line, frame, cells, way.gone, range),
        ...this.walks.statements(line, cells, way.body),
      ]),
    );
  }

  /** The account of mismatched accesses, and of posted writes, is kept by the trees alone. */
  private get isTabulated(): boolean {
    return this.system.program.machine.strictAlias || this.system.sites.barDevices.length > 0;
  }

  /** What a line does by itself (M3, M4); null where that is tabulated. */
  cache(frame: number, at: number): readonly Option[] | null {
    const line = this.line(frame, at);
    if (line === null || this.isTabulated) return null;
    const ways = line.evictions().flatMap((way) => this.counted(way, line, frame, at, null));
    const notTable = this.notTable(frame);
    const all = [...ways, also(line.fetch(), this.cacheable(frame), [])];
    return all
      .map((way) => (way.moves ? also(way, notTable, []) : way))
      .map((way) => ({
        comment: `line ${at} of frame ${frame}, ${way.text}`,
        guard: way.guard,
        body: way.body,
      }));
  }

  /** A page table is read by its walker alone: a clean copy of it is all the same (M12). */
  private notTable(frame: number): Cond {
    const all = [...this.values<readonly Frame[]>(this.frames).entries()];
    const ids = all.filter(([, frames]) => frames[frame]?.table !== true).map(([id]) => id);
    return ids.length === all.length ? always : this.guards.among(this.frames, new Set(ids));
  }

  /** M4: some live cacheable mapping leads to the frame; the linear map counts. */
  private cacheable(frame: number): Cond {
    const linear = new Set<number>();
    const other = new Set<number>();
    this.values<readonly Frame[]>(this.frames).forEach((frames, id) => {
      const page = frames[frame];
      if (page === undefined) return;
      const cached = (page.linear && (page.linearAs ?? 'WB') === 'WB') || page.inTlb !== undefined;
      (cached ? linear : other).add(id);
    });
    const mapped = new Set<number>();
    this.values<readonly CpuMap[]>(this.maps).forEach((maps, id) => {
      const leads = maps.some(
        (map) =>
          map.live &&
          map.kind !== 'linear' &&
          map.attribute === 'WB' &&
          (map.present.some(([, to]) => to === frame) ||
            map.stale?.some((each) => each.frame === frame) === true),
      );
      if (leads) mapped.add(id);
    });
    return or([
      ...(linear.size > 0 ? [this.guards.among(this.frames, linear)] : []),
      ...(other.size > 0 && mapped.size > 0
        ? [and([this.guards.among(this.frames, other), this.guards.among(this.maps, mapped)])]
        : []),
    ]);
  }

  /** Values of a thread's buffer whose entry at an index leaves by rule. */
  ruled(thread: number, at: number): ReadonlySet<number> {
    const ids = new Set<number>();
    const { profile } = this.system.program.machine;
    if (thread === 0 || profile !== 'arm64' || this.isTabulated) return ids;
    this.buffers(thread).forEach((buffer, id) => {
      const entry = buffer[at];
      if (entry === undefined || this.isRuled(entry)) ids.add(id);
    });
    return ids;
  }

  private isRuled(entry: BufferEntry): boolean {
    const { kind, frame = -1, line = -1, cell = -1, device } = entry;
    if (kind === 'barrier') return true;
    if (entry.posted !== undefined || this.takesLine(device)) return false;
    if (kind === 'doorbell' || this.line(frame, line) === null) return false;
    const owner = this.system.layout.cells[cell];
    return this.values<readonly Frame[]>(this.frames).every((frames) => {
      const now = frames[frame];
      if (now === undefined) return true;
      const same = now.buffer === owner?.buffer && now.page === owner.page;
      return same || (now.buffer < 0 && device === undefined);
    });
  }

  /** A write-back of whole lines is told by the trees alone. */
  private takesLine(device: number | undefined): boolean {
    return this.system.sites.processors.includes(device ?? -1);
  }

  /** Entries at an index of a thread's buffer that leave for cache or memory. */
  drains(thread: number, at: number): readonly Option[] {
    const component = this.buffer(thread);
    const buffers = this.buffers(thread);
    const ruled = this.ruled(thread, at);
    const byEntry = new Map<string, number[]>();
    buffers.forEach((buffer, id) => {
      const entry = buffer[at];
      if (entry === undefined || !ruled.has(id) || !mayLeave(buffer, at)) return;
      const key = JSON.stringify(entry);
      byEntry.set(key, [...(byEntry.get(key) ?? []), id]);
    });
    return [...byEntry].flatMap(([key, ids]) => {
      const entry = JSON.parse(key) as BufferEntry;
      const rest = buffers.map((buffer, id) =>
        ids.includes(id) ? this.rest(thread, buffer, at) : -1,
      );
      const leaves = rest.map((to, id): Leaf => {
        const steps = to < 0 ? [] : [{ sets: new Map([[component, to]]), hazards: [] }];
        return { guards: new Map([[component, new Set([id])]]), steps };
      });
      const met = casesOf(this.encoding, leaves).flatMap((each) => {
        const guard = and([this.started(), guardOf(this.guards, each, () => 0)]);
        const [step] = each.steps;
        const removal = step === undefined ? [] : bodyOf(step);
        return this.arrivals(entry).map((way) => ({
          comment: `entry ${at} of the buffer leaves, ${way.text}`,
          guard: and([guard, way.guard]),
          body: [...removal, ...way.body],
        }));
      });
      const unmet = ids.filter((id) => rest[id] === -1);
      return unmet.length === 0 ? met : [...met, this.unmet(thread, at, unmet)];
    });
  }

  /** The buffer without the entry; -1 where the explorer never met that. */
  private rest(thread: number, buffer: readonly BufferEntry[], at: number): number {
    const text = JSON.stringify(afterLeaving(buffer, at));
    return this.buffers(thread).findIndex((each) => JSON.stringify(each) === text);
  }

  /** Entries that leave nowhere: of these buffers runs must be over before one does. */
  private unmet(thread: number, at: number, ids: readonly number[]): Option {
    const isOne = this.guards.among(this.buffer(thread), new Set(ids));
    const comment = `entry ${at} of the buffer leaves, which no run has come to`;
    return { comment, guard: and([this.started(), isOne]), body: [{ kind: 'wrong' }] };
  }

  /** `init` is over: before that only its own steps and the cache's happen. */
  private started(): Cond {
    const component = this.tables.parts.component('thread 0 0');
    const ids = new Set<number>();
    this.values<{ pc: number }>(component).forEach(({ pc }, id) => {
      if (pc === -2) ids.add(id);
    });
    return this.guards.among(component, ids);
  }

  /** What an entry may do where it arrives. */
  private arrivals(entry: BufferEntry): readonly Way[] {
    const { frame = -1, cell = -1 } = entry;
    const free = new Set<number>();
    const owned = new Set<number>();
    this.values<readonly Frame[]>(this.frames).forEach((frames, id) => {
      if (frames[frame] !== undefined) (frames[frame].buffer < 0 ? free : owned).add(id);
    });
    const ways: Way[] = [];
    const inUse = free.size === 0 ? always : this.guards.among(this.frames, owned);
    if (free.size > 0) {
      const guard = this.guards.among(this.frames, free);
      ways.push({ guard, gone: null, body: [], text: 'to a page that is free: nobody sees it' });
    }
    const place = this.system.layout.cells[cell];
    if (place === undefined) throw new Error(`no word ${cell}`);
    const { line: at, word } = this.system.layout.position(place);
    const line = this.line(frame, at);
    if (line === null) throw new Error(`no rules for line ${at} of frame ${frame}`);
    const { from = 0, to = 0 } = entry;
    const range = entry.kind === 'maintain' ? { from, to } : null;
    const events = this.events(entry, line, word);
    for (const way of events.flatMap((each) => this.counted(each, line, frame, at, range))) {
      ways.push(also(way, inUse, []));
    }
    return ways;
  }

  private events(entry: BufferEntry, line: LineRules, word: number): readonly Way[] {
    if (entry.kind === 'maintain' && entry.op !== undefined) return line.maintenance(entry.op);
    const { value = 0, own = false } = entry;
    if (entry.attribute === 'WB') return line.cachedStore(word, value);
    const direct = line.directStore(word, value);
    if (entry.device !== undefined) return [direct];
    return [direct, ...line.unexpectedHits(word, value, own)];
  }
}

/** Leaves with their steps only where a component has none of these values. */
export function without(
  leaves: readonly Leaf[],
  component: number,
  ids: ReadonlySet<number>,
): readonly Leaf[] {
  return leaves.flatMap((leaf) => {
    const mine = [...(leaf.guards.get(component) ?? [])];
    const part = (wanted: boolean): Leaf['guards'] =>
      new Map([...leaf.guards, [component, new Set(mine.filter((id) => ids.has(id) === wanted))]]);
    if (!mine.some((id) => ids.has(id))) return [leaf];
    const taken: Leaf = { guards: part(true), steps: [] };
    if (mine.every((id) => ids.has(id))) return [taken];
    return [taken, { guards: part(false), steps: leaf.steps }];
  });
}
