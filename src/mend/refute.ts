/**
 * Is a variant coherent? Explored completely, or up to the first hazard, whose run is kept.
 */
import { MixedSize, NewCell } from '../kernel/layout.js';
import { ScenarioError } from '../kernel/args.js';
import { judgeAssertions } from '../verdict/assertions.js';
import { libertiesOf } from '../verdict/check.js';
import { type Run, Runs, type RunOptions, type Sighting } from '../verdict/runs.js';
import { type Counterexample, counterexample } from './counterexample.js';
import { AS_WRITTEN, type Variant } from './variant.js';

export type Outcome =
  | { readonly kind: 'coherent' }
  | { readonly kind: 'hazard'; readonly run: Counterexample }
  /** A limit was hit before an answer, or the explorer itself failed. */
  | { readonly kind: 'unknown' }
  /** A step of it makes no sense: no kernel could do it; or a thread now waits for ever. */
  | { readonly kind: 'senseless' };

/** More words than this is a mistake of ours: no edit names that many. */
const CELLS_MAX = 2048;

/**
 * On the machine as written, then on each other platform it has to hold on. `mayHang`: what
 * `hanging` says of the scenario without edits.
 */
export function refute(
  variant: Variant,
  options: RunOptions,
  mayHang: ReadonlySet<string>,
): Outcome {
  const own = refuteHere(variant, options, mayHang);
  if (own.kind !== 'coherent') return own;
  let worst: Outcome = own;
  for (const label of variant.platforms) {
    const there = variant.on(label);
    if (there === null) continue;
    const outcome = refuteHere(there, options, mayHang);
    if (outcome.kind === 'hazard') return outcome;
    // A platform that cannot run the scenario as it is asks nothing of a mend.
    if (outcome.kind === 'senseless' && mayHang.has(label)) continue;
    if (outcome.kind !== 'coherent') worst = outcome;
  }
  return worst;
}

/** On the variant's own platform alone. */
export function refuteHere(
  variant: Variant,
  options: RunOptions,
  mayHang: ReadonlySet<string>,
): Outcome {
  return explored(variant, { ...options, stopAtFirst: true }, (runs) =>
    outcomeOf(variant, runs, mayHang),
  );
}

/**
 * Threads of a variant that wait for ever in some run, as `platform|thread`; and the platforms
 * that cannot run it, by their label.
 */
export function hanging(variant: Variant, options: RunOptions): ReadonlySet<string> {
  const labels = [AS_WRITTEN, ...variant.platforms];
  return new Set(labels.flatMap((label) => hangingOn(variant.on(label), label, options)));
}

function hangingOn(
  variant: Variant | null,
  label: string,
  options: RunOptions,
): readonly string[] {
  if (variant === null) return [label];
  const found = explored(variant, options, (runs) => {
    const { stuck, system } = runs.run(libertiesOf(variant.program));
    const names = stuck.map(({ agent }) => system.sites.threads[agent]?.name ?? '');
    return { kind: 'found' as const, names };
  });
  if (found.kind === 'found') return found.names.map((name) => `${label}|${name}`);
  return found.kind === 'senseless' ? [label] : [];
}

/** An explorer that fails on a variant says nothing about it: that is no refutation. */
function explored<T>(
  variant: Variant,
  options: RunOptions,
  use: (runs: Runs) => T,
): T | { readonly kind: 'senseless' | 'unknown' } {
  for (;;) {
    const runs = new Runs(variant.program, variant.layout, options);
    try {
      return use(runs);
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

function outcomeOf(variant: Variant, runs: Runs, mayHang: ReadonlySet<string>): Outcome {
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
  return { kind: hangs ? 'senseless' : 'coherent' };
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
