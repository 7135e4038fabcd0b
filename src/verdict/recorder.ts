/** Facts gathered while exploring, beside the states: no-ops, mappings, maintenance. */
import type { NoteKind, Recorder } from '../kernel/context.js';
import type { Maintenance } from '../machine/store-buffer.js';

export interface RecordedNote {
  readonly kind: NoteKind;
  readonly rule: string;
  readonly site: number;
  readonly message: string;
}

export interface RecordedMap {
  readonly buffer: number;
  readonly mapping: string;
  readonly site: number;
}

/** What one place issues each time it runs; one that cleans, then invalidates, counts twice. */
export interface RecordedWork {
  readonly op: Maintenance;
  readonly lines: number;
  readonly site: number;
}

export class Facts implements Recorder {
  tracing = false;
  private readonly noteBy = new Map<string, RecordedNote>();
  private readonly mapBy = new Map<string, RecordedMap>();
  private readonly maintenance = new Map<number, Set<number>>();
  private readonly workBy = new Map<string, RecordedWork>();

  note(kind: NoteKind, rule: string, site: number, message: string): void {
    const key = `${site}|${message}`;
    if (!this.noteBy.has(key)) this.noteBy.set(key, { kind, rule, site, message });
  }

  mapped(buffer: number, mapping: string, site: number): void {
    const key = `${buffer}|${site}`;
    if (!this.mapBy.has(key)) this.mapBy.set(key, { buffer, mapping, site });
  }

  maintained(buffer: number, site: number): void {
    const sites = this.maintenance.get(buffer) ?? new Set<number>();
    sites.add(site);
    this.maintenance.set(buffer, sites);
  }

  issued(op: Maintenance, lines: number, site: number): void {
    this.workBy.set(`${site}|${op}`, { op, lines, site });
  }

  work(): readonly RecordedWork[] {
    return [...this.workBy.values()].sort((a, b) => a.site - b.site);
  }

  notes(): readonly RecordedNote[] {
    return [...this.noteBy.values()].sort((a, b) => a.site - b.site);
  }

  maps(): readonly RecordedMap[] {
    return [...this.mapBy.values()].sort((a, b) => a.site - b.site);
  }

  maintainedAt(buffer: number): readonly number[] {
    return [...(this.maintenance.get(buffer) ?? [])].sort((a, b) => a - b);
  }
}
