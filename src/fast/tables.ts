/**
 * The reference engine's steps, tabulated as they are met. For each group of steps there is a
 * decision tree: each node looks at one component, or at some parts of it, and at the leaf stand
 * the steps. Where the tree has no leaf yet, the reference engine is asked, and what it read while
 * it answered becomes the path to the new leaf; so nothing of the semantics is written twice. The
 * liberties of the machine are a component too: one table serves all of a scenario's explorations.
 * Leaves out: the search (explore.ts).
 */
import type { Recorder } from '../kernel/context.js';
import type { Layout } from '../kernel/layout.js';
import { Touched } from '../kernel/touched.js';
import type { Program } from '../litmus/program.js';
import type { Line } from '../machine/line.js';
import type { State, Unkeyed } from '../system/state.js';
import { type Group, System } from '../system/system.js';
import type { Ledger } from './ledger.js';
import { Local } from './local.js';
import { type Change, Parts } from './parts.js';
import { type Capture, Sharing } from './sharing.js';
import type { TablesData } from './snapshot.js';
import { dataOf, type Entry, groupKey, type LeafData, leafOf } from './tables-text.js';
import { covering, type Data, Tracker, unitText } from './track.js';
import {
  branchOf,
  grow,
  type Ids,
  type Leaf,
  type Look,
  type Table,
  type TabledStep,
} from './tree.js';

/** A set of liberties that notes which ones are asked for. */
class WatchedSet extends Set<string> {
  ask: (liberty: string) => boolean = () => false;

  override has(liberty: string): boolean {
    return this.ask(liberty);
  }
}

class TabulatingSystem extends System {
  /** States need no key here: components are compared one by one. */
  override keyed(state: Unkeyed): State {
    return { ...state, key: '' };
  }
}

interface Answer {
  readonly leaf: Leaf;
  /** What it depends on. */
  readonly looks: readonly Look[];
}

const NO_LEAF: Leaf = { look: null, next: null, steps: [], touched: null, facts: '' };
const EMPTY: Answer = { leaf: NO_LEAF, looks: [] };

export class Tables {
  readonly parts: Parts;
  readonly locals: Local[] = [];
  /** The component that holds the liberties; it never changes during an exploration. */
  readonly liberties: number;
  readonly initial: readonly Change[];
  /** Groups in the order of the reference engine's steps, each with its tree. */
  tables: Table[] = [];
  private readonly complete: Table = { group: null, root: undefined };
  private readonly met: Table[] = [];
  private readonly byGroup = new Map<string, Table>();
  private readonly looks = new Map<string, Look>();
  private readonly system: TabulatingSystem;
  private readonly watched = new WatchedSet();
  /** Values of all components so far: when it grows, states may need more bits. */
  values = 0;
  /** Answers of the reference engine so far. */
  leaves = 0;
  /** Null while no other thread can have any use for these tables. */
  sharing: Sharing | null = null;

  constructor(
    program: Program,
    layout: Layout,
    recorder: Recorder,
    /** For explorations that leave out environment steps. */
    private readonly lazy = false,
  ) {
    this.system = new TabulatingSystem(program, layout, this.watched, recorder);
    const [initial] = this.system.initial();
    if (initial === undefined) throw new Error('no initial state');
    this.parts = new Parts(initial);
    this.liberties = this.parts.component('liberties');
    this.initial = this.parts.changes(initial);
    this.meetGroups(initial);
  }

  /** Which numbers stand for what, for a snapshot. */
  get saved(): TablesData {
    const groups = [...this.tables, ...this.met].flatMap(({ group }) => group ?? []);
    return { names: this.parts.names, values: this.locals.map(({ texts }) => texts), groups };
  }

  /** Gives the same numbers as the tables of a snapshot did; only while there are none yet. */
  restore({ names, values, groups }: TablesData): void {
    for (const name of names) this.parts.restore(name);
    values.forEach((texts, component) => {
      for (const text of texts) this.local(component).id(text);
    });
    for (const group of groups) this.meetGroup(group);
  }

  /**
   * From now on other threads' tables of the same scenario may become the same as these. Right
   * after the constructor.
   */
  share(ledger: Ledger, capture: Capture): Sharing {
    const sharing = new Sharing(ledger, capture, (entry) => this.take(entry));
    this.sharing = sharing;
    const { parts } = this;
    parts.make = (name) => {
      sharing.together(() => {
        if (parts.has(name)) return;
        sharing.note(['part', name]);
        parts.put(name);
      });
    };
    return sharing;
  }

