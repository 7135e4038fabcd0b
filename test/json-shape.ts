/**
 * The shape of the JSON report as docs/json.md promises it, written down once more by hand: what
 * is wrong with a document, as a list of paths. Shared by the tests of reports and command line.
 */
type Check = (value: unknown, path: string) => string[];

const wrong = (path: string, what: string) => [`${path}: expected ${what}`];

const text: Check = (value, path) => (typeof value === 'string' ? [] : wrong(path, 'text'));
const bool: Check = (value, path) => (typeof value === 'boolean' ? [] : wrong(path, 'bool'));
const amount: Check = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? [] : wrong(path, 'amount');
const whole: Check = (value, path) =>
  Number.isInteger(value) ? amount(value, path) : wrong(path, 'integer');
const place: Check = (value, path) =>
  Number.isInteger(value) && Number(value) >= 1 ? [] : wrong(path, 'a place from 1');

function oneOf(...words: readonly unknown[]): Check {
  return (value, path) => (words.includes(value) ? [] : wrong(path, words.join(' | ')));
}

function orNull(check: Check): Check {
  return (value, path) => (value === null ? [] : check(value, path));
}

function list(check: Check): Check {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, i) => check(item, `${path}[${i}]`))
      : wrong(path, 'a list');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Exactly these fields: one more is wrong as well, since it would be undocumented. */
function record(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (!isRecord(value)) return wrong(path, 'an object');
    const extra = Object.keys(value).filter((key) => !(key in fields));
    return [
      ...Object.entries(fields).flatMap(([key, check]) => check(value[key], `${path}.${key}`)),
      ...extra.map((key) => `${path}.${key}: not documented`),
    ];
  };
}

const settings: Check = (value, path) => {
  if (!isRecord(value)) return wrong(path, 'an object');
  return Object.entries(value).flatMap(([key, setting]) =>
    ['string', 'number', 'boolean'].includes(typeof setting)
      ? []
      : wrong(`${path}.${key}`, 'a setting'),
  );
};

const liberty = oneOf(
  'eviction',
  'reorder',
  'speculation',
  'arch-hit',
  'may-hit',
  'stash',
  'snoop',
);
const cell = record({ name: text, dram: text, cache: text, buffer: text, ideal: text });
const step = record({
  agent: text,
  rule: text,
  text,
  line: whole,
  wrong: bool,
  cells: list(cell),
});
const hazard = record({
  id: (value, path) =>
    typeof value === 'string' && /^(H([1-9]|1[0-5])|assertion)$/.test(value)
      ? []
      : wrong(path, 'a hazard id'),
  cause: bool,
  needs: list(list(liberty)),
  certain: bool,
  message: text,
  at: record({ line: place, column: place }),
  expected: text,
  actual: text,
  trace: list(step),
  mends: list(text),
});
const alias = record({
  buffer: text,
  first: text,
  second: text,
  since: whole,
  apart: list(text),
  removable: bool,
});
const note = record({
  kind: oneOf('no-op', 'stuck', 'warning', 'needed', 'redundant', 'dearer', 'destructive'),
  rule: text,
  operation: text,
  line: whole,
  message: text,
  trace: list(step),
});
const assertion = record({
  kind: oneOf('exists', 'forbidden', 'always'),
  line: whole,
  holds: orNull(bool),
});
const result = record({
  file: text,
  name: text,
  verdict: oneOf('coherent', 'hazard', 'unknown'),
  reason: orNull(text),
  portable: orNull(bool),
  assumptions: settings,
  hazards: list(hazard),
  aliases: list(alias),
  notes: list(note),
  assertions: list(assertion),
  expected: orNull(text),
  asExpected: orNull(bool),
  states: whole,
  transitions: whole,
  seconds: amount,
  importers: list(
    record({
      importer: text,
      verdict: oneOf('coherent', 'hazard', 'unknown'),
      hazards: list(text),
    }),
  ),
});
const problem = record({ file: text, line: whole, column: whole, code: text, message: text });
const document = record({ version: oneOf(1), results: list(result), errors: list(problem) });

export function problemsOfDocument(value: unknown): string[] {
  return document(value, 'document');
}
