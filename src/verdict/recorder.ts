/** Facts gathered while exploring, beside the states: no-ops, mappings, maintenance. */
import type { Capture } from '../fast/sharing.js';
import type { Layout, LayoutData } from '../kernel/layout.js';
import type { Named, NoteKind, Operated, Recorder } from '../kernel/context.js';

export interface RecordedNote {
  readonly kind: NoteKind;
  readonly rule: string;
  readonly site: number;
  readonly message: string;
}

/**
 * Two mappings of a buffer with different attributes that were live at once, and what kept them
 * apart: maintenance while the first was there and the second was, or was still to come.
 */
export interface RecordedPair {
  readonly buffer: number;
  readonly first: Named;
  readonly second: Named;
  readonly apart: readonly number[];
}

/** `vmap (WC)`: the attribute is the part in brackets. */
function attribute(name: string): string {
  return name.slice(name.indexOf('('));
}

/** For a checkpoint: a resumed exploration does not meet again what it met before. */
export interface FactsData {
  readonly notes: readonly (readonly [string, RecordedNote])[];
  readonly pairs: readonly (readonly [string, Omit<RecordedPair, 'apart'>])[];
  readonly work: readonly (readonly [string, Operated])[];
  readonly liberties: readonly string[];
  readonly maintenance: readonly (readonly [
    string,
    readonly (readonly [number, readonly string[]])[],
  ])[];
}

export class Facts implements Recorder {
  tracing = false;
  quiet = false;
  /** Liberties that some row of the cache table asked for. */
  readonly liberties = new Set<string>();
  private readonly noteBy = new Map<string, RecordedNote>();
  private readonly pairBy = new Map<string, Omit<RecordedPair, 'apart'>>();
  /** Per live mapping and instruction: mappings that were gone whenever the maintenance came. */
  private readonly maintenance = new Map<string, Map<number, ReadonlySet<string>>>();
  private readonly workBy = new Map<string, Operated>();

  /** All that was recorded, as plain data. */
  get saved(): FactsData {
    const { noteBy, pairBy, workBy, liberties } = this;
    const maintenance = [...this.maintenance].map(
      ([key, sites]) =>
        [key, [...sites].map(([site, gone]) => [site, [...gone]] as const)] as const,
    );
    return {
      notes: [...noteBy],
      pairs: [...pairBy],
      work: [...workBy],
      liberties: [...liberties],
      maintenance,
    };
  }

  restore({ notes, pairs, work, liberties, maintenance }: FactsData): void {
    for (const [key, note] of notes) this.noteBy.set(key, note);
    for (const [key, pair] of pairs) this.pairBy.set(key, pair);
    for (const [key, what] of work) this.workBy.set(key, what);
    for (const liberty of liberties) this.liberties.add(liberty);
    for (const [key, sites] of maintenance) {
      this.maintenance.set(key, new Map(sites.map(([site, gone]) => [site, new Set(gone)])));
    }
  }

  /** Adds what another recorder has, as if it had been recorded here just now. */
  merge({ notes, pairs, work, liberties, maintenance }: FactsData): void {
    for (const [key, note] of notes) if (!this.noteBy.has(key)) this.noteBy.set(key, note);
    for (const [key, pair] of pairs) if (!this.pairBy.has(key)) this.pairBy.set(key, pair);
    for (const [, what] of work) this.operated(what);
    for (const liberty of liberties) this.liberties.add(liberty);
    for (const [key, sites] of maintenance) {
      for (const [site, gone] of sites) this.maintainedOne(key, site, gone);
    }
  }

  met(liberty: string): void {
    this.liberties.add(liberty);
  }

  note(kind: NoteKind, rule: string, site: number, message: string): void {
    const key = `${site}|${message}`;
    if (!this.noteBy.has(key)) this.noteBy.set(key, { kind, rule, site, message });
  }

  mapped(buffer: number, mapping: Named, beside: readonly Named[]): void {
    for (const first of beside) {
      if (attribute(first.name) === attribute(mapping.name)) continue;
      const key = `${buffer}|${first.name}|${mapping.name}`;
      if (!this.pairBy.has(key)) this.pairBy.set(key, { buffer, first, second: mapping });
    }
  }