  /** Adds what another thread has added. */
  private take(entry: Entry): void {
    if (entry[0] === 'part') this.parts.restore(entry[1]);
    else if (entry[0] === 'value') this.local(entry[1]).id(entry[2]);
    else if (entry[0] === 'group') this.meetGroup(entry[1]);
    else if (entry[0] === 'leaf') this.takeLeaf(entry[1]);
    else this.sharing?.told(entry);
  }

  private takeLeaf(data: LeafData): void {
    const table = data.group === '' ? this.complete : this.byGroup.get(data.group);
    if (table === undefined) throw new Error(`no group ${data.group}`);
    const looks = data.looks.map(([component, units]) => this.look(component, units));
    this.leaves++;
    grow(table, looks, Int32Array.from(data.ids), leafOf(data), this.branch);
  }

  private together(add: () => void): void {
    if (this.sharing === null) add();
    else this.sharing.together(add);
  }

  private makeValue(component: number, text: string): void {
    this.together(() => {
      const local = this.local(component);
      if (local.has(text)) return;
      this.sharing?.note(['value', component, text]);
      local.put(text);
      this.values++;
    });
  }

  local(component: number): Local {
    while (this.locals.length <= component) {
      const at = this.locals.length;
      const local = new Local((text) => this.makeValue(at, text));
      // Id 0 of a line is no line: that is what it is before its frame exists.
      if (this.parts.names[at]?.startsWith('line ')) {
        local.put('null');
        this.values++;
      }
      this.locals.push(local);
    }
    const found = this.locals[component];
    if (found === undefined) throw new Error(`no component ${component}`);
    return found;
  }

  /** The number of a set of liberties. */
  libertiesOf(liberties: ReadonlySet<string>): number {
    const record = Object.fromEntries([...liberties].sort().map((each) => [each, true]));
    return this.local(this.liberties).id(JSON.stringify(record));
  }

  /**
   * How many values each component has. The liberties are the same in every state, so that no state
   * need hold them.
   */
  sizes(): number[] {
    return this.parts.names.map((_, component) =>
      component === this.liberties ? 1 : this.local(component).data.length,
    );
  }

  private data(component: number, ids: Ids): Data {
    const data = this.local(component).data[ids[component] ?? 0];
    if (data === undefined) throw new Error(`${this.parts.names[component]} has no such value`);
    return data;
  }

  assemble(ids: Ids): Unkeyed {
    return this.parts.assemble((component) => this.data(component, ids));
  }

  /** A line of a state; null while there is none. */
  line(ids: Ids, frame: number, at: number): Line | null {
    // The component holds the text of the line's record.
    return this.data(this.parts.line(frame, at), ids) as unknown as Line | null;
  }

  /** Steps of a group, by index in `tables`. Throws what the reference engine throws. */
  steps(table: number, ids: Ids): Leaf {
    const at = this.tables[table];
    if (at === undefined) throw new Error(`no group ${table}`);
    return this.lookUp(at, ids);
  }

  /** Everything has run to its end. */
  isComplete(ids: Ids): boolean {
    return this.lookUp(this.complete, ids).steps.length > 0;
  }

  /** Of whether everything has run to its end: a leaf with a step where it has. */
  get ends(): Table {
    return this.complete;
  }

  /** The leaf of a tree where these ids lead. Throws what the reference engine throws. */
  leafOf(table: Table, ids: Ids): Leaf {
    return this.lookUp(table, ids);
  }

  /** The branch of a test that a value takes. */
  branchOf(look: Look, id: number): number {
    const known = look.branches[id] ?? -1;
    return known >= 0 ? known : this.branch(look, id);
  }

  private lookUp(table: Table, ids: Ids): Leaf {
    let node = table.root;
    while (node !== undefined && node.look !== null) {
      const id = ids[node.look.component] ?? 0;
      const known = node.look.branches[id] ?? -1;
      node = node.next[known >= 0 ? known : this.branch(node.look, id)];
    }
    const leaf = node ?? this.ask(table, ids);
    if (leaf.facts !== '') this.sharing?.hear(leaf);
    return leaf;
  }

  private readonly branch = (look: Look, id: number): number =>
    branchOf(look, id, this.local(look.component).data[id]);

