/** One product over several threads: the counts and shortest runs of one, and never less. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wcbuf } from '../bench/wcbuf/model.js';
import { pack } from '../src/fast/pack.js';
import { search } from '../src/fast/search.js';
import { foundShared, makeShared, markLost, searchShared } from '../src/fast/shared.js';
import { root } from './cli-run.js';

const limits = { maxStates: 2 ** 30, maxSeconds: 60, maxMemoryBytes: 2 ** 30, now: () => 0 };
const folder = mkdtempSync(join(tmpdir(), 'civac-shared-'));
const program = join(folder, 'threads.mjs');
beforeAll(() => {
  buildSync({
    entryPoints: [join(root, 'bench/wcbuf/threads.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

function alone(lines: number, fixed: boolean): object {
  const { stopped, states, transitions, found } = search(
    pack(wcbuf(lines, fixed)),
    limits,
    'dense',
  );
  return { stopped, states, transitions, found: Object.fromEntries(found) };
}

describe('a search over shared memory', () => {
  it.each([
    [1, 4, true],
    [1, 3, false],
    [2, 4, true],
    [2, 5, true],
    [2, 4, false],
    [3, 5, true],
  ])('by %i threads is that of one: %i lines, fixed %s', (workers, lines, fixed) => {
    const args = [program, String(lines), String(workers), fixed ? '1' : '0'];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const said: { parts: number[] } = JSON.parse(stdout);
    expect(said).toMatchObject(alone(lines, fixed));
    expect(said.parts).toHaveLength(workers);
  });

  it.each([
    ['states', { maxStates: 1000 }],
    ['seconds', { maxSeconds: -1 }],
    ['memory', {}],
  ] as const)('says that it stopped at the limit in %s', (stopped, less) => {
    const packed = pack(wcbuf(4, true));
    const room = stopped === 'memory' ? 4 * packed.dense.words + 3_000 : 2 ** 28;
    const share = searchShared(packed, makeShared(packed, 1, room), 0, { ...limits, ...less });
    expect(share.stopped).toBe(stopped);
    expect(share.states).toBeLessThan(5050);
  });

  it('ends with an error when a thread is lost', () => {
    const packed = pack(wcbuf(3, true));
    const shared = makeShared(packed, 2, 2 ** 28);
    markLost(shared);
    expect(() => searchShared(packed, shared, 0, limits)).toThrow('another thread is gone');
    expect(foundShared(packed, shared).size).toBe(0);
  });
});
