import { defineConfig } from 'vitest/config';
import { SkippedTests } from './test/skipped.js';

/** A file for counts as JSON (.ci/run). */
const outputFile = process.env.CIVAC_TEST_REPORT ?? '';
const counts: ['json', { outputFile: string }][] =
  outputFile === '' ? [] : [['json', { outputFile }]];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Builds dist/ when it is older than the sources: the command-line tests run the real thing.
    globalSetup: ['scripts/test-setup.mjs'],
    testTimeout: 60_000,
    env: { NO_COLOR: '1' },
    reporters: ['default', new SkippedTests(), ...counts],
  },
});
