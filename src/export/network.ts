/**
 * A network of components (fast/model.ts) as an export model: what bench/wcbuf measures, for the
 * other checkers. Its tables come from the closure, which needs no exploration.
 * Leaves out: scenarios (scenario.ts), and how many states there are.
 */
import type { NetworkModel } from '../fast/model.js';
import { acyclicComponents, Closure, type LocalMap, Tables, type Tree } from '../fast/tabulate.js';
import { bodyOf, type Case, casesOf, guardOf, type Leaf } from './cases.js';
import { Encoding } from './encode.js';
import { Guards } from './guards.js';
import type { ExportModel, Hazard, Option, Statement } from './model.js';
import { Names } from './names.js';

/** A leaf that also does something to components it did not look at. */
interface Mapped {
  readonly leaf: Leaf;
  readonly maps: readonly LocalMap[];
}

export function exportNetwork(model: NetworkModel, name: string): ExportModel {
  const controls = acyclicComponents(model);
  const tables = new Tables(model);
  // Made for what it puts into the tables.
  const { points } = new Closure(tables, controls);
  const counts = model.components.map((_, component) => {
    const ids = points.flatMap((point) => [...(point.sets[component] ?? [])]);
    return 1 + Math.max(0, ...ids);
  });
  const values = counts.map((count, component) =>
    Array.from({ length: count }, (_, id) => tables.value(component, id)),
  );
  const encoding = new Encoding(
    values,
    () => false,
    () => false,
  );
  const hazards: Hazard[] = [];
  const options = tables.roots.flatMap((root) => optionsOf(root, encoding, hazards));
  const initial = model.initial().map((value, component) => tables.id(component, value));
  const names = new Names();
  return {
    name,
    head: [],
    variables: encoding.variables.map(({ component, path, size, meaning }, v) => ({
      name: names.take(`${model.components[component] ?? ''}${path === '' ? '' : `_${path}`}`),
      size,
      meaning,
      comment: '',
      initial: encoding.value(v, initial[component] ?? 0),
    })),
    running: null,
    agents: [{ name: 'network', comment: name, options }],
    hazards,
    forbidden: [],
    states: -1,
    transitions: -1,
  };
}

function optionsOf(root: Tree | undefined, encoding: Encoding, hazards: Hazard[]): Option[] {
  const guards = new Guards(encoding);
  const all = leavesOf(root, hazards);
  // Leaves that map alike are told apart by nothing else: their cases are made together.
  const kinds = new Map<string, Mapped[]>();
  for (const each of all) {
    const key = each.maps.map(({ component }) => component).join();
    const list = kinds.get(key) ?? [];
    kinds.set(key, list);
    list.push(each);
  }
  return [...kinds.values()].flatMap((list) => {
    const [{ maps }] = list as [Mapped];
    const shared = maps.flatMap((map) => mapBody(map, encoding, guards));
    // A leaf with maps is not merged with another one: they could map differently.
    const groups = maps.length === 0 ? [list] : list.map((each) => [each]);
    return groups.flatMap((group) =>
      casesOf(
        encoding,
        [...group, ...all.filter((each) => !group.includes(each))].map(only(group)),
      ).flatMap((each) => toOptions(each, guards, shared)),
    );
  });
}

/** Leaves of other groups count for telling cases apart, not as cases. */
function only(group: readonly Mapped[]): (each: Mapped) => Leaf {
  return (each) => (group.includes(each) ? each.leaf : { ...each.leaf, steps: [] });
}

function toOptions(each: Case, guards: Guards, shared: readonly Statement[]): Option[] {
  const guard = guardOf(guards, each, (component) => component);
  return each.steps.map((step) => ({ comment: '', guard, body: [...bodyOf(step), ...shared] }));
}

function leavesOf(root: Tree | undefined, hazards: Hazard[]): Mapped[] {
  const found: Mapped[] = [];
  const walk = (tree: Tree | undefined, guards: Leaf['guards']): void => {
    if (tree?.kind === 'test') {
      for (const [id, next] of tree.next) {
        walk(next, new Map([...guards, [tree.component, new Set([id])]]));
      }
      return;
    }
    const steps = tree?.steps ?? [];
    if (steps.some(({ maps }) => maps.length > 0) && steps.length > 1) {
      throw new Error('several steps of one leaf, one of them with a map');
    }
    found.push({
      leaf: {
        guards,
        steps: steps.map(({ sets, finding }) => ({
          sets: new Map(sets),
          hazards: finding === '' ? [] : [hazardOf(finding, hazards)],
        })),
      },
      maps: steps.flatMap(({ maps }) => maps),
    });
  };
  walk(root, new Map());
  return found;
}

function hazardOf(finding: string, hazards: Hazard[]): number {
  const known = hazards.findIndex(({ key }) => key === finding);
  return known >= 0 ? known : hazards.push({ id: finding, key: finding, text: finding }) - 1;
}

/** What a map does to a component, as a chain of cases over the component's old value. */
function mapBody(map: LocalMap, encoding: Encoding, guards: Guards): readonly Statement[] {
  const { component } = map;
  const count = encoding.count(component);
  const leaves = Array.from({ length: count }, (_, id): Leaf => {
    const to = map.image(id);
    const sets = to < count ? new Map([[component, to]]) : new Map<number, number>();
    return { guards: new Map([[component, new Set([id])]]), steps: [{ sets, hazards: [] }] };
  });
  let chain: readonly Statement[] = [];
  for (const each of casesOf(encoding, leaves)) {
    const body = each.steps.flatMap(bodyOf);
    const ids = each.guards.get(component);
    if (body.length === 0) continue;
    if (ids === undefined) return body;
    const cond = guards.among(component, ids);
    chain = [{ kind: 'if', cond, body, otherwise: chain }];
  }
  return chain;
}
