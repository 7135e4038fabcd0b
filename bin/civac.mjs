#!/usr/bin/env node
/**
 * The `civac` command: runs dist/civac.mjs. In a checkout (there is a src/ beside it; a published
 * package has none) it first builds dist/ when that is missing or older than the sources.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';

// Node 22 keeps compiled code between runs; Node 20 cannot.
module.enableCompileCache?.();

if (existsSync(new URL('../src', import.meta.url))) {
  const { build, isBuilt } = await import('../scripts/build.mjs');
  if (!isBuilt()) await build({ quiet: true });
}
await import('../dist/civac.mjs');
