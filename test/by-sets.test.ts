/**
 * Explorations by sets of states: states, transitions, findings and everything a report says are
 * those of one state at a time. CIVAC_SETS sets how many random scenarios (default 60) and adds the
 * whole corpus, CIVAC_SEED the first seed.
 */
import { describe, expect, it } from 'vitest';
import { exploreTables, type Options } from '../src/fast/explore.js';
import { Tables } from '../src/fast/tables.js';
import { exploreBySets, WAITS } from '../src/fast/whole.js';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { System } from '../src/system/system.js';
import {
  check,
  type CheckOptions,
  libertiesOf,
  ScenarioFault,
  withWords,
} from '../src/verdict/check.js';
import { POLICIES, someoneWaits } from '../src/verdict/lost-wakeup.js';
import { Facts } from '../src/verdict/recorder.js';
import { scenario, scenarios } from './corpus-scenarios.js';
import { large, unmap } from './large-check.js';
import { randomPrograms } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_SETS ?? 60);
const everything = process.env.CIVAC_SETS !== undefined;
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();

interface Said {
  readonly text: string;
  readonly how: string;
}

/** What is said of a scenario; where steps are left out, without how many there are. */
function told(program: Program, options: CheckOptions): Said {
  try {
    const own = { tablesFrom: 0, setsFrom: Infinity, ...options };
    const { reduction = [], ...said } = check(program, own);
    const counts = options.por === false ? {} : { states: 0, transitions: 0 };
    return {
      text: JSON.stringify({ ...said, ...counts, seconds: 0 }, null, 1),
      how: reduction.join('\n'),
    };
  } catch (error) {
    if (!(error instanceof ScenarioFault)) throw error;
    return { text: `${error.at.line}: ${error.message}`, how: '' };
  }
}

/** How it was explored. */
function agrees(program: Program, options: CheckOptions, name: string): string {
  const { text, how } = told(program, { ...options, setsFrom: 1 });
  expect(text, name).toBe(told(program, options).text);
  return how;
}

const limits = { maxStates: 50_000, maxSeconds: 600, maxMemoryBytes: 2 ** 31 };

/** Both ways on tables of their own; null: the scenario is too large. Throws ScenarioFault. */
function bothWays(program: Program): readonly [unknown, unknown] | null {
  return withWords(program, (layout) => {
    const facts = new Facts();
    const system = new System(program, layout, new Set(libertiesOf(program)), facts);
    const tables = new Tables(program, layout, facts);
    const sets = { from: 1, why: '', policies: POLICIES, shows: () => [], tick: () => false };
    const options: Options = { limits, now: () => 0, keepGraph: true, sets };
    const ids = new Int32Array(tables.parts.names.length);
    for (const [part, text] of tables.initial) ids[part] = tables.local(part).id(text);
    ids[tables.liberties] = tables.libertiesOf(system.liberties);
    const whole = exploreBySets(tables, system, ids, options, { seconds: 60, bytes: 2e9 }, 1);
    const plain = exploreTables(tables, system, { ...options, sets: undefined });
    if (plain.stopped !== null || layout.hasRanges) return null;
    const waits = someoneWaits(system, plain);
    if (typeof whole === 'string' || waits) return [whole, waits ? WAITS : ''];
    const { states, transitions } = plain;
    const ends = plain.completeStates.map((state) => {
      const at = plain.stateAt(state);
      return at === undefined ? '' : JSON.stringify([at.kernel, at.threads, at.words]);
    });
    const ended = whole.ends.map((end) => {
      const at = tables.assemble(end);
      return JSON.stringify([at.kernel, at.threads, at.words]);
    });
    return [
      [whole.states, whole.transitions, [...whole.findings].sort(), [...new Set(ended)].sort()],
      [states, transitions, [...plain.found.keys()].sort(), [...new Set(ends)].sort()],
    ];
  });
}

const madeBySets = /^by sets of states: /m;

