/**
 * Is a variant coherent? Explored completely, or up to the first hazard, whose run is kept. A
 * platform that differs in nothing anybody looked at has the answer of the one that was explored.
 */

import { ScenarioError } from '../kernel/args.js';
import { MixedSize, NewCell } from '../kernel/layout.js';
import { judgeAssertions } from '../verdict/assertions.js';
import { libertiesOf } from '../verdict/check.js';
import { Facts } from '../verdict/recorder.js';
import { type Run, type RunOptions, Runs, type Sighting } from '../verdict/runs.js';
import { type Basis, restsAlike, watchedProgram } from '../verdict/summary.js';
import { type Counterexample, counterexample } from './counterexample.js';
import { accessAt, type Reached, type Targets, targetNames } from './targets.js';
import { AS_WRITTEN, type Variant } from './variant.js';

export type Outcome =
  /** With what its accesses reach, on every platform. */
  { readonly kind: 'coherent'; readonly targets: Targets } | Refuted;

type Refuted =
  | { readonly kind: 'hazard'; readonly run: Counterexample }
  /** A limit was hit before an answer, or the explorer itself failed. */
  | { readonly kind: 'unknown' }
  /** A step of it makes no sense: no kernel could do it; or a thread now waits for ever. */
  | { readonly kind: 'senseless' };

/** A variant on one platform; coherent with what that rests on. */
export type OutcomeHere =
  | {
      readonly kind: 'coherent';
      readonly basis: Basis;
      readonly reached: Reached;
      readonly discards: Discards;
    }
  | Refuted;

/** Calls that throw away what was written and has not reached memory: origin, and operation. */
export type Discards = ReadonlyMap<string, string>;

/** More words than this is a mistake of ours: no edit names that many. */
const CELLS_MAX = 2048;

/**
 * On the machine as written, then on each other platform it has to hold on: those in `first`
 * before the others. `mayHang`: what `hanging` says of the scenario without edits.
 */
export function refute(
  variant: Variant,
  options: RunOptions,
  mayHang: ReadonlySet<string>,
  first: readonly string[] = [],
): Outcome {
  const known: { basis: Basis; reached: Reached }[] = [];
  const targets = new Map<string, Reached>();
  let worst: Refuted | null = null;
  for (const label of [AS_WRITTEN, ...inOrder(variant.platforms, first)]) {
    const there = variant.on(label);
    if (there === null) {
      // Where the scenario as it is can be run, an edit that prevents that is no mend.
      if (!mayHang.has(label)) worst = { kind: 'senseless' };
      continue;
    }
    const alike = known.find(({ basis }) => restsAlike(basis, there.program));
    if (alike !== undefined) {
      targets.set(label, alike.reached);
      continue;
    }
    const outcome = refuteHere(there, options, mayHang);
    if (outcome.kind === 'hazard') return outcome;
    if (outcome.kind === 'coherent') {
      known.push(outcome);
      targets.set(label, outcome.reached);
    } else if (label === AS_WRITTEN) return outcome;
    // A platform that cannot run the scenario as it is asks nothing of a mend.
    else if (outcome.kind === 'senseless' && mayHang.has(label)) continue;
    else worst = outcome;
  }
  return worst ?? { kind: 'coherent', targets };
}

function inOrder(labels: readonly string[], first: readonly string[]): readonly string[] {
  const early = first.filter((label) => labels.includes(label));
  return [...early, ...labels.filter((label) => !early.includes(label))];
}

/** On the variant's own platform alone. */
export function refuteHere(
  variant: Variant,
  options: RunOptions,
  mayHang: ReadonlySet<string>,
): OutcomeHere {
  return explored(variant, { ...options, stopAtFirst: true }, (runs, reach, basis) => {
    const outcome = outcomeOf(variant, runs, mayHang);
    if (outcome !== null) return outcome;
    const { discards } = reach;
    return { kind: 'coherent', basis: basis(), reached: reach.names(), discards };
  });
}

/** What `hanging` found on some platforms, for those that rest on the same. */
export interface Hanging {
  readonly names: readonly string[];
  readonly basis: Basis | null;
  readonly discards?: Discards;
}

/**
 * On a platform, threads of a variant that wait for ever in some run, as `platform|thread`; or the
 * platform's label where it cannot run it. `known`: what was found on others.
 */
export function hanging(
  variant: Variant,
  label: string,
  options: RunOptions,
  known: readonly Hanging[] = [],
): Hanging {
  const there = variant.on(label);
  if (there === null) return { names: [label], basis: null };
  const alike = known.find(({ basis }) => basis !== null && restsAlike(basis, there.program));
  if (alike !== undefined) {
    const threads = alike.names.map((name) => name.slice(name.indexOf('|')));
    return { names: threads.map((thread) => `${label}${thread}`), basis: null };
  }
  const found = explored(there, options, (runs, { discards }, basis) => {
    const { stuck, system, exploration } = runs.run(libertiesOf(there.program));
    const names = stuck.map(({ agent }) => `${label}|${system.sites.threads[agent]?.name ?? ''}`);
    return { names, basis: exploration.stopped === null ? basis() : null, discards };
  });
  if ('names' in found) return found;
  return { names: found.kind === 'senseless' ? [label] : [], basis: null };
}

