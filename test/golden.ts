/**
 * Golden output: text compared byte by byte with a file in the repository. The files are written
 * only by `npm run promote`; a missing one is a failure, not an invitation to make it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'golden');

/** Compares with test/golden/NAME, or with any other file given by its full path. */
export function expectGolden(actual: string, name: string): void {
  const path = join(folder, name);
  expectGoldenFile(actual, path);
}

export function expectGoldenFile(actual: string, path: string): void {
  if (process.env.CIVAC_PROMOTE === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  let golden: string;
  try {
    golden = readFileSync(path, 'utf8');
  } catch {
    throw new Error(`no golden file ${path}; 'npm run promote' writes it`);
  }
  expect(actual, path).toBe(golden);
}
