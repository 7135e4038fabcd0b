/**
 * What one call of a kernel function changed, taken apart into facets, and the taking back of one
 * of them: the page count of a buffer, the dsb it queued, one complaint of dma-debug. A facet is a
 * name; the same function gives the same names wherever it does the same kind of thing.
 * Leaves out: which value a function returns, and what it tells the reports about itself.
 */
import type { KernelContext, RawFinding, Work } from '../../src/kernel/context.js';
import type { Entry } from '../../src/machine/store-buffer.js';

type Fields = Readonly<Record<string, unknown>>;

/** What a context was before a call. */
export interface Before {
  readonly step: Fields;
  readonly kernel: Fields;
  readonly work: number;
  readonly findings: number;
  readonly outs: number;
}

/** Everything of a step that a function may change; `kernel` is taken apart further. */
const stepFields = [
  'frames',
  'words',
  'clock',
  'seen',
  'entries',
  'touched',
  'early',
  'tickets',
] as const;

export function before(context: KernelContext): Before {
  return {
    step: Object.fromEntries(stepFields.map((field) => [field, context.step[field]])),
    kernel: { ...context.step.kernel },
    work: context.work.length,
    findings: context.findings.length,
    outs: context.outs.length,
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRows(value: unknown): value is readonly Fields[] {
  return Array.isArray(value) && value.every(isFields);
}

/** Rows are known by their id where they have one, or by their address; else by their place. */
function keyOf(row: Fields, index: number): unknown {
  if (typeof row.id === 'number') return row.id;
  return typeof row.iova === 'number' ? `${row.domain} ${row.iova}` : index;
}

/** The facets by which one value differs from what it was. */
function changes(name: string, old: unknown, now: unknown): readonly string[] {
  if (old === now) return [];
  if (!isRows(old) || !isRows(now)) return same(old, now) ? [] : [name];
  const was = new Map(old.map((row, i) => [keyOf(row, i), row]));
  const is = new Map(now.map((row, i) => [keyOf(row, i), row]));
  const found = [...is].flatMap(([key, row]): readonly string[] => {
    const one = was.get(key);
    if (one === undefined) return [`${name} added`];
    return fieldsOf(one, row)
      .filter((field) => !same(one[field], row[field]))
      .map((field) => `${name}.${field}`);
  });
  const gone = [...was.keys()].some((key) => !is.has(key)) ? [`${name} removed`] : [];
  return [...found, ...gone];
}

/** A change may add a field to a row, or take one away. */
function fieldsOf(old: Fields, now: Fields): readonly string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])];
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** `now` without the change that the facet names. */
function takenBack(name: string, old: unknown, now: unknown, facet: string): unknown {
  if (facet === name) return old;
  if (!isRows(old) || !isRows(now)) return now;
  const was = new Map(old.map((row, i) => [keyOf(row, i), row]));
  if (facet === `${name} added`) return now.filter((row, i) => was.has(keyOf(row, i)));
  if (facet === `${name} removed`) {
    const is = new Set(now.map(keyOf));
    return [...now, ...old.filter((row, i) => !is.has(keyOf(row, i)))];
  }
  return now.map((row, i) => {
    const one = was.get(keyOf(row, i));
    if (one === undefined) return row;
    const field = fieldsOf(one, row).find((each) => facet === `${name}.${each}`);
    if (field === undefined) return row;
    const { [field]: _, ...rest } = row;
    return field in one ? { ...rest, [field]: one[field] } : rest;
  });
}

function entryName(entry: Entry): string {
  if (entry.kind === 'maintain') return entry.op;
  if (entry.kind === 'barrier') return `barrier ${entry.scope}`;
  return entry.kind;
}

function workNames(work: Work): readonly string[] {
  if (work.do === 'enqueue') return work.entries.map((entry) => `then ${entryName(entry)}`);
  if (work.do === 'drained') return [`then wait for ${work.what}`];
  if (work.do === 'untranslate') return [`then untranslate${work.sync ? ' with sync' : ''}`];
  return [`then ${work.do}`];
}

