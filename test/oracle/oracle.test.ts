/**
 * The checker against an explorer of a different make: every random program must get the same
 * causes at the same places, with the same needs, as certain or not. CIVAC_ORACLE=5000 runs that
 * many programs, CIVAC_ORACLE_SEED=7 others, CIVAC_ORACLE_EXTRA=1 longer ones.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/litmus/index.js';
import { check } from '../../src/verdict/check.js';
import { findings, needsText } from './explore.js';
import { litmusPrograms } from './generate.js';
import { print } from './program.js';

const runs = Number(process.env.CIVAC_ORACLE ?? '300');
const seed = Number(process.env.CIVAC_ORACLE_SEED ?? '20190807');
const extra = Number(process.env.CIVAC_ORACLE_EXTRA ?? '0');
const compared: readonly string[] = ['H1', 'H2', 'H3', 'H10', 'H13'];

/** What the checker finds, in the oracle's words. */
function checkedFindings(text: string): readonly string[] {
  const { program, diagnostics } = compile(text, 'oracle.litmus');
  if (program === null) throw new Error(`does not compile: ${JSON.stringify(diagnostics)}`);
  const result = check(program, {});
  if (result.verdict === 'unknown') throw new Error(`gave up: ${result.reason}`);
  return result.hazards
    .filter(({ id }) => compared.includes(id))
    .map(
      ({ id, at, needs, certain }) =>
        `${id}@${at.line} needs ${needsText(needs)}${certain ? ', certain' : ''}`,
    )
    .sort();
}

describe('oracle', () => {
  it('agrees with the checker on random programs', { timeout: 60_000 + runs * 1_000 }, () => {
    fc.assert(
      fc.property(litmusPrograms(extra), (litmus) => {
        const { text } = print(litmus);
        expect(checkedFindings(text), text).toEqual(findings(litmus));
      }),
      { numRuns: runs, seed },
    );
  });
});
