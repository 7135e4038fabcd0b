/**
 * mend on random scenarios: what it says is mended is coherent by the reference engine, nothing in
 * a mend is superfluous, and on small ones trying every set of at most two edits finds nothing
 * cheaper. CIVAC_MEND_RANDOM=2000 tries that many scenarios instead of a few, and a quarter of
 * them against every pair; CIVAC_MEND_SEED=500 begins behind the first 500, to share the work out.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { DEFAULT_COSTS } from '../src/mend/costs.js';
import { excludes, type Edit } from '../src/mend/edit.js';
import { headerPatches } from '../src/mend/header.js';
import { mend, type MendOptions } from '../src/mend/mend.js';
import type { MendResult } from '../src/mend/outcome.js';
import { refute } from '../src/mend/refute.js';
import { Variants } from '../src/mend/variant.js';
import { useCaseOf, vocabularyOf } from '../src/mend/vocabulary.js';
import { check, ScenarioFault } from '../src/verdict/check.js';
import { randomScenario } from './mend-generator.js';

const scenarios = Number(process.env.CIVAC_MEND_RANDOM ?? 16);
const firstSeed = Number(process.env.CIVAC_MEND_SEED ?? 0) + 1;
const bruteForced = Math.ceil(scenarios / 4);

function mended(text: string, options: MendOptions = {}): MendResult {
  const outcome = mend(text, 'random.litmus', options);
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

function programOf(text: string): NonNullable<ReturnType<typeof compile>['program']> {
  const { program } = compile(text, 'random.litmus');
  if (program === null) throw new Error(`does not compile:\n${text}`);
  return program;
}

const options = {
  order: 'forward' as const,
  engine: 'reference' as const,
  tablesFrom: 0,
  limits: { maxStates: 1e6, maxSeconds: 100, maxMemoryBytes: 2 ** 31 },
  now: () => performance.now() / 1000,
  tick: () => false,
};

/** Every set of at most two edits cheaper than `bound`. */
function* cheaperSets(edits: readonly Edit[], bound: number): Generator<readonly Edit[]> {
  for (const [index, first] of edits.entries()) {
    if (first.enablers.length === 0 && first.cost < bound) yield [first];
    for (const second of edits.slice(index + 1)) {
      if (first.cost + second.cost < bound && !excludes(first, second)) yield [first, second];
    }
  }
}

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
  });

  it('finds nothing dearer than trying every pair of edits', { timeout: 3_600_000 }, () => {
    let tried = 0;
    for (let seed = 1_000_000 + firstSeed, done = 0; done < bruteForced; seed++) {
      const text = randomScenario(seed);
      const result = mended(text, { maxEdits: 2, all: true });
      const [best] = result.mends;
      if (result.verdict === 'coherent' || best === undefined) continue;
      done++;
      const least = Math.min(...result.mends.map(({ cost }) => cost));
      const variants = new Variants('random.litmus', text, headerPatches(text));
      const program = programOf(text);
      const base = variants.make([]) ?? undefined;
      for (const set of cheaperSets(vocabularyOf(text, program, DEFAULT_COSTS), least)) {
        const variant = variants.make(set, base);
        if (variant === null) continue;
        tried++;
        // Explored up to the first hazard; what seems to mend is checked as a user would.
        if (refute(variant, options, new Set()).kind !== 'coherent') continue;
        const titles = set.map(({ title }) => title).join('; ');
        expect(verdictOf(variant.text), `${titles}\n${variant.text}`).not.toBe('coherent');
      }
    }
    expect(tried).toBeGreaterThan(bruteForced);
  });
});
