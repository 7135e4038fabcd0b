/**
 * Packs a tabulated network: every component gets a field of bits in one of two 32-bit words, all
 * control components one field together, and the decision trees become flat integer tables that a
 * search loop walks. A step is then an addition to each word.
 * Leaves out: networks that need more than 63 bits; they are refused with a reason.
 */
import { DenseIndex } from './dense.js';
import type { NetworkModel } from './model.js';
import {
  acyclicComponents,
  Closure,
  type ControlPoint,
  type TableStep,
  Tables,
  type Tree,
} from './tabulate.js';

/** Where a component stands in the packed state. */
export interface Field {
  /** -1 for the field of all control components. */
  readonly component: number;
  readonly word: number;
  readonly shift: number;
  /** Local values; the field holds 0 to size - 1. */
  readonly size: number;
  /** Table id → value of the field. */
  readonly rank: ReadonlyMap<number, number>;
}

/** Bit 31 of word 1 is always set, so that no state is 0 0: that is an empty slot. */
export const PRESENT = 0x80000000 | 0;
/** Leaf that a search may never reach: values which the closure did not find together. */
export const NO_LEAF = 1;

export interface Packed {
  readonly fields: readonly Field[];
  readonly points: readonly ControlPoint[];
  readonly closure: Closure;
  /** Per control point, its range in `roots`: trees to walk, as `child` has them. */
  readonly rootStart: Int32Array;
  readonly roots: Int32Array;
  /** Four numbers each: word, shift, mask, base in `child`. */
  readonly nodes: Int32Array;
  /** A node's number, or ~leaf. */
  readonly child: Int32Array;
  /** Per leaf, its range in `steps`; leaf 0 is empty. */
  readonly leafStart: Int32Array;
  /** Four numbers each: what to add to word 0, to word 1, to the index; an extra or 0. */
  readonly steps: Int32Array;
  /** Three numbers each: range in `maps`, finding or 0. With an extra the index is made anew. */
  readonly extras: Int32Array;
  /** Four numbers each: word, shift, mask, base in `deltas`. */
  readonly maps: Int32Array;
  readonly deltas: Int32Array;
  /** Finding n is findings[n - 1]. */
  readonly findings: readonly string[];
  readonly initial: readonly [number, number];
  readonly dense: DenseIndex;
  /** No fewer than the reachable states. */
  readonly bound: number;
  /** Per field: word, shift, mask. */
  readonly layout: Int32Array;
  /** The field of the control components, in word 0. */
  readonly pointShift: number;
  readonly pointMask: number;
  /** Bits in use of each word, counted from bit 0; without PRESENT. */
  readonly bits: readonly [number, number];
  /** Most steps that one state has. */
  readonly maxSteps: number;
}

/** What a search needs of a packed network: plain data, which can be sent to a thread. */
export type Searchable = Omit<Packed, 'fields' | 'points' | 'closure' | 'dense'> & {
  readonly dense: Pick<DenseIndex, 'words' | 'base' | 'place' | 'offsets'>;
};

export function searchable({ fields: _, points: __, closure: ___, ...rest }: Packed): Searchable {
  const { words, base, place, offsets } = rest.dense;
  return { ...rest, dense: { words, base, place, offsets } };
}

export class DoesNotFit extends Error {}

function bitsFor(size: number): number {
  return size <= 1 ? 0 : 32 - Math.clz32(size - 1);
}

function bitsOf(fields: readonly Field[], word: number): number {
  const here = fields.filter((each) => each.word === word);
  return Math.max(0, ...here.map(({ shift, size }) => shift + bitsFor(size)));
}

function layOut(closure: Closure): Field[] {
  const room = [32, 31];
  const place = (component: number, ids: readonly number[]): Field => {
    const bits = bitsFor(ids.length);
    const word = room.findIndex((free) => free >= bits);
    if (word < 0) throw new DoesNotFit('a state needs more than 63 bits');
    const shift = [32, 31][word]! - room[word]!;
    room[word]! -= bits;
    const rank = new Map(ids.map((id, i) => [id, i] as const));
    return { component, word, shift: bits === 0 ? 0 : shift, size: ids.length, rank };
  };
  const { tables, controls, points } = closure;
  const control = place(-1, [...points.keys()]);
  const others = tables.model.components.flatMap((_, component) => {
    if (controls.includes(component)) return [];
    const ids = [...new Set(points.flatMap((point) => [...(point.sets[component] ?? [])]))];
    return [
      place(
        component,
        ids.sort((a, b) => a - b),
      ),
    ];
  });
  return [control, ...others];
}

class Packer {
  readonly nodes: number[] = [];
  readonly child: number[] = [];
  readonly leafStart = [0, 0, 0];
  readonly steps: number[] = [];
  readonly extras = [0, 0, 0];
  readonly maps: number[] = [];
  readonly deltas: number[] = [];
  readonly findings: string[] = [];
  private readonly fieldOf = new Map<number, Field>();
  private readonly control: Field;

  constructor(
    readonly closure: Closure,
    readonly fields: readonly Field[],
    readonly dense: DenseIndex,
  ) {
    for (const field of fields) this.fieldOf.set(field.component, field);
    this.control = this.field(-1);
  }

  private field(component: number): Field {
    const field = this.fieldOf.get(component);
    if (field === undefined) throw new Error(`component ${component} has no field`);
    return field;
  }

