import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Builds dist/ when it is older than the sources: the command-line tests run the real thing.
    globalSetup: ['scripts/test-setup.mjs'],
    testTimeout: 60_000,
    env: { NO_COLOR: '1' },
  },
});
