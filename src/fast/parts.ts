/**
 * A scenario's state as a vector of components: each field of the kernel's books, of each thread
 * what it does, what it knows and its store buffer, each word, the page frames, each line. The cut
 * follows the shape of the records, whatever is in them; nothing here knows what a step means.
 * Leaves out: which values components take (they are met as steps make them).
 */
import type { Frame } from '../kernel/state.js';
import type { State, Thread, Unkeyed } from '../system/state.js';
import type { Data, Tracker } from './track.js';

/** Fields of a thread that make components of their own; all others are one together. */
const KNOWLEDGE = ['clock', 'seen'];
const BUFFER = ['entries'];

/** A line that a frame does not have. */
export const NO_LINE = 'null';

/** The text of a component's new value. */
export type Change = readonly [component: number, text: string];

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(record: object): Fields {
  return record as Fields;
}

/** Ids of components: made as parts turn up, and never taken back. */
export class Parts {
  readonly names: string[] = [];
  private readonly byName = new Map<string, number>();
  private readonly kernelFields: readonly string[];
  private readonly threadFields: readonly string[];
  private readonly threadParts: readonly (readonly string[])[];
  /** Component of the frames' own fields; its lines are components each. */
  readonly frames: number;

  constructor(initial: Unkeyed) {
    const known = ['frames', 'kernel', 'threads', 'words'];
    for (const key of Object.keys(initial)) {
      if (key !== 'key' && !known.includes(key)) throw new Error(`a state has a new part: ${key}`);
    }
    this.kernelFields = Object.keys(initial.kernel);
    this.threadFields = Object.keys(initial.threads[0] ?? {});
    const own = [...KNOWLEDGE, ...BUFFER];
    this.threadParts = [
      this.threadFields.filter((field) => !own.includes(field)),
      KNOWLEDGE,
      BUFFER,
    ];
    this.frames = this.component('frames');
  }

  component(name: string): number {
    let found = this.byName.get(name);
    if (found === undefined) {
      found = this.names.push(name) - 1;
      this.byName.set(name, found);
    }
    return found;
  }

  private threadPart(thread: number, part: number): number {
    return this.component(`thread ${thread} ${part}`);
  }

  line(frame: number, at: number): number {
    return this.component(`line ${frame} ${at}`);
  }

  /** Every component of a state that nothing is known of yet. */
  changes(state: Unkeyed): Change[] {
    return [
      ...this.kernelFields.map((field): Change => {
        return [this.component(`kernel ${field}`), text(fieldsOf(state.kernel)[field])];
      }),
      ...state.threads.flatMap((thread, i) =>
        this.threadParts.map((fields, part): Change => {
          return [this.threadPart(i, part), recordText(thread, fields)];
        }),
      ),
      ...state.words.map((word, i): Change => [this.component(`word ${i}`), text(word)]),
      ...this.frameChanges(state.frames, []),
    ];
  }

  /** The components that a step made different, given the view it worked on. */
  changesFrom(view: Unkeyed, next: Unkeyed): Change[] {
    const changes: Change[] = [];
    if (next.kernel !== view.kernel) {
      for (const field of this.kernelFields) {
        const value = fieldsOf(next.kernel)[field];
        if (value === fieldsOf(view.kernel)[field]) continue;
        changes.push([this.component(`kernel ${field}`), text(value)]);
      }
    }
    next.threads.forEach((thread, i) => {
      const old = view.threads[i];
      if (thread === old || old === undefined) return;
      this.threadParts.forEach((fields, part) => {
        if (fields.every((field) => fieldsOf(thread)[field] === fieldsOf(old)[field])) return;
        changes.push([this.threadPart(i, part), recordText(thread, fields)]);
      });
    });
    next.words.forEach((word, i) => {
      if (word !== view.words[i]) changes.push([this.component(`word ${i}`), text(word)]);
    });
    if (next.frames !== view.frames) changes.push(...this.frameChanges(next.frames, view.frames));
    return changes;
  }

