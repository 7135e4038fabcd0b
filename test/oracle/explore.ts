/**
 * Every run of a small program, with every set of liberties, and what comes out of it: findings by
 * place and id with their `needs`, after the H13 rule (model.md §1).
 */
import { steps } from './machine.js';
import { type Litmus, print } from './program.js';
import { type Liberties, type Liberty, type State, type Step, startOf } from './state.js';

const liberties: readonly Liberty[] = ['eviction', 'reorder', 'speculation'];

/** All eight sets, small ones first. */
const allSets: readonly Liberties[] = Array.from(
  { length: 8 },
  (_, bits) => new Set(liberties.filter((_liberty, i) => (bits >> i) & 1)),
).sort((left, right) => left.size - right.size);

/** `H2@17`: a cause, and the source line of the read. */
function nameOf(litmus: Litmus, wrong: NonNullable<Step['wrong']>): string {
  const { cpuLines, deviceLines } = print(litmus);
  const lines = wrong.agent === 'cpu' ? cpuLines : deviceLines;
  return `${wrong.cause}@${lines[wrong.op]}`;
}

interface Explored {
  readonly wrong: ReadonlySet<string>;
  /** Some run ends: both threads are through and nothing is buffered. */
  readonly ends: boolean;
}

/** All that can happen, but for the steps that are to be avoided. */
function explore(litmus: Litmus, allowed: Liberties, avoid: (name: string) => boolean): Explored {
  const wrong = new Set<string>();
  const seen = new Set<string>();
  let ends = false;
  const open: State[] = [startOf(litmus)];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    ends ||= isEnd(litmus, state);
    for (const step of steps(litmus, state, allowed)) {
      const name = step.wrong === undefined ? null : nameOf(litmus, step.wrong);
      if (name !== null) wrong.add(name);
      if (name !== null && avoid(name)) continue;
      const key = JSON.stringify(step.to);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(step.to);
    }
  }
  return { wrong, ends };
}

function isEnd(litmus: Litmus, { cpu, run, rung, buffer, late }: State): boolean {
  const isThrough = cpu === litmus.cpu.length && late.length === 0;
  return isThrough && run === rung && buffer.every(({ kind }) => kind === 'fence');
}

function wrongReads(litmus: Litmus, allowed: Liberties): ReadonlySet<string> {
  return explore(litmus, allowed, () => false).wrong;
}

/** `H2@17 needs eviction | reorder+speculation`, or `H2@17 needs nothing, certain`; sorted. */
export function findings(litmus: Litmus): readonly string[] {
  const everything = wrongReads(litmus, new Set(liberties));
  if (everything.size === 0) return [];
  const runs = allSets.map((allowed) => ({ allowed, wrong: wrongReads(litmus, allowed) }));
  const inOrder = wrongReads(litmus, new Set(['eviction', 'speculation']));
  const placeOf = (wrong: string): string => wrong.slice(wrong.indexOf('@'));
  const places = new Set([...everything].map(placeOf));
  return [...places]
    .flatMap((place) => {
      const causes = [...inOrder].filter((wrong) => placeOf(wrong) === place);
      if (causes.length === 0) {
        const needs = minimal(runs, (wrong) => [...wrong].some((each) => placeOf(each) === place));
        return [`H13${place} needs ${needs}`];
      }
      return causes.map((cause) => {
        const needs = minimal(runs, (wrong) => wrong.has(cause));
        const { ends } = explore(litmus, new Set(), (name) => name === cause);
        return `${cause} needs ${needs}${needs === 'nothing' && !ends ? ', certain' : ''}`;
      });
    })
    .sort();
}

function minimal(
  runs: readonly { readonly allowed: Liberties; readonly wrong: ReadonlySet<string> }[],
  reaches: (wrong: ReadonlySet<string>) => boolean,
): string {
  const enough = runs.filter(({ wrong }) => reaches(wrong)).map(({ allowed }) => allowed);
  const least = enough.filter(
    (set) => !enough.some((other) => other !== set && [...other].every((each) => set.has(each))),
  );
  return needsText(least.map((set) => [...set]));
}

/** One spelling for the oracle's and the checker's needs. */
export function needsText(sets: readonly (readonly string[])[]): string {
  const texts = sets.map((set) => [...set].sort().join('+'));
  return texts
    .sort()
    .map((text) => text || 'nothing')
    .join(' | ');
}
