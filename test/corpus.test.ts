/**
 * The corpus is as its headers say: the verdict of every scenario, and for every sync and barrier
 * of a coherent one what happens when that call is dropped. The search order, and what the reports
 * look like, are tested in corpus-determinism.test.ts and report-golden.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { removableCalls, withoutCall } from '../src/litmus/index.js';
import type { Program, WithoutClaim } from '../src/litmus/program.js';
import { check } from '../src/verdict/check.js';
import {
  inOrder,
  needsCell,
  outcomeOf,
  rowsOf,
  type Scenario,
  scenarios,
} from './corpus-scenarios.js';

const all = scenarios();

function claimKey({ operation, occurrence }: { operation: string; occurrence: number }): string {
  return `${operation}#${occurrence}`;
}

function claimed({ hazards }: WithoutClaim): string {
  return hazards === 'redundant' ? 'coherent' : inOrder(hazards);
}

/** Everything in which a scenario is not as its header says, one line each. */
function differences({ program }: Scenario): readonly string[] {
  const { result, without } = program.header;
  if (result === null) return ['has no Result line'];
  const found = outcomeOf(check(program));
  const stated = result === 'coherent' ? 'coherent' : inOrder(result);
  const verdict = found === stated ? [] : [`states ${stated}, is ${found}`];
  // A claim about a hazardous scenario would say what mends nothing: only coherent ones make them.
  if (result !== 'coherent') {
    return [...verdict, ...without.map((claim) => `claims Without ${claimKey(claim)} needlessly`)];
  }
  return [...verdict, ...claimDifferences(program)];
}

function claimDifferences(program: Scenario['program']): readonly string[] {
  const claims = new Map(program.header.without.map((claim) => [claimKey(claim), claim]));
  const calls = removableCalls(program);
  const missing = calls.flatMap((call): readonly string[] => {
    const { operation, occurrence, at } = call;
    const key = claimKey(call);
    const claim = claims.get(key);
    claims.delete(key);
    const found = outcomeOf(check(withoutCall(program, operation, occurrence)));
    if (claim === undefined) return [`line ${at.line}: no 'Without ${key}'; without it ${found}`];
    if (claim.why === '') return [`Without ${key}: does not say why`];
    return found === claimed(claim)
      ? []
      : [`Without ${key}: claims ${claimed(claim)}, is ${found}`];
  });
  return [...missing, ...[...claims.keys()].map((key) => `Without ${key}: no such call`)];
}

describe('the tables of the shelves', () => {
  it.each(['arch', 'basics', 'bugs', 'drivers', 'nearmiss', 'rules'])(
    'list every scenario of %s',
    (shelf) => {
      const rows = rowsOf(shelf);
      const mine = all.filter(({ name }) => name.startsWith(`${shelf}/`));
      const stated = (result: Program['header']['result']): string =>
        typeof result === 'string' ? result : (result?.join(' ') ?? '');
      const wrong = mine.filter(
        ({ name, program }) => !rows.get(name)?.includes(stated(program.header.result)),
      );
      expect(wrong.map(({ name }) => name)).toEqual([]);
    },
  );

  it.each(['basics', 'bugs', 'drivers', 'rules'])('say what the hazards of %s need', (shelf) => {
    const rows = rowsOf(shelf);
    const wrong = all
      .filter(({ name }) => name.startsWith(`${shelf}/`))
      .map(({ name, program }) => [name, needsCell(check(program))] as const)
      .filter(([name, needs]) => rows.get(name)?.[2] !== needs);
    expect(wrong).toEqual([]);
  });
});

describe('the real bugs', () => {
  const mine = all.filter(({ name }) => name.startsWith('bugs/'));
  const numbers = (kind: string): readonly string[] => [
    ...new Set(
      mine
        .filter(({ name }) => name.endsWith(`.${kind}`))
        .map(({ name }) => /b(\d+)-/.exec(name)?.[1] ?? name),
    ),
  ];

  it('are 61, each as bug and as fix', () => {
    expect(numbers('bug')).toHaveLength(61);
    expect(numbers('fix')).toEqual(numbers('bug'));
  });

  it('are hazardous, and at most 8 of their fixes are', () => {
    const coherent = ({ program }: Scenario) => program.header.result === 'coherent';
    const named = (kind: string) => mine.filter(({ name }) => name.endsWith(`.${kind}`));
    expect(named('bug').filter(coherent)).toEqual([]);
    expect(named('fix').filter((each) => !coherent(each)).length).toBeLessThanOrEqual(8);
    expect(named('mend').filter((each) => !coherent(each))).toEqual([]);
  });

  it('assert nothing', () => {
    expect(mine.filter(({ program }) => program.assertions.length > 0)).toEqual([]);
  });
});

describe('corpus', () => {
  it('has 60 scenarios and more, 25 of them in thread/', () => {
    expect(all.length).toBeGreaterThanOrEqual(60);
    expect(all.filter(({ name }) => name.startsWith('thread/')).length).toBeGreaterThanOrEqual(25);
  });

  it('has coherent and hazardous scenarios with and without claims to compare', () => {
    const coherent = all.filter(({ program }) => program.header.result === 'coherent');
    expect(coherent.length).toBeGreaterThan(20);
    expect(all.length - coherent.length).toBeGreaterThan(20);
    expect(coherent.flatMap(({ program }) => removableCalls(program)).length).toBeGreaterThan(60);
  });

  it.each(all)('$name is as its header says', (scenario) => {
    expect(differences(scenario)).toEqual([]);
  });

  it('would notice a wrong header', () => {
    const scenario = all.find(({ name }) => name === 'basics/from-device');
    if (scenario === undefined) throw new Error('no basics/from-device');
    const { program } = scenario;
    const lying = (change: Partial<typeof program.header>): readonly string[] =>
      differences({
        ...scenario,
        program: { ...program, header: { ...program.header, ...change } },
      });
    expect(differences(scenario)).toEqual([]);
    expect(lying({ result: ['H1'], without: [] })).toEqual(['states H1, is coherent']);
    expect(lying({ without: [] })).toHaveLength(2);
    const [first] = program.header.without;
    if (first === undefined) throw new Error('no claim');
    const wrong = lying({
      without: program.header.without.map((each) => ({ ...each, hazards: ['H9'] })),
    });
    expect(wrong).toHaveLength(2);
    const extra = { ...first, occurrence: 9 };
    expect(lying({ without: [...program.header.without, extra] })).toHaveLength(1);
  });
});
