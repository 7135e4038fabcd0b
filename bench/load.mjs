/**
 * Bundles a TypeScript module of the checkout and imports it, for the programs in here that need
 * the inside of civac. Leaves out nothing of the module; the bundle is gone when the program ends.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from '../scripts/setup.mjs';

/** The exports of `file`, a path in the checkout. */
export async function load(file) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    write: false,
    logLevel: 'error',
  });
  const folder = mkdtempSync(join(tmpdir(), 'civac-bench-'));
  try {
    const path = join(folder, 'module.mjs');
    writeFileSync(path, result.outputFiles[0].contents);
    return await import(pathToFileURL(path).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