  maintained(buffer: number, site: number, live: readonly Named[], gone: readonly Named[]): void {
    const names = gone.map((each) => each.name);
    for (const { name } of live) this.maintainedOne(`${buffer}|${name}`, site, names);
  }

  private maintainedOne(key: string, site: number, gone: readonly string[]): void {
    const sites = this.maintenance.get(key) ?? new Map<number, ReadonlySet<string>>();
    const old = sites.get(site);
    sites.set(site, new Set(old === undefined ? gone : gone.filter((each) => old.has(each))));
    this.maintenance.set(key, sites);
  }

  private apart(pair: Omit<RecordedPair, 'apart'>): readonly number[] {
    const sites = this.maintenance.get(`${pair.buffer}|${pair.first.name}`) ?? [];
    return [...sites]
      .flatMap(([site, gone]) => (gone.has(pair.second.name) ? [] : [site]))
      .sort((a, b) => a - b);
  }

  /** Of several ranges the largest is kept: which came last depends on the explorer. */
  operated(what: Operated): void {
    const key = `${what.site}|${what.op}`;
    const old = this.workBy.get(key);
    const { size, from, buffer } = what;
    const keep =
      old !== undefined && (old.size - size || from - old.from || buffer - old.buffer || 1) > 0;
    if (!keep) this.workBy.set(key, what);
  }

  work(): readonly Operated[] {
    return [...this.workBy.values()].sort((a, b) => a.site - b.site);
  }

  notes(): readonly RecordedNote[] {
    return [...this.noteBy.values()].sort((a, b) => a.site - b.site);
  }

  pairs(): readonly RecordedPair[] {
    const since = (pair: { first: Named; second: Named }): number =>
      Math.max(pair.first.site, pair.second.site);
    return [...this.pairBy.values()]
      .sort((a, b) => a.buffer - b.buffer || since(a) - since(b))
      .map((pair) => ({ ...pair, apart: this.apart(pair) }));
  }
}

type Captured = FactsData & Pick<LayoutData, 'cuts' | 'mapped'>;

/** Passes on what is recorded, but for what is kept apart until a state takes it up. */
export class Passing implements Recorder, Capture {
  readonly tracing = false;
  private to: Facts;

  constructor(
    private readonly facts: Facts,
    private readonly layout: Layout,
  ) {
    this.to = facts;
  }

  get quiet(): boolean {
    return this.facts.quiet;
  }

  private before = 0;
  private words = 0;

  private wordsNow(): number {
    return this.layout.cells.length + this.layout.hidden.length;
  }

  begin(): void {
    this.before = this.layout.changes;
    this.words = this.wordsNow();
    this.to = new Facts();
    this.to.quiet = this.quiet;
  }

  end(): string {
    const { saved } = this.to;
    this.to = this.facts;
    const data: Captured = { ...saved, ...this.learned() };
    const isEmpty = Object.values(data).every((list) => list.length === 0);
    return isEmpty ? '' : JSON.stringify(data);
  }

  /**
   * Where ranges begin and end, as far as that is new. Without ranges nothing hangs on it, so that
   * it does not matter when another layout is told. Throws where something does.
   */
  private learned(): Pick<LayoutData, 'cuts' | 'mapped'> {
    const { layout, before } = this;
    if (layout.changes === before) return { cuts: [], mapped: [] };
    if (layout.hasRanges || this.wordsNow() !== this.words) {
      throw new Error('the layout has learned of a word or a range');
    }
    const { cuts, mapped } = layout.saved;
    return { cuts, mapped };
  }

  merge(text: string): void {
    const { cuts, mapped, ...data }: Captured = JSON.parse(text);
    this.facts.merge(data);
    const { layout } = this;
    for (const [id, bytes] of cuts) for (const byte of bytes) layout.cut(id, byte, 'maintained');
    for (const [id, bytes] of mapped) for (const byte of bytes) layout.cut(id, byte, 'mapped');
  }

  met(liberty: string): void {
    this.to.met(liberty);
  }

  note(...what: Parameters<Facts['note']>): void {
    this.to.note(...what);
  }

  mapped(...what: Parameters<Facts['mapped']>): void {
    this.to.mapped(...what);
  }

  maintained(...what: Parameters<Facts['maintained']>): void {
    this.to.maintained(...what);
  }

  operated(what: Operated): void {
    this.to.operated(what);
  }
}
