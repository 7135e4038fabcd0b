/**
 * Looks for a scenario that kills a mutant, likely ones first, and knows which mutants there are.
 * The result is kept in kills.tsv, so that a test run tries one scenario for each mutant and not
 * all of them; `CIVAC_MUTANTS=search npx vitest run test/mutation.test.ts` makes that file anew.
 */
import { check } from '../../src/verdict/check.js';
import type { Scenario } from '../corpus-scenarios.js';
import { equivalent } from './equivalent.js';
import { claimsOf, isWrong, isWrongWithout } from './judge.js';
import { facetsMet, mutantOf, ruleMutants } from './mutants.js';

/** A scenario with more states is not explored to its end to see what its functions do. */
const STATES = 3000;

/** Mutants by name, with the scenarios that could kill them: those that meet what it takes away. */
export function mutantsOf(all: readonly Scenario[]): ReadonlyMap<string, readonly Scenario[]> {
  const found = new Map<string, Scenario[]>(ruleMutants().map(({ name }) => [name, [...all]]));
  for (const scenario of all) {
    const run = (): void => {
      check(scenario.program, { engine: 'reference', verdictOnly: true, maxStates: STATES });
    };
    for (const facet of facetsMet(run)) found.set(facet, [...(found.get(facet) ?? []), scenario]);
  }
  return found;
}

/** `scenario`, or `scenario without call#n`; undefined when nothing kills it. */
export function killerOf(mutant: string, candidates: readonly Scenario[]): string | undefined {
  const undo = installed(mutant);
  try {
    const own = candidates.filter((each) => isNear(mutant, each));
    const rest = candidates.filter((each) => !isNear(mutant, each));
    return killerAmong(own) ?? killerAmong(rest);
  } finally {
    undo();
  }
}

function killerAmong(candidates: readonly Scenario[]): string | undefined {
  const plain = candidates.find(isWrong);
  if (plain !== undefined) return plain.name;
  for (const each of candidates) {
    const call = claimsOf(each).find((claim) => isWrongWithout(each, claim));
    if (call !== undefined) return `${each.name} without ${call}`;
  }
  return undefined;
}

/** Made for the row or the function that the mutant is about. */
function isNear(mutant: string, { name }: Scenario): boolean {
  if (/^(cache|order) row /.test(mutant)) return name.startsWith('rules/');
  return name.includes(mutant.replace(/:.*/, ''));
}

/** Whether the scenario on record kills the mutant. */
export function kills(mutant: string, killer: string, all: readonly Scenario[]): boolean {
  const [, name = killer, call] = /^(.*) without (\w+#\d+)$/.exec(killer) ?? [];
  const scenario = all.find((each) => each.name === name);
  if (scenario === undefined) return false;
  const undo = installed(mutant);
  try {
    return call === undefined ? isWrong(scenario) : isWrongWithout(scenario, call);
  } finally {
    undo();
  }
}

function installed(mutant: string): () => void {
  const found = mutantOf(mutant);
  if (found === undefined) throw new Error(`no mutant '${mutant}'`);
  return found.install();
}

/**
 * `mutant<tab>killer` for each that has one; the others are told apart. A killer on record that
 * still kills stays.
 */
export function searchKillers(
  all: readonly Scenario[],
  recorded: ReadonlyMap<string, string>,
): {
  readonly lines: readonly string[];
  readonly survivors: readonly string[];
} {
  const lines: string[] = [];
  const survivors: string[] = [];
  for (const [mutant, candidates] of mutantsOf(all)) {
    if (equivalent.has(mutant)) continue;
    const known = recorded.get(mutant);
    const killer = known && kills(mutant, known, all) ? known : killerOf(mutant, candidates);
    if (killer === undefined) survivors.push(mutant);
    else lines.push(`${mutant}\t${killer}`);
  }
  return { lines: lines.sort(), survivors };
}
