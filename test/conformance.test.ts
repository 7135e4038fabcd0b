/**
 * The kernel layer against a real kernel: every recorded call (test/conformance/README.md) is made
 * again in a scenario, and the cache maintenance and the bounce copies it issues are compared, by
 * operation and byte range and in order. No row is left out.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Operated } from '../src/kernel/context.js';
import { Layout, NewCell } from '../src/kernel/layout.js';
import type { KernelState } from '../src/kernel/state.js';
import { compile } from '../src/litmus/index.js';
import type { State } from '../src/system/state.js';
import { System } from '../src/system/system.js';
import { Facts } from '../src/verdict/recorder.js';
import { root } from './cli-run.js';
import { type Call, runs, settings, write } from './conformance/scenario.js';

const table = gunzipSync(readFileSync(join(root, 'test', 'conformance', 'calls.tsv.gz')))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));
const [columns = [], ...rows] = table;

function callsOf(setting: string): readonly Call[] {
  const at = columns.indexOf(setting);
  return rows.map((cells) => ({
    id: Number(cells[0]),
    group: cells[1] ?? '',
    api: cells[2] ?? '',
    dir: cells[3] ?? '',
    attrs: cells[4] ?? '',
    size: Number(cells[5]),
    offset: Number(cells[6]),
    syncOffset: cells[7] ?? '',
    syncLength: cells[8] ?? '',
    kind: cells[9] ?? '',
    did: cells[at] ?? '',
  }));
}

/** Calls that share buffers stay together: those of a group, of the shmem file, of user space. */
function chunks(calls: readonly Call[]): readonly (readonly Call[])[] {
  const found = new Map<string, Call[]>();
  for (const call of calls) {
    const group = Number(call.group);
    const few = `${Math.floor(group / 500)}-${Math.floor(group / 4)}`;
    const key = group >= 9000 ? 'user' : group >= 3000 && group < 4000 ? 'shmem' : few;
    found.set(key, [...(found.get(key) ?? []), call]);
  }
  return [...found.values()];
}

class Collector extends Facts {
  readonly done: Operated[] = [];
  readonly failed = new Set<number>();

  override operated(what: Operated): void {
    this.done.push(what);
  }

  override note(kind: 'no-op' | 'warning', rule: string, site: number, message: string): void {
    if (message.startsWith('the mapping fails')) this.failed.add(site);
    super.note(kind, rule, site, message);
  }
}

const names = {
  clean: 'clean',
  invalidate: 'inval',
  'clean+invalidate': 'cinv',
  'copy in': 'copy-in',
  'copy out': 'copy-out',
};

interface Range {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** A byte range as the recording names it: relative to the buffer, the entry or the slot. */
function named(call: Call, { op, buffer, from, size }: Operated, states: KernelState[]): Range {
  const parts = runs(call);
  const entry = (i: number): string => (parts.length > 1 ? `sg${i}:` : '');
  const mappings = states.flatMap((state) => state.mappings);
  for (const mapping of mappings) {
    for (const [i, { slot, size: whole }] of mapping.pieces.entries()) {
      if (slot?.buffer !== buffer || from < slot.offset || from >= slot.offset + whole) continue;
      const place = op.startsWith('copy') ? '' : 'bounce:';
      const start = from - slot.offset;
      return { what: `${names[op]} ${place}${entry(i)}`, from: start, to: start + size };
    }
  }
  const found = parts.findIndex(([at, length]) => from >= at && from < at + length);
  const i = Math.max(0, found);
  const start = from - (parts[i]?.[0] ?? 0);
  return { what: `${names[op]} ${entry(i)}`, from: start, to: start + size };
}

function asText(ranges: readonly Range[]): string {
  const joined: Range[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    const follows = last?.what === range.what && last.to === range.from;
    if (follows) joined[joined.length - 1] = { ...last, to: range.to };
    else joined.push(range);
  }
  return joined.map(({ what, from, to }) => `${what}[${from},${to})`).join(' | ') || 'none';
}

/** What each call of a scenario did, by the line it stands on. */
function perform(setting: string, calls: readonly Call[]): ReadonlyMap<Call, string> {
  const written = write(setting, calls);
  const { program, diagnostics } = compile(written.text, `${setting}.litmus`);
  if (program === null) throw new Error(JSON.stringify(diagnostics.slice(0, 3)));
  const layout = new Layout(4096, 64);
  for (;;) {
    const facts = new Collector();
    const system = new System(program, layout, new Set(), facts);
    try {
      return walk(system, facts, written.calls);
    } catch (error) {
      if (!(error instanceof NewCell)) throw error;
      layout.add(error.buffer, error.byte, error.size);
    }
  }
}

/** Follows the first step of every state, and lists what was issued in each. */
function walk(
  system: System,
  facts: Collector,
  calls: ReadonlyMap<number, Call>,
): ReadonlyMap<Call, string> {
  const ranges = new Map<Call, Range[]>([...calls.values()].map((call) => [call, []]));
  const at = (site: number) => calls.get(system.sites.at(site)?.instruction.at.line ?? -1);
  let state: State | undefined = system.initial()[0];
  while (state !== undefined && !system.complete(state)) {
    facts.done.length = 0;
    const steps = system.successors(state);
    const [step] = steps;
    if (step === undefined) throw new Error('stuck');
    const kernels = [state.kernel, step.next.kernel];
    // Each way that the step may go has issued the same.
    const ways = steps.filter((each) => each.kind === 'thread').length;
    for (const what of facts.done.slice(0, facts.done.length / Math.max(1, ways))) {
      const call = at(what.site);
      if (call !== undefined) ranges.get(call)?.push(named(call, what, kernels));
    }
    state = step.next;
  }
  const failed = new Set([...facts.failed].map(at));
  return new Map(
    [...ranges].map(([call, list]) => [call, failed.has(call) ? 'ERROR' : asText(list)]),
  );
}

describe('what a real kernel did', () => {
  it('has all rows and settings', () => {
    expect(rows.length).toBe(2110);
    expect(columns.slice(10)).toEqual(Object.keys(settings));
  });

  it.each(Object.keys(settings))('%s: every call does the same', (setting) => {
    const all = callsOf(setting);
    const different: string[] = [];
    let compared = 0;
    for (const calls of chunks(all)) {
      for (const [call, did] of perform(setting, calls)) {
        compared++;
        const { id, api, dir, attrs, kind, did: real } = call;
        if (did !== real) {
          different.push(`${id} ${api} ${dir} ${attrs} ${kind}: ${real} || here ${did}`);
        }
      }
    }
    expect(compared).toBe(all.filter((call) => call.did !== 'SKIPPED').length);
    expect(different).toEqual([]);
  });
});
