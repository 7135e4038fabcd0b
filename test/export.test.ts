/** What `civac export` writes, compared with reviewed files, and what it says when it cannot. */
import { describe, expect, it } from 'vitest';
import { exportText, NotExportable, type Target } from '../src/export/index.js';
import { compile } from '../src/litmus/index.js';
import type { Cond } from '../src/export/model.js';
import { Names } from '../src/export/names.js';
import { optionText } from '../src/export/promela.js';
import { exportScenario } from '../src/export/scenario.js';
import { DEFAULT_LIMITS } from '../src/verdict/check.js';
import { Bench, root } from './cli-run.js';
import { scenario } from './corpus-scenarios.js';
import { expectGolden } from './golden.js';
import { trial } from './witness-harness.js';
import { walk } from './witness-walk.js';

const bench = new Bench(root);
const file = 'litmus/thread/b-fbcon-vmap.broken.litmus';

function exported(to: Target, name: string): string {
  return exportText(scenario(name).program, to, DEFAULT_LIMITS);
}

describe('civac export', () => {
  it.each([
    ['promela', 'pml'],
    ['murphi', 'm'],
  ] as const)('writes %s as reviewed', (to, ending) => {
    expectGolden(
      exported(to, 'thread/b-fbcon-vmap.broken'),
      `export/b-fbcon-vmap.broken.${ending}`,
    );
  });

  it('writes to stdout, or to a file', () => {
    const run = bench.civac(['export', '--to', 'murphi', file]);
    expect(run.status).toBe(0);
    expect(run.out).toBe(exported('murphi', 'thread/b-fbcon-vmap.broken'));
  });

  it('has what a user asserts, and says what it does not have', () => {
    const lost = exported('promela', 'basics/poll-by-coherent-device-stale-clean-copy');
    expect(lost).toContain('H12 is no step and not in this file');
    const text = `${scenario('basics/ring-no-dma-rmb').text}forbidden (driver:data == 7)\n`;
    const { program } = compile(text, 'asserts.litmus');
    if (program === null) throw new Error('does not compile');
    const asserts = exportText(program, 'murphi', DEFAULT_LIMITS);
    expect(asserts).toContain('invariant "forbidden, line');
    const made = trial(text);
    if (typeof made === 'string') throw new Error(made);
    expect(made.reference.hazards).toContain(`forbidden, line ${text.split('\n').length - 1}`);
    expect(walk(made.model)).toEqual(made.reference);
  });

  it.each([
    [['export', file], 2, 'say --to promela or --to murphi'],
    [['export', '--to', 'tla', file], 2, 'Allowed choices are promela, murphi'],
    [['export', '--to', 'promela'], 2, 'name a FILE'],
    [['export', '--to', 'promela', 'litmus'], 2, 'is a folder; name one FILE'],
    [['export', '--to', 'promela', 'no.litmus'], 2, 'no such file'],
    [['export', '--to', 'promela', 'README.md'], 2, 'README.md:1'],
    [['export', '--to', 'promela', '--max-states', '20', file], 3, 'hit the limit of states'],
    [['export', '--to', 'promela', '-o', file, file], 2, 'it is an input'],
  ] as const)('says what is wrong with %j', (args, status, message) => {
    const run = bench.civac([...args]);
    expect(run.err).toContain(message);
    expect([run.status, run.out]).toEqual([status, '']);
  });

  it('brackets a choice of values beside another condition', () => {
    const guard: Cond = { kind: 'in', variable: 0, values: [1, 3] };
    const style = { name: () => 'v', hazard: () => '', wrong: '' };
    const text = optionText({ comment: '', guard, body: [] }, style, 'model == 2');
    expect(text).toBe('\t:: d_step { model == 2 && (v == 1 || v == 3) -> skip }');
  });

  it('is whole or nothing, whenever the time is up', () => {
    const { program } = scenario('thread/b-fbcon-vmap.broken');
    const whole = exportScenario(program, { ...DEFAULT_LIMITS, now: () => 0 });
    const cut = Array.from({ length: 12 }, (_, calls) => {
      let left = calls;
      const now = (): number => (left-- > 0 ? 0 : 1e6 - left);
      try {
        return exportScenario(program, { ...DEFAULT_LIMITS, maxSeconds: 0.5, now });
      } catch (error) {
        if (error instanceof NotExportable) return null;
        throw error;
      }
    });
    expect(cut[0]).toBeNull();
    expect(cut.at(-1)).toEqual(whole);
    for (const each of cut) if (each !== null) expect(each).toEqual(whole);
  });

  it('takes no word that a language reserves, and no name twice', () => {
    const names = new Names();
    expect(['init', 'Rule', 'rule', '1', 'dma-buf'].map((each) => names.take(each))).toEqual([
      'init_2',
      'rule_2',
      'rule_3',
      'x1',
      'dma_buf',
    ]);
  });
});
