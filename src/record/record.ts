/**
 * A recording from beginning to end: make an instance, run the command or wait, carry the pages to
 * disk, write trace.dat and the sidecar. Leaves out: signals and words for the terminal (the
 * command line), what the events mean (src/trace).
 */
import { mkdirSync, readFileSync, writeSync } from 'node:fs';
import { cpus, freemem, machine, release, version as systemVersion } from 'node:os';
import { dirname, join } from 'node:path';
import { version } from '../base/version.js';
import { type Sidecar, sidecarName } from '../trace/sidecar.js';
import { type Kept, keep } from './collect.js';
import { Drain, type Spill } from './drain.js';
import { codeOf, RecordError, reasonOf } from './errors.js';
import { type Chosen, chooseEvents, parseAvailable } from './events.js';
import { Instance } from './instance.js';
import { devicesOf, granuleOf, pageSizeOf, readText } from './machine.js';
import { attend, type End, type Order, startRun, Tasks } from './run.js';
import { replaceFile, writeTraceDat } from './trace-dat.js';
import { findTracefs, mountTracefs, type Tracefs, thisMachine, unmountTracefs } from './tracefs.js';
import { instanceName, removeStale, startWatcher } from './watcher.js';

export interface RecordOptions extends Order {
  /** Where trace.dat goes; the sidecar goes beside it. */
  readonly output: string;
  /** Patterns as chooseEvents takes them; none for the default set. */
  readonly events: readonly string[];
  readonly clock: string;
  /** KiB per CPU; null for a size that fits the machine. */
  readonly bufferKb: number | null;
  /** Where tracefs is; null to look for it. */
  readonly tracefs: string | null;
  /** The recording runs. */
  started(chosen: Chosen, cpuCount: number): void;
  /** Something to know that is no error. */
  note(text: string): void;
}

export interface Recorded {
  readonly sidecar: Sidecar;
  readonly sidecarPath: string;
  /** Events in the file. */
  readonly events: number;
  readonly seconds: number;
  /** Ended by the caller's word before the command or the time did. */
  readonly stopped: boolean;
}

const mebi = 1 << 20;

/** KiB per CPU: 8 MiB, or less on machines with many CPUs or little memory, never below 1 MiB. */
export function defaultBufferKb(cpuCount: number, freeBytes: number): number {
  const bytes = Math.min(8 * mebi, (256 * mebi) / cpuCount, freeBytes / 8 / cpuCount);
  return Math.floor(Math.max(mebi, bytes) / 1024);
}

/** What a recording leaves in memory and in unnamed files when its instance is gone. */
interface Taken {
  readonly chosen: Chosen;
  readonly clock: string;
  readonly bufferKb: number;
  readonly recorded: Date;
  readonly seconds: number;
  readonly end: End;
  readonly kept: Kept;
  readonly drain: Drain;
  readonly spills: readonly Spill[];
}

function available({ root }: Tracefs): string[] {
  return parseAvailable(readFileSync(join(root, 'available_events'), 'utf8'));
}

async function take(options: RecordOptions, tracefs: Tracefs, path: string): Promise<Taken> {
  const chosen = chooseEvents(available(tracefs), options.events);
  const headerPage = readFileSync(join(tracefs.root, 'events', 'header_page'), 'utf8');
  const instance = Instance.make(path, headerPage, mkdirSync);
  const bufferKb = options.bufferKb ?? defaultBufferKb(cpus().length, freemem());
  instance.setUp({ events: chosen.events, clock: options.clock, bufferKb });
  const drain = new Drain(instance.buffers, instance.pageBytes, dirname(options.output));
  try {
    return await run(options, tracefs, { instance, drain, chosen });
  } catch (error) {
    drain.close();
    throw error;
  }
}

interface Ready {
  readonly instance: Instance;
  readonly drain: Drain;
  readonly chosen: Chosen;
}

