/**
 * What goes into trace.dat beside the pages, read from the instance before it goes: formats of the
 * recorded events, names of tasks, statistics. Leaves out: the file's layout (trace-dat.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { machine, release, type } from 'node:os';
import { join } from 'node:path';
import { version } from '../base/version.js';
import { codeOf } from './errors.js';
import { type Instance, lossIn } from './instance.js';
import { readText } from './machine.js';
import type { Tasks } from './run.js';
import type { TraceDat } from './trace-dat.js';

function formatsOf(instance: Instance, system: string, names: readonly string[]): Buffer[] {
  return names.flatMap((name) => {
    const text = instance.readOr(join('events', system, name, 'format'), '');
    return text === '' ? [] : [Buffer.from(text)];
  });
}

function listOr(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function systemsOf(instance: Instance, events: readonly string[]): TraceDat['systems'] {
  const systems = [...new Set(events.map((event) => event.split(':')[0] ?? ''))];
  return systems.map((system) => {
    const names = events.flatMap((event) => {
      const [of, name = ''] = event.split(':');
      return of === system ? [name] : [];
    });
    return { system, formats: formatsOf(instance, system, names) };
  });
}

/** /proc/kallsyms is 10 MB: only for events that print a symbol (%ps, %pS, %pB ...). */
function kallsymsFor(systems: TraceDat['systems']): Buffer {
  const wanted = systems.some(({ formats }) =>
    formats.some((format) => /%p[sSfFB]/.test(format.toString())),
  );
  return wanted ? readFileSync('/proc/kallsyms') : Buffer.alloc(0);
}

/** Everything that goes with the instance, read before it goes. */
export interface Kept {
  readonly dat: Omit<TraceDat, 'spills'>;
  readonly loss: ReadonlyMap<number, ReturnType<typeof lossIn>>;
  readonly readEvents: number;
}

export function keep(
  instance: Instance,
  root: string,
  events: readonly string[],
  tasks: Tasks,
): Kept {
  const systems = systemsOf(instance, events);
  const stats = instance.buffers.map((buffer) => instance.statsOf(buffer));
  const ftrace = join('events', 'ftrace');
  const read = (text: string) => Number(/^read events: (\d+)/m.exec(text)?.[1] ?? 0);
  return {
    dat: {
      pageBytes: instance.pageBytes,
      headerPage: readFileSync(join(root, 'events', 'header_page')),
      headerEvent: readFileSync(join(root, 'events', 'header_event')),
      ftrace: formatsOf(instance, 'ftrace', listOr(join(instance.path, ftrace))),
      systems,
      kallsyms: kallsymsFor(systems),
      printkFormats: Buffer.from(readText(join(root, 'printk_formats')) ?? ''),
      cmdlines: tasks.text,
      clock: instance.read('trace_clock'),
      uname: `${type()} ${release()} ${machine()}`,
      tool: `civac ${version}`,
      stats: instance.buffers.map((buffer, i) => `CPU: ${buffer.cpu}\n${stats[i]}`),
    },
    loss: new Map(instance.buffers.map((buffer, i) => [buffer.cpu, lossIn(stats[i] ?? '')])),
    readEvents: stats.reduce((sum, text) => sum + read(text), 0),
  };
}
