/**
 * Which memory each access of a scenario reaches. A mend may not send an access elsewhere: a
 * device that is mapped to another page instead reads nothing stale, and nothing it should.
 */
import { explore } from '../explore/bfs.js';
import type { RawFinding } from '../kernel/context.js';
import { NewCell } from '../kernel/layout.js';
import type { State } from '../system/state.js';
import { type Step, System } from '../system/system.js';
import { WatchedSystem } from '../system/watched.js';
import { libertiesOf } from '../verdict/check.js';
import { Facts } from '../verdict/recorder.js';
import type { RunOptions } from '../verdict/runs.js';
import { AS_WRITTEN, oldByte, type Variant } from './variant.js';

/**
 * `instruction` of an access that was made, and `instruction > word`, both by where they come from
 * in the user's text. Null: a limit was hit.
 */
export type Reached = ReadonlySet<string> | null;

/** By platform, in all runs up to their first finding. */
export type Targets = ReadonlyMap<string, Reached>;

/** On the machine as written, and on these other platforms. */
export function targetsOf(
  variant: Variant,
  platforms: readonly string[],
  options: RunOptions,
): Targets {
  return new Map(
    [AS_WRITTEN, ...platforms].map((label) => {
      const there = variant.on(label);
      return [label, there === null ? null : targetsHere(there, options)];
    }),
  );
}

/**
 * Every access that reached some memory reaches it still, wherever both are known. Platforms that
 * do not matter to the variant any more are as its machine is written.
 */
export function keepTargets(before: Targets, after: Targets): boolean {
  return [...before].every(([label, targets]) => {
    const now = after.get(label) ?? after.get(AS_WRITTEN) ?? null;
    return now === null || [...(targets ?? [])].every((target) => now.has(target));
  });
}

function targetsHere(variant: Variant, options: RunOptions): Reached {
  for (;;) {
    const watcher = new Watcher(variant);
    try {
      const { limits, now, tick } = options;
      const { stopped } = explore<State, RawFinding>(watcher, {
        limits,
        now,
        tick: (states, transitions) => tick(states, transitions, 'targets'),
        // Behind a finding accesses may reach whatever has come to lie there.
        avoid: () => true,
      });
      return stopped === null ? watcher.targets : null;
    } catch (error) {
      if (!(error instanceof NewCell)) return null;
      variant.layout.add(error.buffer, error.byte, error.size);
    }
  }
}

/** The system, watched while it is explored. */
class Watcher extends WatchedSystem {
  readonly targets = new Set<string>();

  constructor(private readonly variant: Variant) {
    const liberties = new Set<string>(libertiesOf(variant.program));
    super(new System(variant.program, variant.layout, liberties, new Facts()));
  }

  successors(state: State): readonly Step[] {
    const steps = this.system.successors(state);
    for (const step of steps) {
      if (step.kind !== 'thread') continue;
      if (step.findings.length === 0) this.watch(step, state);
      // Wherever it went wrong, it was made: a device that is never started reads nothing wrong.
      else if (this.accessAt(step.site) !== null) this.targets.add(this.originAt(step.site));
    }
    return steps;
  }

  private watch(step: Step, before: State): void {
    const kind = this.accessAt(step.site);
    if (kind === 'read' && step.judged >= 0) this.add(step.site, step.judged);
    if (kind !== 'write' || step.next.words === before.words) return;
    before.words.forEach((word, cell) => {
      // Old writes may be forgotten in any step; only the writer adds one.
      const writes = step.next.words[cell]?.writes ?? [];
      if (writes.some((write) => !word.writes.includes(write))) this.add(step.site, cell);
    });
  }

  private accessAt(site: number): 'read' | 'write' | null {
    return accessAt(this.variant, site);
  }

  private add(site: number, cell: number): void {
    for (const name of targetNames(this.variant, site, cell)) this.targets.add(name);
  }

  private originAt(site: number): string {
    return this.variant.origins[site] ?? '';
  }
}

/** Reclaim reads memory too, but a mend may well keep it from there: null. */
export function accessAt({ sites }: Variant, site: number): 'read' | 'write' | null {
  const instruction = sites.at(site)?.instruction;
  if (instruction?.op === 'load') return 'read';
  if (instruction?.op === 'store') return 'write';
  if (instruction?.op !== 'call') return null;
  const { name } = instruction.operation;
  if (name === 'dma_write') return 'write';
  return name.startsWith('dma_read') ? 'read' : null;
}

/** How an access and what it reached are called in every variant; `id`: the word's. */
export function targetNames(variant: Variant, site: number, id: number): readonly string[] {
  const cell = variant.layout.cells[id];
  if (cell === undefined) return [];
  const { origins, program } = variant;
  const byte = cell.page * program.machine.pageSize + cell.offset;
  const word = `${origins[cell.buffer]} ${oldByte(variant, cell.buffer, byte)}`;
  return [origins[site] ?? '', `${origins[site]} > ${word}`];
}
