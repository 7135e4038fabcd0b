/**
 * Spin and Rumur on many export models at once: sources of a batch, one compilation each, and what
 * they say of every model. Needs spin, rumur and gcc, as Debian has them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { murphiBatch, promelaBatch } from '../src/export/batch.js';
import type { ExportModel } from '../src/export/model.js';

/** What a checker came to. */
export interface Count {
  readonly states: number;
  /** Steps taken; -1 where the checker does not tell them apart. */
  readonly transitions: number;
  /** Keys of the hazards met, in order. */
  readonly hazards: readonly string[];
}

/** The tools that are not installed here. */
export function missingTools(): readonly string[] {
  return ['spin', 'rumur', 'gcc'].filter(
    (tool) => spawnSync(tool, ['--version']).error !== undefined,
  );
}

function run(folder: string, command: string, args: readonly string[], model = 0): string {
  const env = { ...process.env, CIVAC_MODEL: String(model) };
  const options = { cwd: folder, env, encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
  const { error, status, stdout, stderr } = spawnSync(command, args, options);
  if (error !== undefined) throw new Error(`${command}: ${error.message}`);
  if (status !== 0)
    throw new Error(
      `${command}: status ${status}\n${stdout.slice(0, 1000)}${stderr.slice(0, 1000)}`,
    );
  return stdout;
}

function within<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'witness-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function keysOf(model: ExportModel, numbers: Iterable<number>): readonly string[] {
  return [...new Set(numbers)].map((n) => model.hazards[n]?.key ?? `hazard ${n}`).sort();
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern} in\n${text}`);
  return Number(found);
}

export function bySpin(models: readonly ExportModel[]): readonly Count[] {
  return within((folder) => {
    writeFileSync(join(folder, 'batch.pml'), promelaBatch(models));
    run(folder, 'spin', ['-a', 'batch.pml']);
    const flags = ['-O0', '-DSAFETY', '-DNOREDUCE', '-DVECTORSZ=8192', '-w'];
    run(folder, 'gcc', [...flags, '-o', 'pan', 'pan.c']);
    return models.map((model, i): Count => {
      const text = run(folder, './pan', ['-w16', '-m200000'], i + 1);
      if (/max search depth too small|errors: [1-9]/.test(text)) throw new Error(text);
      // The choice of the model is one state and two steps: Spin counts the start as one.
      const loops = model.forbidden.length > 0;
      return {
        states: numberIn(text, /^\s*(\d+) states, stored/m) - 1,
        transitions: loops ? -1 : numberIn(text, /^\s*(\d+) transitions/m) - 2,
        hazards: keysOf(
          model,
          [...text.matchAll(/^hit (\d+)$/gm)].map((m) => Number(m[1])),
        ),
      };
    });
  });
}

export function byRumur(models: readonly ExportModel[]): readonly Count[] {
  return within((folder) => {
    writeFileSync(join(folder, 'batch.m'), murphiBatch(models));
    const options = ['--deadlock-detection', 'off', '--threads', '1', '--output', 'batch.c'];
    run(folder, 'rumur', [...options, 'batch.m']);
    const flags = ['-std=c11', '-O0', '-mcx16', '-w', '-o', 'batch', 'batch.c'];
    run(folder, 'gcc', [...flags, '-lpthread', '-latomic']);
    // A hazard that is not met is an error to Rumur: its status tells nothing.
    const { stdout } = spawnSync('./batch', [], { cwd: folder, encoding: 'utf8' });
    if (/rror:|assertion|exceeded/i.test(stdout)) throw new Error(stdout);
    numberIn(stdout, /(\d+) states, \d+ rules fired/);
    return models.map((model, i): Count => {
      const hits = [...stdout.matchAll(/cover "hit (\d+) (\d+)" hit (\d+) times/g)]
        .filter(([, which, , times]) => Number(which) === i && Number(times) > 0)
        .map(([, , hazard]) => Number(hazard));
      return {
        states: numberIn(stdout, new RegExp(`cover "states ${i}" hit (\\d+) times`)),
        transitions: -1,
        hazards: keysOf(model, hits),
      };
    });
  });
}
