/**
 * `npm run check`: the type check and the lint. Names one of them to run it alone; both run even
 * when the first one fails, so that one look shows everything.
 */
import { ensureModules, runTool } from './setup.mjs';

const steps = {
  types: () => runTool('typescript/bin/tsc', ['-p', 'tsconfig.json']),
  lint: () => runTool('@biomejs/biome/bin/biome', ['lint', '--error-on-warnings']),
};

ensureModules();
const only = process.argv[2];
let status = 0;
for (const [name, step] of Object.entries(steps)) {
  if (only === undefined || only === name) status = step() || status;
}
process.exitCode = status;