/** Of a variant the first hazard on each platform that has one, the machine as written first. */
export function hazardsOn(variant: Variant, options: RunOptions): readonly Counterexample[] {
  const known: Basis[] = [];
  return [AS_WRITTEN, ...variant.platforms].flatMap((label) => {
    const there = variant.on(label);
    if (there === null || known.some((basis) => restsAlike(basis, there.program))) return [];
    const outcome = refuteHere(there, options, new Set());
    if (outcome.kind === 'coherent') known.push(outcome.basis);
    return outcome.kind === 'hazard' ? [outcome.run] : [];
  });
}

/** An explorer that fails on a variant says nothing about it: that is no refutation. */
function explored<T>(
  variant: Variant,
  options: RunOptions,
  use: (runs: Runs, reach: Reach, basis: () => Basis) => T,
): T | { readonly kind: 'senseless' | 'unknown' } {
  for (;;) {
    const watched = watchedProgram(variant.program);
    const reach = new Reach(variant);
    const runs = new Runs(watched.program, variant.layout, options, reach);
    try {
      return use(runs, reach, () => watched.basis(reach.liberties));
    } catch (error) {
      if (!(error instanceof NewCell) || variant.layout.cells.length >= CELLS_MAX) {
        return { kind: isSenseless(error) ? 'senseless' : 'unknown' };
      }
      try {
        variant.layout.add(error.buffer, error.byte, error.size);
      } catch (mixed) {
        return { kind: isSenseless(mixed) ? 'senseless' : 'unknown' };
      }
    }
  }
}

function isSenseless(error: unknown): boolean {
  return error instanceof ScenarioError || error instanceof MixedSize || error instanceof NewCell;
}

/** Null: coherent. */
function outcomeOf(variant: Variant, runs: Runs, mayHang: ReadonlySet<string>): Refuted | null {
  // A machine that takes no liberties has fewer states, and its runs are runs of the other too.
  const plain = runs.run([]);
  const early = shortest(plain);
  if (early !== null) return { kind: 'hazard', run: counterexample(variant, plain, early) };
  const run = runs.run(libertiesOf(variant.program));
  const sighting = shortest(run) ?? brokenAssertion(variant, run);
  if (sighting !== null) {
    return { kind: 'hazard', run: counterexample(variant, run, sighting) };
  }
  if (run.exploration.stopped !== null) return { kind: 'unknown' };
  // A thread that never gets to its reads reads nothing wrong: that is no mend.
  const hangs = run.stuck.some(
    ({ agent }) =>
      !mayHang.has(`${variant.platform}|${run.system.sites.threads[agent]?.name ?? ''}`),
  );
  return hangs ? { kind: 'senseless' } : null;
}

/**
 * Notes which access reaches which word, in all runs that are explored: of a variant without
 * findings the same as targets.ts has it.
 */
class Reach extends Facts {
  override readonly quiet = true;
  readonly discards = new Map<string, string>();
  private readonly found = new Set<string>();

  constructor(private readonly variant: Variant) {
    super();
  }

  read(site: number, cell: number): void {
    this.found.add(`${site} ${cell} read`);
  }

  wrote(site: number, cell: number): void {
    this.found.add(`${site} ${cell} write`);
  }

  lost(site: number): void {
    const { origins, sites } = this.variant;
    const instruction = sites.at(site)?.instruction;
    if (instruction?.op !== 'call') return;
    this.discards.set(origins[site] ?? '', instruction.operation.name);
  }

  names(): Reached {
    const { variant } = this;
    const all = [...this.found].flatMap((each) => {
      const [site = '', cell = '', kind] = each.split(' ');
      if (accessAt(variant, Number(site)) !== kind) return [];
      return targetNames(variant, Number(site), Number(cell));
    });
    return new Set(all);
  }
}

/** Of several in one step the cause: what follows from it goes with it. */
function shortest(run: Run): Sighting | null {
  const all = [...run.sightings.values()];
  const rank = (each: Sighting): number => each.depth * 2 + (each.finding?.cause === false ? 1 : 0);
  return all.sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

function brokenAssertion(variant: Variant, run: Run): Sighting | null {
  if (run.exploration.stopped !== null) return null;
  for (const { result, state } of judgeAssertions(variant.program, run)) {
    if (result.kind === 'exists' || result.holds !== false || state === null) continue;
    return { name: 'assertion', id: 'assertion', finding: null, state, action: -1, depth: 0 };
  }
  return null;
}
