/**
 * `npm run promote [-- PATTERN]`: the one command that rewrites golden output. It runs the tests
 * that compare with it, with the order to write; look at `git diff` before you commit.
 */
import { ensureModules, runTool } from './setup.mjs';

ensureModules();
const names = process.argv.slice(2);
process.exitCode = runTool('vitest/vitest.mjs', ['run', ...names], { CIVAC_PROMOTE: '1' });
