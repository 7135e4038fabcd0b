/**
 * Terminal strongly connected sets of an explored graph: sets of states that, once entered, are
 * never left by a step that has to happen. Tarjan's algorithm, iterative.
 */
import { type Graph, WILLS } from './bfs.js';
import type { Will } from './model.js';

interface Adjacency {
  /** Per state, where its steps begin in `targets`. */
  readonly start: Int32Array;
  readonly targets: Int32Array;
}

function adjacency(graph: Graph, states: number, never: readonly Will[]): Adjacency {
  const left = never.map((will) => WILLS.indexOf(will));
  const counts = (will: number | undefined): boolean => !left.includes(will ?? 0);
  const start = new Int32Array(states + 1);
  const { edges } = graph;
  for (let i = 0; i < edges.length; i += 3) {
    if (counts(edges[i + 2])) start[(edges[i] ?? 0) + 1] = (start[(edges[i] ?? 0) + 1] ?? 0) + 1;
  }
  for (let i = 0; i < states; i++) start[i + 1] = (start[i + 1] ?? 0) + (start[i] ?? 0);
  const targets = new Int32Array(start[states] ?? 0);
  const next = start.slice();
  for (let i = 0; i < edges.length; i += 3) {
    if (!counts(edges[i + 2])) continue;
    const from = edges[i] ?? 0;
    targets[next[from] ?? 0] = edges[i + 1] ?? 0;
    next[from] = (next[from] ?? 0) + 1;
  }
  return { start, targets };
}

class Tarjan {
  readonly component: Int32Array;
  count = 0;
  private readonly order: Int32Array;
  private readonly low: Int32Array;
  private readonly onStack: Uint8Array;
  private readonly stack: number[] = [];
  private clock = 0;

  constructor(
    private readonly graph: Adjacency,
    states: number,
  ) {
    this.component = new Int32Array(states).fill(-1);
    this.order = new Int32Array(states).fill(-1);
    this.low = new Int32Array(states);
    this.onStack = new Uint8Array(states);
  }

  private enter(state: number): void {
    this.order[state] = this.clock;
    this.low[state] = this.clock++;
    this.stack.push(state);
    this.onStack[state] = 1;
  }

  private close(state: number): void {
    if (this.low[state] !== this.order[state]) return;
    let member: number | undefined;
    do {
      member = this.stack.pop();
      if (member === undefined) break;
      this.onStack[member] = 0;
      this.component[member] = this.count;
    } while (member !== state);
    this.count++;
  }

  run(root: number): void {
    if (this.order[root] !== -1) return;
    const frames: { state: number; edge: number }[] = [];
    this.enter(root);
    frames.push({ state: root, edge: this.graph.start[root] ?? 0 });
    for (let top = frames.at(-1); top !== undefined; top = frames.at(-1)) {
      const { state } = top;
      if (top.edge < (this.graph.start[state + 1] ?? 0)) {
        const target = this.graph.targets[top.edge++] ?? 0;
        if (this.order[target] === -1) {
          this.enter(target);
          frames.push({ state: target, edge: this.graph.start[target] ?? 0 });
        } else if (this.onStack[target] === 1) {
          this.low[state] = Math.min(this.low[state] ?? 0, this.order[target] ?? 0);
        }
        continue;
      }
      frames.pop();
      const parent = frames.at(-1)?.state;
      if (parent !== undefined) {
        this.low[parent] = Math.min(this.low[parent] ?? 0, this.low[state] ?? 0);
      }
      this.close(state);
    }
  }
}

/** The terminal components when steps of some will are never taken; lowest state first. */
export function terminalComponents(
  graph: Graph,
  states: number,
  never: readonly Will[] = ['free', 'liberty'],
): number[][] {
  const links = adjacency(graph, states, never);
  const tarjan = new Tarjan(links, states);
  for (let state = 0; state < states; state++) tarjan.run(state);
  const open = new Uint8Array(tarjan.count);
  for (let state = 0; state < states; state++) {
    const own = tarjan.component[state] ?? 0;
    for (let e = links.start[state] ?? 0; e < (links.start[state + 1] ?? 0); e++) {
      if (tarjan.component[links.targets[e] ?? 0] !== own) open[own] = 1;
    }
  }
  const members: number[][] = Array.from({ length: tarjan.count }, () => []);
  for (let state = 0; state < states; state++) {
    members[tarjan.component[state] ?? 0]?.push(state);
  }
  return members.filter((_, i) => open[i] === 0);
}
