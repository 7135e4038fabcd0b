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
  /** By field of the kernel's books. */
  private readonly kernel: ReadonlyMap<string, number>;
  /** Per thread, by field. */
  private readonly threads: readonly ReadonlyMap<string, number>[];
  private readonly words: readonly number[];
  private readonly lines: number[][] = [];
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
    this.kernel = new Map(
      this.kernelFields.map((field) => [field, this.component(`kernel ${field}`)]),
    );
    this.threads = initial.threads.map((_, i) => {
      const parts = this.threadParts.map((_fields, part) => this.component(`thread ${i} ${part}`));
      return new Map(
        this.threadFields.map((field) => {
          const at = this.threadParts.findIndex((fields) => fields.includes(field));
          return [field, parts[at] ?? -1];
        }),
      );
    });
    this.words = initial.words.map((_, i) => this.component(`word ${i}`));
  }

  private kernelPart(field: string): number {
    return this.kernel.get(field) ?? -1;
  }

  /** Is to put the component of a name that is not there. */
  make: (name: string) => void = (name) => this.put(name);

  has(name: string): boolean {
    return this.byName.has(name);
  }

  put(name: string): void {
    this.byName.set(name, this.names.push(name) - 1);
  }

  component(name: string): number {
    if (!this.byName.has(name)) this.make(name);
    return this.byName.get(name) ?? -1;
  }

  /** Makes the component of a name that other parts had, in their order. */
  restore(name: string): void {
    const [, frame, at] = /^line (\d+) (\d+)$/.exec(name) ?? [];
    if (frame === undefined || at === undefined) this.component(name);
    else this.line(Number(frame), Number(at));
  }

  private threadPart(thread: number, part: number): number {
    return this.threads[thread]?.get(this.threadParts[part]?.[0] ?? '') ?? -1;
  }

  line(frame: number, at: number): number {
    const lines = this.lines[frame] ?? [];
    this.lines[frame] = lines;
    while (lines.length <= at) {
      const next = lines.length;
      // By its index: other threads may have made some of them meanwhile.
      lines[next] = this.component(`line ${frame} ${next}`);
    }
    return lines[at] ?? -1;
  }

  /** Every component of a state that nothing is known of yet. */
  changes(state: Unkeyed): Change[] {
    return [
      ...this.kernelFields.map((field): Change => {
        return [this.kernelPart(field), text(fieldsOf(state.kernel)[field])];
      }),
      ...state.threads.flatMap((thread, i) =>
        this.threadParts.map((fields, part): Change => {
          return [this.threadPart(i, part), recordText(thread, fields)];
        }),
      ),
      ...state.words.map((word, i): Change => [this.words[i] ?? -1, text(word)]),
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
        changes.push([this.kernelPart(field), text(value)]);
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
      if (word !== view.words[i]) changes.push([this.words[i] ?? -1, text(word)]);
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
    const kernel = lazy(this.kernelFields, (field) => {
      const component = this.kernelPart(field);
      return tracker.view(component, '', value(component));
    });
    const threads = this.threads.map((parts) =>
      lazy(this.threadFields, (field) => {
        const component = parts.get(field) ?? -1;
        return tracker.view(component, field, fieldOf(value(component), field));
      }),
    );
    const words = this.words.map((component) => tracker.view(component, '', value(component)));
    tracker.note(this.frames, '');
    const frames = rows(value(this.frames)).map((frame, i) => {
      const lines = this.lineParts(frame, i).map((component) =>
        tracker.view(component, '', value(component)),
      );
      return { ...fieldsOf(frame as object), lines };
    });
    // The view has the fields of the records it stands for; what reads it cannot tell.
    return { kernel, threads, words, frames, key: '' } as unknown as State;
  }

  /** A state made of component values, as the reference engine knows it. */
  assemble(value: (component: number) => Data): Unkeyed {
    const kernel = Object.fromEntries([...this.kernel].map(([field, at]) => [field, value(at)]));
    const words = this.words.map(value);
    const threads = this.threads.map((parts) =>
      Object.fromEntries([...parts].map(([field, at]) => [field, fieldOf(value(at), field)])),
    );
    const frames = rows(value(this.frames)).map((frame, i) => ({
      ...fieldsOf(frame as object),
      lines: this.lineParts(frame, i).map(value),
    }));
    return { kernel, threads, words, frames } as unknown as Unkeyed;
  }

  private lineParts(frame: Data, index: number): number[] {
    return Array.from({ length: Number(fieldOf(frame, 'lines')) }, (_, at) => this.line(index, at));
  }
}

/** A record whose fields are looked up when asked for. */
function lazy(fields: readonly string[], get: (field: string) => unknown): object {
  const shape = Object.fromEntries(fields.map((field) => [field, null]));
  return new Proxy(shape, { get: (_, field) => (typeof field === 'string' ? get(field) : null) });
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