  /** A tree as a number for `child`, at a control point. */
  tree(tree: Tree | undefined, point: ControlPoint, old: ReadonlyMap<number, number>): number {
    if (tree === undefined) return ~NO_LEAF;
    if (tree.kind === 'steps') return this.leaf(tree.steps, point, old);
    const control = this.closure.controls.indexOf(tree.component);
    if (control >= 0) return this.tree(tree.next.get(point.ids[control] ?? 0), point, old);
    const field = this.field(tree.component);
    const width = 1 << bitsFor(field.size);
    const children = new Array<number>(width).fill(~NO_LEAF);
    for (const id of point.sets[tree.component] ?? []) {
      const next = tree.next.get(id);
      const value = field.rank.get(id);
      if (next === undefined || value === undefined) continue;
      children[value] = this.tree(next, point, new Map([...old, [tree.component, id]]));
    }
    if (children.every((each) => each === ~0 || each === ~NO_LEAF)) return ~0;
    this.nodes.push(field.word, field.shift, width - 1, this.child.length);
    this.child.push(...children);
    return this.nodes.length / 4 - 1;
  }

  private leaf(
    steps: readonly TableStep[],
    point: ControlPoint,
    old: ReadonlyMap<number, number>,
  ): number {
    if (steps.length === 0) return ~0;
    const leaf = this.leafStart.length - 1;
    for (const step of steps) this.step(step, point, old);
    this.leafStart.push(this.steps.length / 4);
    return ~leaf;
  }

  private step(step: TableStep, point: ControlPoint, old: ReadonlyMap<number, number>): void {
    const { controls } = this.closure;
    const add = [0, 0];
    const addTo = ({ word, shift }: Field, change: number): void => {
      add[word] = (add[word]! + (change << shift)) | 0;
    };
    const target = this.closure.target(point, step);
    addTo(this.control, target.index - point.index);
    let moved = 0;
    const firstMap = this.maps.length / 4;
    const change = (component: number, image: (id: number) => number): void => {
      const field = this.field(component);
      const rank = (id: number): number => field.rank.get(id) ?? 0;
      const known = old.get(component);
      if (known !== undefined) {
        addTo(field, rank(image(known)) - rank(known));
        if (target === point) {
          moved += this.dense.offset(point, component, image(known));
          moved -= this.dense.offset(point, component, known);
        }
        return;
      }
      const mask = (1 << bitsFor(field.size)) - 1;
      this.maps.push(field.word, field.shift, mask, this.deltas.length);
      const base = this.deltas.length;
      for (let i = 0; i <= mask; i++) this.deltas.push(0);
      for (const [id, from] of field.rank) {
        this.deltas[base + from] = (rank(image(id)) - from) << field.shift;
      }
    };
    for (const [component, id] of step.sets) {
      if (!controls.includes(component)) change(component, () => id);
    }
    for (const map of step.maps) change(map.component, (id) => map.image(id));
    const extra = this.extra(firstMap, step.finding, target !== point);
    this.steps.push(add[0]!, add[1]!, moved | 0, extra);
  }

  private extra(firstMap: number, finding: string, leaves: boolean): number {
    const lastMap = this.maps.length / 4;
    if (lastMap === firstMap && finding === '' && !leaves) return 0;
    let found = 0;
    if (finding !== '') {
      found = this.findings.indexOf(finding) + 1;
      if (found === 0) found = this.findings.push(finding);
    }
    return this.extras.push(firstMap, lastMap, found) / 3 - 1;
  }
}

/** Tabulates and packs a network; throws DoesNotFit. */
export function pack(model: NetworkModel): Packed {
  const closure = new Closure(new Tables(model), acyclicComponents(model));
  const fields = layOut(closure);
  const dense = new DenseIndex(closure, fields);
  const packer = new Packer(closure, fields, dense);
  const rootStart = [0];
  const roots: number[] = [];
  let maxSteps = 0;
  for (const point of closure.points) {
    const trees = closure.tables.roots.map((tree) => packer.tree(tree, point, new Map()));
    roots.push(...trees.filter((root) => root !== ~0));
    rootStart.push(roots.length);
    maxSteps = Math.max(maxSteps, mostSteps(packer, roots.slice(rootStart.at(-2))));
  }
  const initial: [number, number] = [0, PRESENT];
  const [start] = closure.points;
  for (const { component, word, shift, rank } of fields) {
    const value = model.initial()[component];
    if (component < 0 || value === undefined || start === undefined) continue;
    initial[word]! |= (rank.get(closure.tables.id(component, value)) ?? 0) << shift;
  }
  const numbers = (list: readonly number[]): Int32Array => Int32Array.from(list);
  return {
    fields,
    closure,
    points: closure.points,
    rootStart: numbers(rootStart),
    roots: numbers(roots),
    nodes: numbers(packer.nodes),
    child: numbers(packer.child),
    leafStart: numbers(packer.leafStart),
    steps: numbers(packer.steps),
    extras: numbers(packer.extras),
    maps: numbers(packer.maps),
    deltas: numbers(packer.deltas),
    findings: packer.findings,
    initial,
    dense,
    bound: closure.bound,
    layout: numbers(fields.flatMap((f) => [f.word, f.shift, 2 ** bitsFor(f.size) - 1])),
    pointShift: fields[0]?.shift ?? 0,
    pointMask: 2 ** bitsFor(closure.points.length) - 1,
    bits: [bitsOf(fields, 0), bitsOf(fields, 1)],
    maxSteps,
  };
}

/** Most steps that the trees of one control point can give together. */
function mostSteps(packer: Packer, roots: readonly number[]): number {
  const most = (at: number): number => {
    if (at < 0) return (packer.leafStart[~at + 1] ?? 0) - (packer.leafStart[~at] ?? 0);
    const mask = packer.nodes[4 * at + 2] ?? 0;
    const base = packer.nodes[4 * at + 3] ?? 0;
    let best = 0;
    for (let i = 0; i <= mask; i++) best = Math.max(best, most(packer.child[base + i] ?? ~0));
    return best;
  };
  return roots.reduce((sum, root) => sum + most(root), 0);
}
