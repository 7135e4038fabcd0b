/**
 * A tracefs instance of our own: its buffer, clock and events, and the text files in it. Nothing
 * outside the instance is written. Source: Documentation/trace/ftrace.rst, "Instances". Leaves
 * out: reading the buffers (drain.ts), and the removal (watcher.ts).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearestName } from '../diagnostics/nearest.js';
import type { SidecarCpu } from '../trace/sidecar.js';
import { codeOf, RecordError, reasonOf } from './errors.js';

export interface InstanceSettings {
  /** `system:name` each. */
  readonly events: readonly string[];
  readonly clock: string;
  /** KiB per CPU. */
  readonly bufferKb: number;
}

/** A ring buffer of one CPU. */
export interface CpuBuffer {
  readonly cpu: number;
  readonly folder: string;
}

export class Instance {
  /** Bytes that one read of trace_pipe_raw returns: the ring buffer's page. */
  readonly pageBytes: number;
  readonly buffers: readonly CpuBuffer[];

  private constructor(
    readonly path: string,
    headerPage: string,
  ) {
    const kb = Number.parseInt(this.readOr('buffer_subbuf_size_kb', ''), 10);
    this.pageBytes = Number.isNaN(kb) ? pageBytesIn(headerPage) : kb * 1024;
    this.buffers = readdirSync(join(path, 'per_cpu'))
      .flatMap((name) => {
        const cpu = /^cpu(\d+)$/.exec(name)?.[1];
        return cpu === undefined ? [] : [{ cpu: Number(cpu), folder: join(path, 'per_cpu', name) }];
      })
      .sort((a, b) => a.cpu - b.cpu);
  }

  /**
   * Makes the instance, switched off. `headerPage` is the text of events/header_page. `make` is
   * mkdir; a test fills the directory as well.
   */
  static make(path: string, headerPage: string, make: (path: string) => void): Instance {
    try {
      make(path);
    } catch (error) {
      const more = codeOf(error) === 'ENOMEM' ? '' : '; is the kernel locked down?';
      throw new RecordError(`cannot make a tracefs instance: ${reasonOf(error)}${more}`);
    }
    const instance = new Instance(path, headerPage);
    instance.write('tracing_on', '0');
    return instance;
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8');
  }

  readOr(file: string, otherwise: string): string {
    try {
      return this.read(file);
    } catch {
      return otherwise;
    }
  }

  private write(file: string, value: string): void {
    // tracefs files exist already: one that has to be made is no file of the kernel's.
    writeFileSync(join(this.path, file), value, { flag: 'r+' });
  }

  setUp({ events, clock, bufferKb }: InstanceSettings): void {
    this.setClock(clock);
    this.setBuffer(bufferKb);
    for (const event of events) {
      try {
        this.write(join('events', event.replace(':', '/'), 'enable'), '1');
      } catch (error) {
        throw new RecordError(`cannot switch on ${event}: ${reasonOf(error)}`);
      }
    }
  }

  private setClock(clock: string): void {
    const known = this.read('trace_clock').replace(/[[\]]/g, '').trim().split(/\s+/);
    if (!known.includes(clock)) {
      const near = nearestName(clock, known);
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      throw new RecordError(`no trace clock ${clock}${hint}\nthis kernel has ${known.join(' ')}`);
    }
    this.write('trace_clock', clock);
  }

  private setBuffer(kb: number): void {
    try {
      this.write('buffer_size_kb', String(kb));
    } catch (error) {
      throw new RecordError(
        `cannot get ${kb} KiB of buffer on each of ${this.buffers.length} CPUs: ` +
          `${reasonOf(error)}; ask for less with --buffer`,
      );
    }
  }

  /** KiB per CPU that the kernel gave; it rounds up to whole pages. */
  get bufferKb(): number {
    return Number.parseInt(this.readOr('buffer_size_kb', '0'), 10);
  }

  start(): void {
    this.write('tracing_on', '1');
  }

  stop(): void {
    this.write('tracing_on', '0');
  }

  /** The text of a CPU's stats, '' when it has none. */
  statsOf({ folder }: CpuBuffer): string {
    try {
      return readFileSync(join(folder, 'stats'), 'utf8');
    } catch {
      return '';
    }
  }
}

/** The page is what stands before the data, and the data. */
function pageBytesIn(headerPage: string): number {
  const [, offset, size] = /char data;\s*offset:(\d+);\s*size:(\d+);/.exec(headerPage) ?? [];
  if (offset === undefined || size === undefined) {
    throw new RecordError('events/header_page does not tell the size of a page');
  }
  return Number(offset) + Number(size);
}

/** What a CPU lost, out of the text of its stats. */
export function lossIn(stats: string): Pick<SidecarCpu, 'overrun' | 'dropped'> {
  const number = (name: string) =>
    Number.parseInt(new RegExp(`^${name}: (\\d+)`, 'm').exec(stats)?.[1] ?? '0', 10);
  return { overrun: number('overrun'), dropped: number('dropped events') };
}
