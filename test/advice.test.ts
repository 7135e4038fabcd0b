/** What `civac check` says unasked of syncs that are redundant or destructive. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Bench, root } from './cli-run.js';

const bench = new Bench();
afterAll(() => bench.drop());

function read(path: string): string {
  return readFileSync(join(root, 'litmus', path), 'utf8');
}

interface Note {
  readonly kind: string;
  readonly operation: string;
  readonly line: number;
  readonly trace?: readonly unknown[];
}

function notesOf(...args: string[]): readonly Note[] {
  const { out } = bench.civac(['check', '--json', ...args]);
  return JSON.parse(out).results[0].notes;
}

describe('advice that nobody asked for', () => {
  bench.write('destructive.litmus', read('basics/sync-for-cpu-over-own-dirty-line.litmus'));
  bench.write('redundant.litmus', read('basics/to-device-again-with-sync.litmus'));
  bench.write('noop.litmus', read('thread/a-wc-mmap-before-map.right.litmus'));

  it('names what is destructive, with the run that it spoils', () => {
    const note = notesOf('destructive.litmus').find(({ kind }) => kind === 'destructive');
    expect(note).toMatchObject({ operation: 'dma_sync_single_for_cpu', line: 15 });
    expect(note?.trace?.length).toBeGreaterThan(3);
    const shown = bench.civac(['check', 'destructive.litmus']);
    expect(shown.out).toContain('dma_sync_single_for_cpu: destructive: without it there is no H3');
  });

  it('names what is redundant, and not what is needed', () => {
    const kinds = notesOf('redundant.litmus').map(({ kind }) => kind);
    expect(kinds).toEqual(['redundant']);
    const all = notesOf('--advise', 'redundant.litmus').map(({ kind }) => kind);
    expect(all.sort()).toEqual(['needed', 'redundant']);
  });

  it('does not say twice that a call does nothing', () => {
    const notes = notesOf('noop.litmus').filter(({ line }) => line === 17);
    expect(notes.map(({ kind }) => kind)).toEqual(['no-op']);
  });

  it('is for one scenario at a time, and not for comparing or for one line', () => {
    const both = bench.civac(['check', 'destructive.litmus', 'redundant.litmus']);
    expect(both.out).not.toMatch(/redundant:|destructive:/u);
    const stated = bench.civac(['check', '--expect', '--json', 'redundant.litmus']);
    expect(JSON.parse(stated.out).results[0].notes).toEqual([]);
  });
});
