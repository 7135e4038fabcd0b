/** The ideal memory against an oracle that keeps the whole happens-before graph. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admissible,
  happensBefore,
  join,
  newest,
  pruned,
  unwritten,
  withWrite,
} from '../src/ideal/word.js';
import type { Clock, View, Word, Write } from '../src/ideal/word.js';

const AGENTS = 3;

/** What an agent does: write the word, tell another agent all it knows, or read. */
type Action =
  | { readonly kind: 'write'; readonly agent: number }
  | { readonly kind: 'tell'; readonly agent: number; readonly to: number }
  | { readonly kind: 'read'; readonly agent: number; readonly pick: number };

const agent = fc.nat(AGENTS - 1);
const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), agent }),
  fc.record({ kind: fc.constant('tell' as const), agent, to: agent }),
  fc.record({ kind: fc.constant('read' as const), agent, pick: fc.nat(20) }),
);

/** Events in order; edges[i] holds the events that happen before event i. */
class Oracle {
  readonly past: Set<number>[] = [];
  private readonly last = new Map<number, number>();
  private readonly told = new Map<number, number[]>();
  readonly writes: number[] = [];
  readonly seen = new Map<number, number[]>();

  event(who: number): number {
    const id = this.past.length;
    const direct = [
      ...(this.told.get(who) ?? []),
      ...(this.last.has(who) ? [this.last.get(who) ?? 0] : []),
    ];
    const all = new Set(direct);
    for (const each of direct) for (const old of this.past[each] ?? []) all.add(old);
    this.past.push(all);
    this.last.set(who, id);
    this.told.set(who, []);
    return id;
  }

  tell(from: number, to: number): void {
    const id = this.event(from);
    this.told.set(to, [...(this.told.get(to) ?? []), id]);
  }

  allowed(who: number): number[] {
    const now = this.event(who);
    const hb = (a: number, b: number): boolean => this.past[b]?.has(a) ?? false;
    return this.writes.filter(
      (w) =>
        !this.writes.some((newer) => hb(w, newer) && hb(newer, now)) &&
        !(this.seen.get(who) ?? []).some((read) => hb(w, read)),
    );
  }
}

class Clocked {
  readonly clocks: Clock[] = Array.from({ length: AGENTS }, () => Array<number>(AGENTS).fill(0));
  readonly seen: (Clock | undefined)[] = Array<Clock | undefined>(AGENTS).fill(undefined);
  word: Word = unwritten;

  write(who: number, value: number): void {
    const clock = (this.clocks[who] ?? []).slice();
    clock[who] = (clock[who] ?? 0) + 1;
    this.clocks[who] = clock;
    this.word = withWrite(this.word, { value, agent: who, count: clock[who] ?? 0, clock });
  }

  view(who: number): View {
    return { clock: this.clocks[who] ?? [], seen: this.seen[who] };
  }

  prune(): void {
    this.word = pruned(
      this.word,
      this.clocks.map((_, who) => this.view(who)),
    );
  }
}

describe('admissible writes', () => {
  it('are those of the full happens-before graph, pruned or not', () => {
    fc.assert(
      fc.property(fc.array(actions, { maxLength: 14 }), fc.boolean(), (list, prune) => {
        const oracle = new Oracle();
        const clocked = new Clocked();
        for (const action of list) {
          if (action.kind === 'write') {
            const id = oracle.event(action.agent);
            oracle.writes.push(id);
            clocked.write(action.agent, id);
          } else if (action.kind === 'tell') {
            oracle.tell(action.agent, action.to);
            const [from, to] = [clocked.clocks[action.agent], clocked.clocks[action.to]];
            if (from !== undefined && to !== undefined) clocked.clocks[action.to] = join(to, from);
          } else {
            const wanted = oracle.allowed(action.agent);
            const got = admissible(clocked.word, clocked.view(action.agent));
            expect(got.map((write) => write.value).sort()).toEqual(wanted.sort());
            const chosen = got[action.pick % Math.max(1, got.length)];
            if (chosen === undefined) continue;
            const old = clocked.seen[action.agent];
            clocked.seen[action.agent] = old === undefined ? chosen.clock : join(old, chosen.clock);
            const reads = oracle.seen.get(action.agent) ?? [];
            oracle.seen.set(action.agent, [...reads, chosen.value]);
          }
          if (prune) clocked.prune();
        }
      }),
      { numRuns: 3000, seed: 7 },
    );
  });

  it('of an unwritten word are none: any value is allowed', () => {
    expect(admissible(unwritten, { clock: [0], seen: undefined })).toEqual([]);
  });

  it('newest keeps racing writes side by side', () => {
    const a: Write = { value: 1, agent: 0, count: 1, clock: [1, 0] };
    const b: Write = { value: 2, agent: 1, count: 1, clock: [0, 1] };
    const c: Write = { value: 3, agent: 1, count: 2, clock: [1, 2] };
    expect(newest([a, b])).toEqual([a, b]);
    expect(newest([a, b, c])).toEqual([c]);
    expect(happensBefore(a, c)).toBe(true);
    expect(happensBefore(a, b)).toBe(false);
  });
});
