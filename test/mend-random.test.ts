/**
 * mend on random scenarios: what it says is mended is coherent by the reference engine, nothing in
 * a mend is superfluous, and on small ones trying every set of at most two edits finds nothing
 * cheaper. CIVAC_MEND_RANDOM=2000 tries that many scenarios instead of a few, and a quarter of
 * them against every pair; CIVAC_MEND_SEED=500 begins behind the first 500, to share the work out.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { DEFAULT_COSTS } from '../src/mend/costs.js';
import { type Edit, excludes } from '../src/mend/edit.js';
import { headerPatches } from '../src/mend/header.js';
import { type MendOptions, mend } from '../src/mend/mend.js';
import type { MendResult } from '../src/mend/outcome.js';
import { Variants } from '../src/mend/variant.js';
import { useCaseOf, vocabularyOf } from '../src/mend/vocabulary.js';
import { check, libertiesOf, ScenarioFault, TABLES_FROM, withWords } from '../src/verdict/check.js';
import { type RunOptions, Runs } from '../src/verdict/runs.js';
import { randomScenario } from './mend-generator.js';

const scenarios = Number(process.env.CIVAC_MEND_RANDOM ?? 16);
const firstSeed = Number(process.env.CIVAC_MEND_SEED ?? 0) + 1;
const bruteForced = Math.ceil(scenarios / 4);

function mended(text: string, options: MendOptions = {}): MendResult {
  // A machine that does other things as well must not decide what is found.
  const outcome = mend(text, 'random.litmus', { maxSeconds: 3600, ...options });
  if (outcome.kind !== 'result') throw new Error(`does not compile:\n${text}`);
  return outcome.result;
}

/** As a user would: the text alone. A step that makes no sense is not coherent either. */
function verdictOf(text: string): string {
  const { program } = compile(text, 'random.litmus');
  if (program === null) return 'invalid';
  try {
    const { verdict, notes } = check(program, { engine: 'reference' });
    return notes.some(({ kind }) => kind === 'stuck') ? 'stuck' : verdict;
  } catch (error) {
    if (error instanceof ScenarioFault) return 'senseless';
    throw error;
  }
}

/** For the record of a long run: docs/mend.md has such figures. */
function tell(line: string): void {
  if (process.env.CIVAC_MEND_RANDOM !== undefined) process.stdout.write(`${line}\n`);
}

function programOf(text: string): NonNullable<ReturnType<typeof compile>['program']> {
  const { program } = compile(text, 'random.litmus');
  if (program === null) throw new Error(`does not compile:\n${text}`);
  return program;
}

const options: RunOptions = {
  order: 'forward',
  engine: 'fast',
  tablesFrom: TABLES_FROM,
  limits: { maxStates: 1e6, maxSeconds: 100, maxMemoryBytes: 2 ** 31 },
  stopAtFirst: true,
  now: () => performance.now() / 1000,
  tick: () => false,
};

/**
 * As `verdictOf` has it, but sooner: the exploration ends at the first finding, and begins on a
 * machine that takes no liberties. Nothing of mend's is asked.
 */
function seemsCoherent(text: string): boolean {
  const known = knownOf.get(text);
  if (known !== undefined) return known;
  const found = explored(text);
  knownOf.set(text, found);
  return found;
}

/** Different edits often come to the same text, also in different scenarios. */
const knownOf = new Map<string, boolean>();

function explored(text: string): boolean {
  const { program } = compile(text, 'random.litmus');
  if (program === null) return false;
  try {
    return withWords(program, (layout) => {
      const runs = new Runs(program, layout, options);
      if (runs.run([]).sightings.size > 0) return false;
      const { sightings, stuck, exploration } = runs.run(libertiesOf(program));
      expect(exploration.stopped, text).toBeNull();
      return sightings.size === 0 && stuck.length === 0;
    });
  } catch (error) {
    if (error instanceof ScenarioFault) return false;
    throw error;
  }
}

