/**
 * Decision trees over a state's components: each node looks at one component, or at some parts of
 * it, and at the leaf stand the steps of a group.
 * Leaves out: where answers come from (tables.ts).
 */
import type { Will } from '../explore/model.js';
import type { RawFinding } from '../kernel/context.js';
import type { Touched } from '../kernel/touched.js';
import type { RuleRow } from '../machine/cache-rules.js';
import type { Group } from '../system/system.js';
import { type Data, unitText } from './track.js';

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
  /** What was recorded with it, until a state takes that up (sharing.ts); '': nothing. */
  facts: string;
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

/** The tree of a group; null: of whether everything has run to its end. */
export interface Table {
  readonly group: Group | null;
  root: Node | undefined;
}

/** The branch of a test that a value takes which has not come here before. */
export function branchOf(look: Look, id: number, data: Data | undefined): number {
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

/**
 * Puts a leaf where these ids lead, below tests that cover everything it depends on. Returns the
 * one that stands there.
 */
export function grow(
  table: Table,
  looks: readonly Look[],
  ids: Ids,
  leaf: Leaf,
  branchAt: (look: Look, id: number) => number,
): Leaf {
  const open = [...looks];
  let place = (node: Node): void => {
    table.root = node;
  };
  let node = table.root;
  for (;;) {
    if (node?.look === null) return node;
    const look = node?.look ?? open[0];
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
    const id = ids[tested.component] ?? 0;
    const known = tested.branches[id] ?? -1;
    const branch = known >= 0 ? known : branchAt(tested, id);
    const { next } = node;
    while (next.length <= branch) next.push(undefined);
    place = (made) => {
      next[branch] = made;
    };
    node = next[branch];
  }
  place(leaf);
  return leaf;
}