  private frameChanges(next: readonly Frame[], old: readonly Frame[]): Change[] {
    const changes: Change[] = [];
    const before = frameTexts(old);
    const after = frameTexts(next);
    if (after !== before || old.length === 0) changes.push([this.frames, after]);
    next.forEach((frame, i) => {
      const lines = old[i]?.lines ?? [];
      frame.lines.forEach((line, at) => {
        if (line !== lines[at]) changes.push([this.line(i, at), text(line)]);
      });
      for (let at = frame.lines.length; at < lines.length; at++) {
        changes.push([this.line(i, at), NO_LINE]);
      }
    });
    return changes;
  }

  /** A state as a function under watch sees it. */
  view(tracker: Tracker, value: (component: number) => Data): State {
    const part = (component: number, path: readonly string[], data: Data): unknown =>
      tracker.view(component, path, data);
    const kernel = this.lazy(this.kernelFields, (field) => {
      const component = this.component(`kernel ${field}`);
      return part(component, [], value(component));
    });
    const words: unknown[] = [];
    for (let i = 0; this.byName.has(`word ${i}`); i++) {
      const component = this.component(`word ${i}`);
      words.push(part(component, [], value(component)));
    }
    const threads: unknown[] = [];
    for (let i = 0; this.byName.has(`thread ${i} 0`); i++) {
      threads.push(
        this.lazy(this.threadFields, (field) => {
          const at = this.threadParts.findIndex((fields) => fields.includes(field));
          const component = this.threadPart(i, at);
          return part(component, [field], fieldOf(value(component), field));
        }),
      );
    }
    tracker.note(this.frames, '');
    const frames = rows(value(this.frames)).map((frame, i) => {
      const lines = Array.from({ length: Number(fieldOf(frame, 'lines')) }, (_, at) => {
        const component = this.line(i, at);
        return part(component, [], value(component));
      });
      return { ...fieldsOf(frame as object), lines };
    });
    // The view has the fields of the records it stands for; what reads it cannot tell.
    return { kernel, threads, words, frames, key: '' } as unknown as State;
  }

  /** A state made of component values, as the reference engine knows it. */
  assemble(value: (component: number) => Data): Unkeyed {
    const kernel: Record<string, unknown> = {};
    for (const field of this.kernelFields) kernel[field] = value(this.component(`kernel ${field}`));
    const words: unknown[] = [];
    for (let i = 0; this.byName.has(`word ${i}`); i++)
      words.push(value(this.component(`word ${i}`)));
    const threads: unknown[] = [];
    for (let i = 0; this.byName.has(`thread ${i} 0`); i++) {
      const thread: Record<string, unknown> = {};
      for (const field of this.threadFields) {
        const at = this.threadParts.findIndex((fields) => fields.includes(field));
        thread[field] = fieldOf(value(this.threadPart(i, at)), field);
      }
      threads.push(thread);
    }
    const frames = rows(value(this.frames)).map((frame, i) => ({
      ...fieldsOf(frame as object),
      lines: Array.from({ length: Number(fieldOf(frame, 'lines')) }, (_, at) =>
        value(this.line(i, at)),
      ),
    }));
    return { kernel, threads, words, frames } as unknown as Unkeyed;
  }

  /** A record whose fields are looked up when asked for. */
  private lazy(fields: readonly string[], get: (field: string) => unknown): object {
    const record = {};
    for (const field of fields) {
      Object.defineProperty(record, field, { enumerable: true, get: () => get(field) });
    }
    return record;
  }
}

function fieldOf(data: Data | undefined, field: string): Data {
  if (typeof data !== 'object' || data === null) throw new Error(`no ${field} in a plain value`);
  return Reflect.get(data, field) as Data;
}

function rows(data: Data): readonly Data[] {
  return Array.isArray(data) ? data : [];
}

function text(value: unknown): string {
  return JSON.stringify(value);
}

function recordText(record: Thread, fields: readonly string[]): string {
  return text(Object.fromEntries(fields.map((field) => [field, fieldsOf(record)[field]])));
}

/** The frames without their lines, but with how many there are. */
function frameTexts(frames: readonly Frame[]): string {
  return text(frames.map((frame) => ({ ...frame, lines: frame.lines.length })));
}