function findingName({ id, detail }: RawFinding): string {
  if (id !== 'H11' && id !== 'H14') return `tells ${id}`;
  return `tells ${id}: ${detail().message.replaceAll(/0x[0-9a-f]+|\d+/g, 'N')}`;
}

function newEntries(was: Before, context: KernelContext): readonly Entry[] {
  const old = was.step.entries;
  return context.step.entries.filter((each) => !(Array.isArray(old) && old.includes(each)));
}

/** The finest parts of what a call changed. */
function partsOf(was: Before, context: KernelContext): readonly string[] {
  const found = [
    ...Object.entries(context.step.kernel).flatMap(([key, now]) =>
      changes(key, was.kernel[key], now),
    ),
    ...stepFields
      .filter((field) => field !== 'entries')
      .flatMap((field) => changes(`step ${field}`, was.step[field], context.step[field])),
    ...newEntries(was, context).map((entry) => `issues ${entryName(entry)}`),
    ...context.work.slice(was.work).flatMap(workNames),
    ...context.findings.slice(was.findings).map(findingName),
    ...(context.outs.length > was.outs ? ['out'] : []),
    ...(context.blocked ? ['waits'] : []),
  ];
  return [...new Set(found)];
}

const memory = /^step (words|frames)|^buffers\.(pages|gone|held)|^buffers added|^then free/;

/**
 * What a part belongs to. The books say some things twice (a page that is freed leaves its buffer's
 * list, and its frame has no owner): half of such a pair taken back is no kernel function at all.
 */
function facetOf(part: string, all: readonly string[]): string {
  if (part === 'step clock') return all.some((each) => memory.test(each)) ? 'memory' : 'order';
  if (memory.test(part)) return 'memory';
  if (part === 'buffers.sgt' || part.startsWith('sgts')) {
    return all.includes('mappings removed') ? 'mappings removed' : 'tables';
  }
  if (part === 'then tlbi' || part === 'then wait for stores') return 'then wait for stores';
  if (/^(iotlb|deviceLines)\b/.test(part)) return `${part.replace(/[ .].*/, '')} changed`;
  if (/^(maps|mappings|domains|locks|ports|pools|attachments)\b/.test(part)) {
    return part.replace(/\..*/, ' changed');
  }
  return part;
}

/** The names of all that a call changed. */
export function facetsOf(was: Before, context: KernelContext): ReadonlySet<string> {
  const parts = partsOf(was, context);
  return new Set(parts.map((part) => facetOf(part, parts)));
}

/** Undoes one facet of a call that just ran. */
export function takeBack(was: Before, context: KernelContext, facet: string): void {
  const parts = partsOf(was, context);
  for (const part of parts) if (facetOf(part, parts) === facet) takeBackPart(was, context, part);
}

function takeBackPart(was: Before, context: KernelContext, facet: string): void {
  for (const [key, now] of Object.entries(context.step.kernel)) {
    const back = takenBack(key, was.kernel[key], now, facet);
    if (back !== now) context.step.kernel = { ...context.step.kernel, [key]: back };
  }
  for (const field of stepFields) {
    const name = `step ${field}`;
    const back = takenBack(name, was.step[field], context.step[field], facet);
    if (back !== context.step[field]) Reflect.set(context.step, field, back);
  }
  const issued = newEntries(was, context).filter((each) => `issues ${entryName(each)}` === facet);
  if (issued.length > 0) {
    context.step.entries = context.step.entries.filter((each) => !issued.includes(each));
  }
  context.work = context.work.flatMap((each, i) => (i < was.work ? [each] : without(each, facet)));
  const told = context.findings.filter(
    (each, i) => i < was.findings || findingName(each) !== facet,
  );
  context.findings.splice(0, context.findings.length, ...told);
  if (facet === 'out') context.outs.length = was.outs;
  if (facet === 'waits') context.blocked = false;
}

function without(work: Work, facet: string): readonly Work[] {
  if (!workNames(work).includes(facet)) return [work];
  if (work.do !== 'enqueue') return [];
  const entries = work.entries.filter((entry) => `then ${entryName(entry)}` !== facet);
  return entries.length > 0 ? [{ ...work, entries }] : [];
}
