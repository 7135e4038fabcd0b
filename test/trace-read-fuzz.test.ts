/**
 * A few hundred damaged traces: each is read to an end or refused with a reason, and none loses
 * events without a word. `bench/trace-fuzz.mjs` does the same for as many as one likes.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../src/trace/read/read.js';
import { partsOf } from './trace-cut.js';
import { writeDat } from './trace-dat-writer.js';
import { recording } from './trace-files.js';
import { mutate, readDamaged } from './trace-mutate.js';

const plain = recording('k612f-clean.dat');
const text = recording('k612f-clean.txt');
const parts = partsOf(bytesSource(plain));
const bases: Record<string, Uint8Array> = {
  'version 7, plain': plain,
  'version 7, zstd': recording('k612f-clean.zstd.dat'),
  'version 7, zlib': writeDat({ ...parts, compression: 'zlib' }),
  'version 6': recording('k612f-clean.v6.dat'),
  text,
  'text, gzip': gzipSync(text),
};
const runs = 60;

describe('damaged traces', () => {
  it('are no worse than whole ones', () => {
    for (const bytes of Object.values(bases)) {
      const { report, wrong } = readDamaged(bytes, 1114);
      expect(wrong).toBe('');
      expect(report).toMatchObject({ events: 1114, problems: [] });
    }
  });

  it('would be found out if events were missing', () => {
    expect(readDamaged(plain, 1115).wrong).toContain('without a word');
  });

  for (const [name, bytes] of Object.entries(bases)) {
    it(`${name}: end, and say what is missing`, () => {
      for (let seed = 0; seed < runs; seed++) {
        const { wrong } = readDamaged(mutate(bytes, text, seed), 1114);
        expect(wrong, `seed ${seed}`).toBe('');
      }
    });
  }
});
