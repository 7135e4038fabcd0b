/** All scenarios that may kill a mutant: the corpus, and those made for single functions. */
import { compile } from '../../src/litmus/index.js';
import { type Scenario, scenarios } from '../corpus-scenarios.js';
import { functionScenarios } from './functions.js';

export function everyScenario(): readonly Scenario[] {
  const made = functionScenarios().map(([name, text]): Scenario => {
    const { program, diagnostics } = compile(text, name);
    if (program === null) throw new Error(`${name}: ${diagnostics[0]?.message}`);
    return { name, file: name, text, program };
  });
  return [...made, ...scenarios()];
}
