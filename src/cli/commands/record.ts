/** `civac record`: a recording on this machine, told on stderr; stdout is the command's. */
import { statSync } from 'node:fs';
import { groupDigits } from '../../base/text.js';
import { RecordError } from '../../record/errors.js';
import { defaultPatterns } from '../../record/events.js';
import { listEvents, type Recorded, type RecordOptions, record } from '../../record/record.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Signals, watchSignals } from '../signals.js';

export interface RecordCommandOptions {
  readonly output: string;
  readonly event?: readonly string[];
  readonly buffer?: number;
  readonly clock: string;
  readonly seconds?: number;
  readonly tracefs?: string;
  readonly list?: boolean;
  readonly quiet?: boolean;
}

function tell(text: string): void {
  process.stderr.write(`civac: ${text}\n`);
}

function list(options: RecordCommandOptions): number {
  const { events, missing } = listEvents(options.event ?? [], options.tracefs ?? null);
  process.stdout.write(`${events.join('\n')}\n`);
  if (missing.length > 0) tell(`not on this kernel: ${missing.join(', ')}`);
  return exitCode.ok;
}

function lossLine({ cpus }: Recorded['sidecar']): string | null {
  const lossy = cpus.filter(({ overrun, dropped }) => overrun + dropped > 0);
  if (lossy.length === 0) return null;
  const lost = lossy.reduce((sum, { overrun, dropped }) => sum + overrun + dropped, 0);
  const where = lossy.map(({ cpu }) => cpu).join(', ');
  const cpuWord = lossy.length === 1 ? 'CPU' : 'CPUs';
  return `lost ${groupDigits(lost)} events on ${cpuWord} ${where}; a larger --buffer loses fewer`;
}

function duration(seconds: number): string {
  return seconds < 1 ? `${Math.ceil(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

function summary(done: Recorded, options: RecordCommandOptions): string[] {
  const { sidecar } = done;
  const mb = sidecar.cpus.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  const command = sidecar.command;
  const lines = [
    `${groupDigits(done.events)} events in ${duration(done.seconds)}, ` +
      `${mb.toFixed(1)} MB, in ${options.output}; this machine in ${done.sidecarPath}`,
  ];
  const loss = lossLine(sidecar);
  if (loss !== null) lines.push(loss);
  if (sidecar.missing.length > 0) lines.push(`not on this kernel: ${sidecar.missing.join(', ')}`);
  if (command?.signal) lines.push(`${command.argv[0]} was ended by ${command.signal}`);
  else if (command?.exit) lines.push(`${command.argv[0]} exited with ${command.exit}`);
  return lines;
}

function recordOptions(
  command: readonly string[],
  options: RecordCommandOptions,
  onStop: RecordOptions['onStop'],
): RecordOptions {
  return {
    output: options.output,
    events: options.event ?? [],
    clock: options.clock,
    bufferKb: options.buffer ?? null,
    seconds: options.seconds ?? null,
    command,
    tracefs: options.tracefs ?? null,
    onStop,
    note: tell,
    started: (chosen, cpuCount) => {
      const open = command.length === 0 && options.seconds === undefined;
      if (!open || options.quiet) return;
      tell(`recording ${chosen.events.length} events on ${cpuCount} CPUs; Ctrl-C ends it`);
    },
  };
}

/** Before an hour of recording, not after it. */
function checkOutput(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new RecordError(`cannot write ${path}: is a directory`);
  }
}

const parentEveryMs = 500;

/**
 * What ends a recording early: Ctrl-C, SIGTERM, a terminal that closes, and the end of the process
 * that started us, since a recorder nobody knows of would fill the disk. To outlive it, start
 * without one: `setsid -f civac record ...`.
 */
function onEnd(signals: Signals, handler: () => void): () => void {
  signals.onInterrupt(handler);
  process.on('SIGHUP', handler);
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) handler();
  }, parentEveryMs);
  return () => {
    clearInterval(watch);
    process.off('SIGHUP', handler);
  };
}

/**
 * Without a command, Ctrl-C is how a recording ends: 0. With one it cuts the command short: 130.
 * The command's own exit status is told and is in the sidecar; it is not ours.
 */
export async function runRecord(
  command: readonly string[],
  options: RecordCommandOptions,
): Promise<number> {
  try {
    if (options.list) return list(options);
    checkOutput(options.output);
    const signals = watchSignals();
    let release = () => {};
    const onStop = (handler: () => void) => {
      release = onEnd(signals, handler);
    };
    const done = await record(recordOptions(command, options, onStop)).finally(() => {
      release();
      signals.release();
    });
    if (!options.quiet) for (const line of summary(done, options)) tell(line);
    return done.stopped && command.length > 0 ? exitCode.interrupted : exitCode.ok;
  } catch (error) {
    if (error instanceof RecordError) throw new InputError(`record: ${error.message}`);
    throw error;
  }
}

export function defaultEvents(): string {
  return defaultPatterns().join(' ');
}
