/**
 * `npm test`: set-up, then every test; arguments go to vitest, which first builds dist/ (see
 * scripts/test-setup.mjs).
 */
import { ensureModules, runTool } from './setup.mjs';

ensureModules();
process.exitCode = runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);
