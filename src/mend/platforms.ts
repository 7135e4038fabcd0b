/**
 * What several platforms say of one scenario: where it goes wrong, and whether an answer holds.
 * Leaves out: which platforms there are (the caller says) and how a text becomes another
 * platform's (variant.ts).
 */
import type { Limits } from '../explore/bfs.js';
import { compile } from '../litmus/index.js';
import { check, ScenarioFault } from '../verdict/check.js';
import type { RunOptions } from '../verdict/runs.js';
import type { Counterexample } from './counterexample.js';
import type { PlatformCell } from './outcome.js';
import { type OutcomeHere, refuteHere } from './refute.js';
import { AS_WRITTEN, type Platform, type Variant, type Variants } from './variant.js';

const NONE: ReadonlySet<string> = new Set();

export function platformOf(run: Counterexample): string {
  return run.variant.platform;
}

/** `check` calls it coherent, or its platform cannot run it. */
export function holds(variant: Variant, limits: Limits): boolean {
  try {
    return check(variant.program, { ...limits, verdictOnly: true }).verdict === 'coherent';
  } catch (error) {
    if (error instanceof ScenarioFault) return true;
    throw error;
  }
}

/** A text is coherent on each of these platforms. */
export function holdsOn(platforms: readonly Platform[], text: string, file: string): boolean {
  return platforms.every(({ change }) => {
    const { program } = compile(change(text), file);
    return program !== null && check(program, { verdictOnly: true }).verdict === 'coherent';
  });
}

/**
 * The scenario as it is on every platform; `leftOut`: those no answer serves, and why; `deciding`:
 * those where a set failed that did on the machine as written.
 */
export function cellsOf(
  variants: Variants,
  options: RunOptions,
  leftOut: ReadonlyMap<string, string>,
  deciding: ReadonlySet<string>,
): readonly PlatformCell[] {
  const base = variants.make([]);
  if (base === null) return [];
  const others = [...base.platforms, ...leftOut.keys(), ...deciding];
  const cells = [AS_WRITTEN, ...new Set(others)].map((platform) => {
    const there = base.on(platform);
    const outcome = there === null ? null : refuteHere(there, options, NONE);
    const why = leftOut.get(platform) ?? '';
    return { platform, ...cell(outcome), decides: deciding.has(platform), leftOut: why };
  });
  const isFine = cells[0]?.verdict === 'coherent';
  return cells.map((each) => {
    return isFine && each.verdict === 'hazard' ? { ...each, decides: true } : each;
  });
}

function cell(outcome: OutcomeHere | null): Pick<PlatformCell, 'verdict' | 'hazard'> {
  if (outcome === null || outcome.kind === 'senseless') {
    return { verdict: 'does not apply', hazard: '' };
  }
  return { verdict: outcome.kind, hazard: outcome.kind === 'hazard' ? outcome.run.id : '' };
}
