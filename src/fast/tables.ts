/**
 * The reference engine's steps, tabulated as they are met. For each group of steps there is a
 * decision tree: each node looks at one component, or at some parts of it, and at the leaf stand
 * the steps. Where the tree has no leaf yet, the reference engine is asked, and what it read while
 * it answered becomes the path to the new leaf; so nothing of the semantics is written twice. The
 * liberties of the machine are a component too: one table serves all of a scenario's explorations.
 * Leaves out: the search (explore.ts).
 */
import type { Will } from '../explore/model.js';
import type { RawFinding, Recorder } from '../kernel/context.js';
import type { Layout } from '../kernel/layout.js';
import { Touched } from '../kernel/touched.js';
import type { Program } from '../litmus/program.js';
import type { RuleRow } from '../machine/cache-rules.js';
import type { Line } from '../machine/line.js';
import type { State, Unkeyed } from '../system/state.js';
import { type Group, System } from '../system/system.js';
import { type Change, Parts } from './parts.js';
import type { TablesData } from './snapshot.js';
import { covering, type Data, Tracker, unitText } from './track.js';

/** One step: the components it changes, each with its new local id. */
export interface TabledStep {
  readonly components: readonly number[];
  readonly ids: readonly number[];
  readonly findings: readonly RawFinding[];
  readonly will: Will;
  /** What a line did by itself; null in other steps. */
  readonly row: RuleRow | null;
}

/** The steps of a group, and what they have to do with lines; null where nobody asked. */
export interface Leaf {
  readonly look: null;
  readonly next: null;
  readonly steps: readonly TabledStep[];
  readonly touched: Touched | null;
}

/** Which branch of a test each local id takes; shared by all tests of the same parts. */
export interface Look {
  readonly component: number;
  readonly units: readonly string[];
  /** Local id → branch, or -1. */
  readonly branches: number[];
  readonly byText: Map<string, number>;
}

export type Node =
  | { readonly look: Look; readonly next: (Node | undefined)[]; readonly steps: null }
  | Leaf;

/** Ids of components in a state, by component; 0 for what is not there. */
export type Ids = Int32Array;

/** The values a component was met with; an id is an index. */
class Local {
  readonly data: Data[] = [];
  private readonly byText = new Map<string, number>();

  constructor(private readonly grown: () => void) {}

  get texts(): readonly string[] {
    return [...this.byText.keys()];
  }

  id(text: string): number {
    let found = this.byText.get(text);
    if (found === undefined) {
      found = this.data.push(JSON.parse(text)) - 1;
      this.byText.set(text, found);
      this.grown();
    }
    return found;
  }
}

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

interface Table {
  readonly group: Group | null;
  root: Node | undefined;
}

export class Tables {
  readonly parts: Parts;
  readonly locals: Local[] = [];
  /** The component that holds the liberties; it never changes during an exploration. */
  readonly liberties: number;
  readonly initial: readonly Change[];
  /** Groups in the order of the reference engine's steps, each with its tree. */
  tables: Table[] = [];
  private readonly complete: Table = { group: null, root: undefined };
  private readonly known = new Set<string>();
  private readonly met: Table[] = [];
  private readonly looks = new Map<string, Look>();
  private readonly system: TabulatingSystem;
  private readonly watched = new WatchedSet();
  /** Values of all components so far: when it grows, states may need more bits. */
  values = 0;
  /** Answers of the reference engine so far. */
  leaves = 0;

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

  local(component: number): Local {
    while (this.locals.length <= component) {
      const local = new Local(() => {
        this.values++;
      });
      // Id 0 of a line is no line: that is what it is before its frame exists.
      if (this.parts.names[this.locals.length]?.startsWith('line ')) local.id('null');
      this.locals.push(local);
    }
    const found = this.locals[component];
    if (found === undefined) throw new Error(`no component ${component}`);
    return found;
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

  /** The tree of `isComplete`: a leaf with a step where it is. */
  get completeTree(): Node | undefined {
    return this.complete.root;
  }

  private lookUp(table: Table, ids: Ids): Leaf {
    let node = table.root;
    while (node !== undefined && node.look !== null) {
      const id = ids[node.look.component] ?? 0;
      const known = node.look.branches[id] ?? -1;
      node = node.next[known >= 0 ? known : this.branch(node.look, id)];
    }
    return node ?? this.ask(table, ids);
  }

  private branch(look: Look, id: number): number {
    const data = this.local(look.component).data[id];
    const text = look.units.map((unit) => unitText(data, unit)).join('\n');
    let found = look.byText.get(text);
    if (found === undefined) {
      found = look.byText.size;
      look.byText.set(text, found);
    }
    // Filled without holes: the array stays fast.
    while (look.branches.length <= id) {
      look.branches.push(look.branches.length === id ? found : -1);
    }
    look.branches[id] = found;
    return found;
  }

  /** Asks the reference engine, and grows the tree to the answer. */
  private ask(table: Table, ids: Ids): Leaf {
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
    const leaf: Leaf = { look: null, next: null, steps, touched };
    const looks = [...tracker.reads].map(([component, units]) =>
      this.look(component, covering(units)),
    );
    this.grow(table, looks, ids, leaf);
    return leaf;
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

  /** Puts a leaf where these ids lead, below tests that cover everything it depends on. */
  private grow(table: Table, looks: readonly Look[], ids: Ids, leaf: Node): void {
    const open = [...looks];
    let place = (node: Node): void => {
      table.root = node;
    };
    let node = table.root;
    for (;;) {
      let look = node?.look ?? undefined;
      if (look === undefined) look = open[0];
      if (look === undefined) break;
      const tested = look;
      // A test of the whole component covers any of its parts.
      const rest = open.filter(
        (each) =>
          each !== tested && !(each.component === tested.component && tested.units[0] === ''),
      );
      open.splice(0, open.length, ...rest);
      if (node === undefined) {
        node = { look: tested, next: [], steps: null };
        place(node);
      }
      if (node.look === null) throw new Error('two leaves in one place');
      const id = ids[tested.component] ?? 0;
      const known = tested.branches[id] ?? -1;
      const branch = known >= 0 ? known : this.branch(tested, id);
      const { next } = node;
      while (next.length <= branch) next.push(undefined);
      place = (made) => {
        next[branch] = made;
      };
      node = next[branch];
    }
    place(leaf);
  }

  /** Remembers groups that a state has for the first time. */
  private meetGroups(state: Unkeyed): void {
    for (const group of this.system.groups(state)) this.meetGroup(group);
  }

  private meetGroup(group: Group): void {
    const key = `${group.kind} ${group.agent} ${group.at}`;
    if (this.known.has(key)) return;
    this.known.add(key);
    this.met.push({ group, root: undefined });
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
