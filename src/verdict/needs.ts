/**
 * Which liberties a finding needs, and what it is called (model.md §1): minimal sets by running
 * again with liberties off, smaller sets first; H13 for a place wrong only where reordering is.
 */
import type { Run, RunSource, Sighting } from './runs.js';
import type { Liberty } from './result.js';

/** Causes of a wrong value: the ones that H13 stands for when only reordering shows them. */
export const VALUE_CAUSES: readonly string[] = ['H1', 'H2', 'H3', 'H4', 'H10'];

export interface Named {
  readonly id: string;
  readonly place: string;
  readonly needs: readonly (readonly Liberty[])[];
  /** Names of the raw findings it stands for. */
  readonly raw: readonly string[];
  /** The run that shows it with the fewest liberties, and where. */
  readonly run: Run;
  readonly sighting: Sighting;
}

function subsets(all: readonly Liberty[]): Liberty[][] {
  const sets: Liberty[][] = [];
  for (let bits = 0; bits < 1 << all.length; bits++) {
    sets.push(all.filter((_, i) => (bits & (1 << i)) !== 0));
  }
  return sets.sort((a, b) => a.length - b.length);
}

function within(small: readonly Liberty[], large: readonly Liberty[]): boolean {
  return small.every((each) => large.includes(each));
}

interface Needed {
  readonly sets: (readonly Liberty[])[];
  run: Run | undefined;
}

/**
 * Where a limit was hit, what findings need may not be known. `beside`: a run of the machine
 * without liberties, made apart, whose findings stand whether or not the explorations came to them.
 */
export function nameFindings(runs: RunSource, full: Run, beside: Run | null): readonly Named[] {
  const needed = new Map<string, Needed>();
  for (const name of full.sightings.keys()) needed.set(name, { sets: [], run: undefined });
  if (needed.size > 0) findNeeds(runs, full, needed);
  for (const name of beside?.sightings.keys() ?? []) {
    if (beside && !needed.has(name)) needed.set(name, { sets: [[]], run: beside });
  }
  return byPlace(needed);
}

/** The findings of such a run alone. */
export function nameApart(run: Run): readonly Named[] {
  const needed = new Map<string, Needed>();
  for (const name of run.sightings.keys()) needed.set(name, { sets: [[]], run });
  return byPlace(needed);
}

function findNeeds(runs: RunSource, full: Run, needed: ReadonlyMap<string, Needed>): void {
  const less = subsets(full.liberties).filter((set) => set.length < full.liberties.length);
  runs.expect(less);
  for (const liberties of [...less, full.liberties]) {
    const open = [...needed].filter(([, { sets }]) => !sets.some((set) => within(set, liberties)));
    if (open.length === 0) continue;
    const run = liberties === full.liberties ? full : runs.run(liberties);
    for (const [name, need] of open) {
      if (!run.sightings.has(name)) continue;
      need.sets.push(liberties);
      need.run ??= run;
    }
  }
  runs.expect([]);
}

function byPlace(needed: ReadonlyMap<string, Needed>): readonly Named[] {
  const places = new Map<string, { name: string; id: string; need: Needed }[]>();
  for (const [name, need] of needed) {
    const [id = '', agent = '', at = ''] = name.split('|');
    const place = `${agent}|${at}`;
    places.set(place, [...(places.get(place) ?? []), { name, id, need }]);
  }
  const result: Named[] = [];
  for (const [place, list] of places) {
    const causes = list.filter(({ id }) => VALUE_CAUSES.includes(id));
    const ordering = causes.filter(({ need }) => need.sets.every((set) => set.includes('reorder')));
    const plain = causes.filter((each) => !ordering.includes(each));
    const others = list.filter((each) => !causes.includes(each));
    if (plain.length === 0 && ordering.length > 0) result.push(merged(place, ordering));
    for (const { name, id, need } of [...plain, ...others]) {
      result.push(...named(id, place, [name], need.sets, need.run));
    }
  }
  return result;
}

function merged(place: string, list: readonly { name: string; need: Needed }[]): Named {
  const all = list.flatMap(({ need }) => need.sets);
  const sets = all.filter(
    (set, i) =>
      !all.some(
        (other, j) => j !== i && within(other, set) && (other.length < set.length || j < i),
      ),
  );
  const least = list.reduce((a, b) =>
    (b.need.sets[0]?.length ?? 99) < (a.need.sets[0]?.length ?? 99) ? b : a,
  );
  const names = [least.name, ...list.map((each) => each.name).filter((n) => n !== least.name)];
  const result = named('H13', place, names, sets, least.need.run)[0];
  if (result === undefined) throw new Error('a finding without a run');
  return result;
}

function named(
  id: string,
  place: string,
  raw: readonly string[],
  needs: readonly (readonly Liberty[])[],
  found: Run | undefined,
): Named[] {
  const run = found?.origins?.get(raw[0] ?? '') ?? found;
  const sighting = run?.sightings.get(raw[0] ?? '');
  return run === undefined || sighting === undefined
    ? []
    : [{ id, place, needs, raw, run, sighting }];
}
