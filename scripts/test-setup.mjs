/**
 * Before the tests (see vitest.config.ts): dist/ as the sources are now. When they do not build,
 * the tests of single modules still run; those of the command line then fail by themselves.
 */
import { build } from './build.mjs';

export async function setup() {
  try {
    await build({ quiet: true });
  } catch (error) {
    console.error(`the command line does not build: ${error.message}`);
  }
}
