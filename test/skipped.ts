/**
 * What a run of the tests left out, by name, behind everything else: tests of tools that this
 * machine has not would else be a number. Says nothing where only some tests were asked for.
 */
import type { Reporter, TestModule, Vitest } from 'vitest/node';

export interface LeftOut {
  readonly file: string;
  readonly name: string;
}

/** Lines for a run's end; none when nothing was left out. */
export function leftOutText(tests: readonly LeftOut[]): readonly string[] {
  if (tests.length === 0) return [];
  const names = tests.map(({ file, name }) => `  ${file}: ${name}`);
  return [`skipped on this machine: ${tests.length}`, ...names, ''];
}

export class SkippedTests implements Reporter {
  private isFiltered = false;

  onInit(vitest: Vitest): void {
    this.isFiltered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.isFiltered) return;
    const tests = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map(
        ({ fullName }): LeftOut => ({ file: module.relativeModuleId, name: fullName }),
      ),
    );
    for (const line of leftOutText(tests)) console.log(line);
  }
}