  /** Asks the reference engine, and grows the tree to the answer. */
  private ask(table: Table, ids: Ids): Leaf {
    const { sharing } = this;
    if (sharing === null) {
      const { leaf, looks } = this.answer(table, ids);
      return grow(table, looks, ids, leaf, this.branch);
    }
    const before = this.leaves;
    sharing.catchUp();
    // Perhaps another thread has asked; if not, nothing is new the second time.
    if (this.leaves > before) return this.lookUp(table, ids);
    let made = EMPTY;
    const facts = sharing.apart(() => {
      made = this.answer(table, ids);
    });
    let { leaf, looks } = made;
    sharing.together(() => {
      const mine = { ...leaf, facts };
      leaf = grow(table, looks, ids, mine, this.branch);
      if (leaf !== mine) return;
      const group = table.group === null ? '' : groupKey(table.group);
      const tests = looks.map(({ component, units }) => [component, units] as const);
      sharing.note(['leaf', dataOf(leaf, { group, ids: [...ids], looks: tests })]);
    });
    return leaf;
  }

  private answer(table: Table, ids: Ids): Answer {
    const tracker = new Tracker();
    this.watched.ask = (liberty) => {
      tracker.note(this.liberties, liberty);
      return unitText(this.data(this.liberties, ids), liberty) === 'true';
    };
    const view = this.parts.view(tracker, (component) => this.data(component, ids));
    const { group } = table;
    const touched = this.lazy && group !== null && group.kind !== 'cache' ? new Touched() : null;
    const steps =
      group === null ? this.completed(view) : this.tabled(view, group, tracker, touched);
    this.leaves++;
    const leaf: Leaf = { look: null, next: null, steps, touched, facts: '' };
    const looks = [...tracker.reads].map(([component, units]) =>
      this.look(component, covering(units)),
    );
    return { leaf, looks };
  }

  private completed(view: State): readonly TabledStep[] {
    const step: TabledStep = { components: [], ids: [], findings: [], will: 'must', row: null };
    return this.system.complete(view) ? [step] : [];
  }

  private tabled(
    view: State,
    group: Group,
    tracker: Tracker,
    touched: Touched | null,
  ): readonly TabledStep[] {
    return this.system.stepsOf(view, group, touched).map((step) => {
      const changes = this.parts.changesFrom(view, step.next);
      const before = this.values;
      const components = changes.map(([component]) => component);
      const ids = changes.map(([component, text]) => this.local(component).id(text));
      // Groups depend on components one by one: only a new value can bring a new group.
      if (this.values > before) {
        tracker.watching = false;
        this.meetGroups(step.next);
        tracker.watching = true;
      }
      return { components, ids, findings: step.findings, will: step.will, row: step.row };
    });
  }

  private look(component: number, units: readonly string[]): Look {
    const key = `${component} ${units.join(' ')}`;
    let found = this.looks.get(key);
    if (found === undefined) {
      found = { component, units, branches: [], byText: new Map() };
      this.looks.set(key, found);
    }
    return found;
  }

  /** Remembers groups that a state has for the first time. */
  private meetGroups(state: Unkeyed): void {
    for (const group of this.system.groups(state)) this.meetGroup(group);
  }

  private meetGroup(group: Group): void {
    const key = groupKey(group);
    if (this.byGroup.has(key)) return;
    this.together(() => {
      if (this.byGroup.has(key)) return;
      this.sharing?.note(['group', group]);
      const table = { group, root: undefined };
      this.byGroup.set(key, table);
      this.met.push(table);
    });
  }

  /** Takes up groups met since; to be called between states, as the numbers of groups change. */
  takeUp(): void {
    if (this.met.length === 0) return;
    this.tables.push(...this.met);
    this.met.length = 0;
    this.tables.sort(({ group: a }, { group: b }) => {
      if (a === null || b === null) return 0;
      const own = OWN[a.kind] - OWN[b.kind];
      return own || a.agent - b.agent || RANK[a.kind] - RANK[b.kind] || a.at - b.at;
    });
  }
}

/** The order of the groups of one agent in the reference engine. */
const RANK = { thread: 0, early: 1, drain: 2, cache: 3, posted: 4, fetch: 5 } as const;

/** What no thread does comes behind what threads do. */
const OWN = { thread: 0, early: 0, drain: 0, cache: 1, posted: 2, fetch: 3 } as const;
