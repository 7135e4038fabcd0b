/**
 * Front door of the exports: a scenario as the source of another model checker, with a head that
 * says what it is, how to run it and what to expect. docs/export.md has the reasons.
 * Leaves out: files, running the other checker.
 */
import type { Program } from '../litmus/program.js';
import { check } from '../verdict/check.js';
import type { CheckResult } from '../verdict/result.js';
import type { ExportModel } from './model.js';
import { murphi } from './murphi.js';
import { promela } from './promela.js';
import { exportScenario, NotExportable } from './scenario.js';

export { NotExportable };
export type Target = 'promela' | 'murphi';

export interface ExportOptions {
  readonly maxStates: number;
  readonly maxSeconds: number;
  readonly maxMemoryBytes: number;
}

const HOW: Readonly<Record<Target, readonly string[]>> = {
  promela: [
    'For Spin; this file is called x.pml:',
    '  spin -a x.pml && gcc -O2 -DSAFETY -DNOREDUCE -DVECTORSZ=4096 -o pan pan.c',
    '  ./pan -m1000000       stops at the first hazard, an assertion',
    '  ./pan -m1000000 -A    takes no notice of hazards and counts all states; Spin counts the',
    '                        start as one transition more',
  ],
  murphi: [
    'For Rumur; this file is called x.m:',
    '  rumur --deadlock-detection off --threads 1 --output x.c x.m',
    '  gcc -std=c11 -O2 -mcx16 -w -o x x.c -lpthread -latomic && ./x',
    'It stops at the first hazard, an error; with stop_at_hazard false it counts all states.',
  ],
};

function verdictText({ verdict, hazards }: CheckResult): string {
  const ids = [...new Set(hazards.map(({ id }) => id))];
  return verdict === 'hazard' ? `hazard ${ids.join(' ')}` : verdict;
}

function missingText({ hazards }: CheckResult, model: ExportModel): readonly string[] {
  const told: string[] = [];
  if (hazards.some(({ id }) => id === 'H12')) {
    told.push('H12 is no step and not in this file: a loop that never ends (docs/export.md).');
  }
  if (hazards.some(({ id }) => id === 'H13')) {
    told.push('H13 appears here as the hazard that it is in the run itself.');
  }
  if (model.hazards.length === 0) told.push('No step of it meets a hazard.');
  return told;
}

function headOf(program: Program, model: ExportModel, result: CheckResult, to: Target): string[] {
  const { states, transitions } = model;
  return [
    `${program.file}, exported by civac: the whole machine, unreduced.`,
    `civac check: ${verdictText(result)}; ${states} states, ${transitions} transitions.`,
    ...missingText(result, model),
    '',
    ...HOW[to],
    '',
    'The scenario:',
    '',
    ...model.head.map((line) => `  ${line}`),
  ];
}

/** The source. Throws ScenarioFault as `check` does, and NotExportable at a limit. */
export function exportText(program: Program, to: Target, options: ExportOptions): string {
  const model = exportScenario(program, { ...options, now: () => performance.now() / 1000 });
  const result = check(program, options);
  const head = headOf(program, model, result, to);
  return to === 'promela' ? promela(model, head) : murphi(model, head);
}
