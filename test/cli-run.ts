/** Runs the real command line, as a user would, in a folder of its own. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const program = join(root, 'bin', 'civac.mjs');

export interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, CIVAC_DEBUG: __, ...env } = process.env;
  return { ...env, NO_COLOR: '1', ...extra };
}

/** A folder to run in: one of its own with some files in it, removed by `drop`, or a given one. */
export class Bench {
  constructor(readonly folder = mkdtempSync(join(tmpdir(), 'civac-test-'))) {}

  write(name: string, text: string | Uint8Array): string {
    writeFileSync(join(this.folder, name), text);
    return name;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  civac(
    args: readonly string[],
    options: { input?: string; env?: Record<string, string> } = {},
  ): Run {
    const run: SpawnSyncReturns<string> = spawnSync(process.execPath, [program, ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      env: environment(options.env ?? {}),
      input: options.input ?? '',
      maxBuffer: 1 << 28,
      // A run that hangs fails its test (status null) instead of the whole suite.
      timeout: 50_000,
      killSignal: 'SIGKILL',
    });
    return { status: run.status, out: run.stdout, err: run.stderr };
  }

  /** Sends a signal after a while; `again` is how much later it is sent a second time. */
  interrupted(args: readonly string[], afterMs: number): Promise<Run & { seconds: number }> {
    return new Promise((done) => {
      const begin = performance.now();
      const child = spawn(process.execPath, [program, ...args], {
        cwd: this.folder,
        env: environment({}),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      let err = '';
      child.stdout.on('data', (data: Buffer) => {
        out += data.toString();
      });
      child.stderr.on('data', (data: Buffer) => {
        err += data.toString();
      });
      setTimeout(() => child.kill('SIGINT'), afterMs);
      child.on('close', (status) => {
        done({ status, out, err, seconds: (performance.now() - begin) / 1000 });
      });
    });
  }

  drop(): void {
    rmSync(this.folder, { recursive: true });
  }
}