describe('explorations by sets', () => {
  it('say of the corpus what single states say', { timeout: 3_600_000 }, () => {
    let made = 0;
    let all = 0;
    for (const { name, program } of corpus.filter((_, i) => everything || i % 8 === 3)) {
      const plain = { projection: false, por: false } as const;
      all++;
      if (madeBySets.test(agrees(program, plain, name))) made++;
      agrees(program, { projection: false }, `${name}, reduced`);
      if (everything) agrees(program, { reduceAll: true }, `${name}, projected`);
      if (everything) agrees(program, { ...plain, order: 'reverse' }, `${name}, in reverse`);
    }
    expect(made).toBeGreaterThan(all / 3);
  });

  it(`find what single states find in ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    let waiting = 0;
    let made = 0;
    for (const { seed, text, program } of randomPrograms(firstSeed, count, corpus)) {
      let both: ReturnType<typeof bothWays> = null;
      try {
        both = bothWays(program);
      } catch (error) {
        if (!(error instanceof ScenarioFault)) throw error;
      }
      if (both === null) continue;
      expect(both[0], `seed ${seed}\n${text}`).toEqual(both[1]);
      if (both[1] === WAITS) waiting++;
      else made++;
    }
    expect(waiting).toBeGreaterThan(0);
    expect(made).toBeGreaterThan(count / 4);
  });

  it(`agree on ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    let made = 0;
    for (const { seed, text, program } of randomPrograms(firstSeed, count, corpus)) {
      const plain = { projection: false, por: false, maxStates: 20_000 } as const;
      if (madeBySets.test(agrees(program, plain, `seed ${seed}\n${text}`))) made++;
      agrees(program, { projection: false }, `seed ${seed}, reduced\n${text}`);
    }
    expect(made).toBeGreaterThan(count / 3);
  });
});

/** Three lines, and what the scenario ends with. */
function lines(ends: string, more = ''): Program {
  const { program } = compile(large(ends) + more, 'large.litmus');
  if (program === null) throw new Error('it does not compile');
  return program;
}

const unmapAll = unmap.replace('192', '256');

describe('scenarios of several lines by sets', () => {
  const unreduced = { projection: false, por: false } as const;

  it.each([
    ['coherent', unmapAll, ''],
    ['with a hazard', '', ''],
    ['with an assertion that holds', unmapAll, 'always (a:v0 == 9)\n'],
    ['with one that does not', unmapAll, 'always (a:v0 == 8)\nforbidden (a:v1 == 9)\n'],
    ['with a hazard and assertions', '', 'exists (a:v0 == 9)\nforbidden (a:v0 == 1)\n'],
    ['with an end that is never reached', unmap, 'exists (a:v2 == 7)\n'],
  ])('say the same: %s', { timeout: 300_000 }, (name, ends, more) => {
    const program = lines(ends, more);
    expect(agrees(program, unreduced, name)).toMatch(madeBySets);
    expect(agrees(program, { projection: false }, name)).toMatch(madeBySets);
    expect(agrees(program, { ...unreduced, order: 'reverse' }, name)).toMatch(madeBySets);
  });

  it('say how many states there are, and at how many points', { timeout: 300_000 }, () => {
    const program = lines(unmapAll);
    const { states, transitions } = check(program, unreduced);
    const by = check(program, { projection: false, setsFrom: 600 });
    expect([by.verdict, by.states, by.transitions]).toEqual(['coherent', states, transitions]);
    const how = by.reduction?.find((line) => madeBySets.test(line));
    expect(how).toMatch(/^by sets of states: 2 of these, .*: [\d,]+ states at \d+ control points/);
  });

  it('go on one at a time at a limit, which is none of theirs', { timeout: 300_000 }, () => {
    const program = lines(unmapAll);
    const { states } = check(program, { projection: false });
    // As many as there are without what nothing can tell; sets would have to have all.
    const few = { projection: false, setsFrom: 600, maxStates: states + 1 } as const;
    const { verdict, states: counted, reduction = [] } = check(program, few);
    expect([verdict, counted]).toEqual(['coherent', states]);
    expect(reduction.join('\n')).toContain('there are more states than --max-states');
    const less = check(program, { ...few, maxStates: states - 1 });
    expect([less.verdict, less.reason]).toEqual(['unknown', expect.stringContaining('gave up')]);
    for (const limit of [{ maxMemoryBytes: 2e6 }, { maxSeconds: 1e-3 }]) {
      const { verdict: other, reason } = check(program, { ...unreduced, setsFrom: 1, ...limit });
      expect([other, reason]).toEqual(['unknown', expect.stringContaining('gave up')]);
    }
    let looks = 0;
    const interrupted = (): boolean => ++looks > 20;
    expect(check(program, { ...unreduced, setsFrom: 1, interrupted }).verdict).toBe('unknown');
  });

  it('leave threads that wait for ever to the graph', { timeout: 300_000 }, () => {
    const { text, program } = scenario('basics/poll-cached-while');
    expect(agrees(program, unreduced, 'waits')).toContain(`not by sets of states: ${WAITS}`);
    const sees = compile(text.replace('.coherent = false', '.coherent = true'), 'sees.litmus');
    if (sees.program === null) throw new Error('it does not compile');
    expect(agrees(sees.program, unreduced, 'polls')).toMatch(madeBySets);
  });
});
