/**
 * While a recording runs: starts the command, waits for an end, carries the pages to disk and
 * remembers the names of tasks. Leaves out: the instance's making and going.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Sidecar } from '../trace/sidecar.js';
import type { Drain } from './drain.js';
import { RecordError, reasonOf } from './errors.js';
import { readText } from './machine.js';

/** Buffers are read that often; a buffer of 8 MiB then holds up at 80 MB/s per CPU. */
const pauseMs = 100;
const tasksEveryMs = 1000;

/** What shall run, and what may end it. */
export interface Order {
  /** Program and arguments; empty to record until stopped. */
  readonly command: readonly string[];
  /** End after that many seconds; null for no end. */
  readonly seconds: number | null;
  /** Calls back when the recording shall end early. */
  onStop(handler: () => void): void;
}

/** How the recording ended. */
export interface End {
  readonly stopped: boolean;
  readonly command: Sidecar['command'];
}

export interface Running {
  readonly end: Promise<End>;
  /** Asks the command to end, if it still runs, and waits no longer for it. */
  letGo(): void;
}

function startCommand(argv: readonly string[]): Running {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: 'inherit' });
  const end = new Promise<End>((resolve, reject) => {
    child.on('error', (error) => {
      reject(new RecordError(`cannot run ${program}: ${reasonOf(error)}`));
    });
    child.on('exit', (exit, signal) => {
      resolve({ stopped: false, command: { argv, exit, signal } });
    });
  });
  const letGo = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    child.unref();
  };
  return { end, letGo };
}

/** Whatever comes first: the command's end, the time, or the caller's word. */
export function startRun({ command: argv, seconds, onStop }: Order): Running {
  const command = argv.length === 0 ? null : startCommand(argv);
  const cut = argv.length === 0 ? null : { argv, exit: null, signal: null };
  const ways: Promise<End>[] = command === null ? [] : [command.end];
  ways.push(
    new Promise((resolve) => {
      onStop(() => resolve({ stopped: true, command: cut }));
    }),
  );
  if (seconds !== null) {
    ways.push(
      new Promise((resolve) => {
        setTimeout(() => resolve({ stopped: false, command: cut }), seconds * 1000).unref();
      }),
    );
  }
  return { end: Promise.race(ways), letGo: command?.letGo ?? (() => {}) };
}

/** comm of every pid seen: the kernel itself remembers those of the last 128 tasks or so. */
export class Tasks {
  private readonly names = new Map<string, string>();

  /** `root` is tracefs itself: instances have no saved_cmdlines of their own. */
  constructor(private readonly root: string) {}

  read(): void {
    for (const line of (readText(join(this.root, 'saved_cmdlines')) ?? '').split('\n')) {
      const space = line.indexOf(' ');
      const name = line.slice(space + 1);
      if (space > 0 && name !== '<...>') this.names.set(line.slice(0, space), name);
    }
  }

  get text(): string {
    return [...this.names].map(([pid, name]) => `${pid} ${name}\n`).join('');
  }
}

/** Resolves after the time, or at once when `ended` does. */
async function pause(ms: number, ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([time, ended]);
  } finally {
    clearTimeout(timer);
  }
}

/** Carries pages to disk until the end comes. `full` is the size of a CPU's buffer in bytes. */
export async function attend(
  running: Running,
  drain: Drain,
  tasks: Tasks,
  full: number,
): Promise<End> {
  let end: End | null = null;
  const ended = running.end.then((how) => {
    end = how;
  });
  // An error of the command's start is thrown by the race, if a read does not fail before.
  ended.catch(() => {});
  let tasksAt = 0;
  while (end === null) {
    const moved = drain.round();
    if (performance.now() - tasksAt > tasksEveryMs) {
      tasks.read();
      tasksAt = performance.now();
    }
    await pause(moved > full / 8 ? 0 : pauseMs, ended);
  }
  return end;
}