/** Every set of at most two edits that costs no more than `bound`. */
function cheaperSets(edits: readonly Edit[], bound: number): readonly (readonly Edit[])[] {
  return edits.flatMap((first, index) => [
    ...(first.enablers.length === 0 && first.cost <= bound ? [[first]] : []),
    ...edits
      .slice(index + 1)
      .filter((second) => first.cost + second.cost <= bound && !excludes(first, second))
      .map((second) => [first, second]),
  ]);
}

function costOf(edits: readonly Edit[]): number {
  return edits.reduce((sum, { cost }) => sum + cost, 0);
}

/** More sets than this are not tried for a scenario that two edits do not mend. */
const SETS_MAX = 3000;

describe('mend on random scenarios', () => {
  /** What is left of a mend without one of its edits, for each of them; found by their titles. */
  function withoutEach(text: string, titles: readonly string[]): readonly string[] {
    const vocabulary = vocabularyOf(text, programOf(text), DEFAULT_COSTS);
    const edits = titles.map((title) => vocabulary.find((each) => each.title === title));
    const variants = new Variants('random.litmus', text, headerPatches(text));
    return edits.map((edit) => {
      const rest = edits.filter((each): each is Edit => each !== undefined && each !== edit);
      expect(edit, text).toBeDefined();
      return variants.textOf(rest) ?? '';
    });
  }

  it('mends, keeps the use case, and does nothing superfluous', { timeout: 3_600_000 }, () => {
    let hazards = 0;
    for (let seed = firstSeed; seed < firstSeed + scenarios; seed++) {
      const text = randomScenario(seed);
      const result = mended(text);
      if (verdictOf(text) === 'coherent') {
        expect(result.verdict, text).toBe('coherent');
        continue;
      }
      hazards++;
      expect(result.verdict, text).toBe('mended');
      for (const { text: after, edits } of result.mends.slice(0, 3)) {
        expect(verdictOf(after), after).toBe('coherent');
        expect(useCaseOf(programOf(after))).toBe(useCaseOf(programOf(text)));
        const titles = edits.map(({ title }) => title);
        for (const rest of withoutEach(text, titles)) {
          expect(verdictOf(rest), `${titles.join('; ')}\n${rest}`).not.toBe('coherent');
        }
        // Each edit names the hazard that is back without it.
        for (const { hazard, reason } of edits) {
          expect(hazard !== '' || reason.startsWith('needed for the other'), after).toBe(true);
        }
      }
    }
    expect(hazards).toBeGreaterThan(scenarios / 4);
    tell(`${scenarios} scenarios, ${hazards} of them with hazards`);
  });

  it('finds all that trying every pair of edits does', { timeout: 36_000_000 }, () => {
    let [tried, mendable] = [0, 0];
    for (let seed = 1_000_000 + firstSeed, done = 0; done < bruteForced; seed++) {
      const text = randomScenario(seed);
      const result = mended(text, { maxEdits: 2, all: true });
      if (result.verdict === 'coherent') continue;
      const least = Math.min(...result.mends.map(({ cost }) => cost));
      const sets = cheaperSets(vocabularyOf(text, programOf(text), DEFAULT_COSTS), least);
      // Where nothing is cheaper than the answer there is little to try.
      if (sets.every((set) => costOf(set) === least)) continue;
      if (least === Infinity && sets.length > SETS_MAX) continue;
      done++;
      tried += sets.length;
      if (least < Infinity) mendable++;
      const variants = new Variants('random.litmus', text, headerPatches(text));
      for (const set of sets) {
        const after = variants.textOf(set);
        if (after === null || !seemsCoherent(after)) continue;
        const titles = set.map(({ title }) => title);
        expect(result.mends, `${titles.join('; ')}\n${after}`).toContainEqual(
          expect.objectContaining({ cost: costOf(set), text: after }),
        );
      }
    }
    expect(tried).toBeGreaterThan(bruteForced);
    expect(mendable).toBeGreaterThan(0);
    tell(`${bruteForced} scenarios, ${mendable} of them mended: ${tried} sets tried`);
  });
});
