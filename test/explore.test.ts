/** The explorer on toy models: shortest ways, limits, and terminal components. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explore, type ExploreOptions } from '../src/explore/bfs.js';
import type { Model, Transition } from '../src/explore/model.js';
import { terminalComponents } from '../src/explore/scc.js';

const NODES = 8;
type Edge = { readonly from: number; readonly to: number; readonly bad: boolean };

const graphs = fc.array(
  fc.record({ from: fc.nat(NODES - 1), to: fc.nat(NODES - 1), bad: fc.boolean() }),
  { maxLength: 20 },
);

function modelOf(edges: readonly Edge[]): Model<number, string> {
  return {
    initial: () => [0],
    key: String,
    name: (finding) => finding,
    complete: (state) => edges.every((edge) => edge.from !== state),
    successors: (state) =>
      edges
        .filter((edge) => edge.from === state)
        .map(
          (edge): Transition<number, string> => ({
            next: edge.to,
            will: 'must',
            findings: edge.bad ? [`${edge.from}-${edge.to}`] : [],
          }),
        ),
  };
}

const limits = { maxStates: 1000, maxSeconds: 60, maxMemoryBytes: 2 ** 30 };
const plain: ExploreOptions<string> = { limits, now: () => 0, keepGraph: true };

/** Distances by relaxation: slow, and not breadth-first. */
function distances(edges: readonly Edge[]): number[] {
  const far = Array.from({ length: NODES }, (_, i) => (i === 0 ? 0 : Infinity));
  for (let round = 0; round < NODES; round++) {
    for (const { from, to } of edges) far[to] = Math.min(far[to] ?? 0, (far[from] ?? 0) + 1);
  }
  return far;
}

describe('breadth-first exploration', () => {
  it('finds exactly the reachable states and findings, each by a shortest path', () => {
    fc.assert(
      fc.property(
        graphs,
        fc.constantFrom('forward' as const, 'reverse' as const),
        (edges, order) => {
          const result = explore(modelOf(edges), { ...plain, order });
          const far = distances(edges);
          expect(result.states).toBe(far.filter(Number.isFinite).length);
          const wanted = new Map<string, number>();
          for (const edge of edges.filter((each) => each.bad)) {
            const depth = (far[edge.from] ?? Infinity) + 1;
            if (Number.isFinite(depth)) wanted.set(`${edge.from}-${edge.to}`, depth);
          }
          const got = new Map([...result.found].map(([name, found]) => [name, found.depth]));
          expect(got).toEqual(wanted);
        },
      ),
      { seed: 3 },
    );
  });

  it('gives paths that lead where they say', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const model = modelOf(edges);
        const result = explore(model, plain);
        for (const found of result.found.values()) {
          let state = 0;
          for (const action of result.path(found.state).actions) {
            state = model.successors(state)[action]?.next ?? -1;
          }
          expect(model.successors(state)[found.action]?.findings).toEqual([found.finding]);
        }
      }),
      { seed: 4 },
    );
  });

  const chain: Model<number, string> = {
    initial: () => [0],
    key: String,
    name: (finding) => finding,
    complete: (state) => state === 5000,
    successors: (state) => (state < 5000 ? [{ next: state + 1, will: 'must', findings: [] }] : []),
  };

  it('stops at each limit and says which', () => {
    const run = (part: Partial<typeof limits>, now = () => 0) =>
      explore(chain, { limits: { ...limits, maxStates: 1e6, ...part }, now }).stopped;
    expect(run({})).toBe(null);
    expect(run({ maxStates: 10 })).toBe('states');
    expect(run({ maxMemoryBytes: 1000 })).toBe('memory');
    let clock = 0;
    expect(run({ maxSeconds: 3 }, () => clock++)).toBe('seconds');
    const tick = () => true;
    expect(explore(chain, { limits, now: () => 0, tick }).stopped).toBe('interrupted');
  });

  it('does not go on past what it shall avoid', () => {
    const edges = [
      { from: 0, to: 1, bad: true },
      { from: 1, to: 2, bad: false },
    ];
    const result = explore(modelOf(edges), { ...plain, avoid: () => true });
    expect(result.states).toBe(1);
    expect(result.completeStates).toEqual([]);
  });
});

describe('terminal components', () => {
  it('are the sets of states that nothing leaves', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const flat = edges.flatMap(({ from, to, bad }) => [from, to, bad ? 1 : 0]);
        const must = edges.filter((edge) => !edge.bad);
        const reach = (start: number): Set<number> => {
          const seen = new Set([start]);
          for (let round = 0; round < NODES; round++) {
            for (const { from, to } of must) if (seen.has(from)) seen.add(to);
          }
          return seen;
        };
        const all = Array.from({ length: NODES }, (_, i) => reach(i));
        const wanted = new Set<string>();
        all.forEach((set, i) => {
          const closed = [...set].every((each) => all[each]?.has(i));
          if (closed) wanted.add([...set].sort((a, b) => a - b).join());
        });
        const got = terminalComponents({ edges: flat }, NODES).map((each) => each.join());
        expect(new Set(got)).toEqual(wanted);
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});