async function run(options: RecordOptions, tracefs: Tracefs, ready: Ready): Promise<Taken> {
  const { instance, drain, chosen } = ready;
  const tasks = new Tasks(tracefs.root);
  const recorded = new Date();
  const from = performance.now();
  instance.start();
  const running = startRun(options);
  options.started(chosen, instance.buffers.length);
  const { bufferKb } = instance;
  let end: End;
  try {
    end = await attend(running, drain, tasks, bufferKb * 1024);
    instance.stop();
  } finally {
    running.letGo();
  }
  const seconds = (performance.now() - from) / 1000;
  const spills = drain.finish();
  tasks.read();
  const kept = keep(instance, tracefs.root, chosen.events, tasks);
  return { chosen, clock: options.clock, bufferKb, recorded, seconds, end, kept, drain, spills };
}

function sidecarOf(taken: Taken): Sidecar {
  const arch = machine();
  return {
    version: 1,
    tool: `civac ${version}`,
    recorded: taken.recorded.toISOString(),
    kernel: { release: release(), version: systemVersion(), machine: arch },
    cmdline: readText('/proc/cmdline') ?? '',
    pageSize: pageSizeOf(),
    granule: granuleOf(arch),
    clock: taken.clock,
    bufferKb: taken.bufferKb,
    events: taken.chosen.events,
    missing: taken.chosen.missing,
    command: taken.end.command,
    cpus: taken.spills.map(({ cpu, bytes }) => ({
      cpu,
      bytes,
      ...(taken.kept.loss.get(cpu) ?? { overrun: 0, dropped: 0 }),
    })),
    devices: devicesOf(arch),
  };
}

function write(taken: Taken, output: string): Recorded {
  const { kept, spills, seconds, end } = taken;
  const sidecarPath = sidecarName(output);
  const sidecar = sidecarOf(taken);
  writeTraceDat(output, { ...kept.dat, spills });
  replaceFile(sidecarPath, (fd) => {
    writeSync(fd, `${JSON.stringify(sidecar, null, 2)}\n`);
  });
  return { sidecar, sidecarPath, events: kept.readEvents, seconds, stopped: end.stopped };
}

/**
 * Records and writes the files. Throws RecordError with what is in the way: no Linux, no root, no
 * tracefs, no such event, no memory, no space. The instance is gone in every case, by the watcher.
 */
export async function record(options: RecordOptions): Promise<Recorded> {
  const here = thisMachine();
  const tracefs = findTracefs(here, options.tracefs);
  const path = join(tracefs.root, 'instances', instanceName(process.pid));
  const watcher = startWatcher(path, tracefs.mounted);
  let taken: Taken;
  try {
    mountTracefs(tracefs, here);
    for (const name of removeStale(tracefs)) {
      options.note(`removed the instance ${name}, left by a recorder that is gone`);
    }
    taken = await take(options, tracefs, path);
  } catch (error) {
    throw inTracefs(error, tracefs);
  } finally {
    if (!(await watcher.release())) {
      options.note(
        `somebody else has files of ${path} open: it is removed when they are closed, ` +
          `within a minute; after that 'rmdir ${path}' does`,
      );
    }
  }
  try {
    return write(taken, options.output);
  } finally {
    taken.drain.close();
  }
}

/** A file that is missing or refuses, in a tracefs of a kind we do not know, is no bug of ours. */
function inTracefs(error: unknown, { root }: Tracefs): unknown {
  if (error instanceof RecordError || codeOf(error) === '') return error;
  const path = error instanceof Error && 'path' in error ? String(error.path) : root;
  return new RecordError(`${path}: ${reasonOf(error)}; is ${root} a tracefs?`);
}

/** The events that would be recorded, without recording. Throws as `record` does. */
export function listEvents(wanted: readonly string[], given: string | null): Chosen {
  const here = thisMachine();
  const tracefs = findTracefs(here, given);
  try {
    mountTracefs(tracefs, here);
    return chooseEvents(available(tracefs), wanted);
  } finally {
    unmountTracefs(tracefs);
  }
}
