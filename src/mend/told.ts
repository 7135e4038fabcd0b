/**
 * An answer as it is told: confirmed by `check`, with the reason for each edit and what a reviewer
 * would object to. Leaves out: the order of several (answers.ts), and how they are printed.
 */
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { check } from '../verdict/check.js';
import type { CheckResult } from '../verdict/result.js';
import type { RunOptions } from '../verdict/runs.js';
import { idleAfter } from './answers.js';
import { unifiedDiff } from './diff.js';
import type { Edit } from './edit.js';
import type { Mend, MendEdit } from './outcome.js';
import { holds, platformOf } from './platforms.js';
import { type Discards, hazardsOn, refuteHere } from './refute.js';
import type { Answer } from './search.js';
import type { Variants } from './variant.js';
import { useCaseOf } from './vocabulary.js';
import { describe } from './why.js';

export class Teller {
  /** The scenario as it is, checked when the first answer is told. */
  private before: CheckResult | undefined;
  private readonly useCase: string;

  constructor(
    private readonly program: Program,
    private readonly variants: Variants,
    private readonly options: RunOptions,
    /** Edits are told with the platforms that they are needed on. */
    private readonly isForMany: boolean,
  ) {
    this.useCase = useCaseOf(program);
  }

  /**
   * Null for an answer that `check` does not confirm, or that changed the use case. `discarding`:
   * calls of the scenario that throw data away as it is.
   */
  told({ edits, cost }: Answer, discarding: Discards): Mend | null {
    const { file, text: given } = this.variants;
    const text = this.variants.textOf(edits);
    const { program } = text === null ? { program: null } : compile(text, file);
    if (text === null || program === null || useCaseOf(program) !== this.useCase) return null;
    const after = check(program, this.options.limits);
    if (after.verdict !== 'coherent' || !this.holdsElsewhere(edits)) return null;
    this.before ??= check(this.program, this.options.limits);
    return {
      level: edits.some((edit) => edit.level === 'raw') ? 'raw' : 'api',
      cost,
      edits: edits.map((edit) => this.explained(edit, edits)),
      text,
      diff: unifiedDiff(given, text, file),
      idle: idleAfter(this.before, after),
      discards: this.discards(edits, discarding),
      portable: after.portable,
    };
  }

  /** `check` finds it coherent on every other platform that can run it. */
  private holdsElsewhere(edits: readonly Edit[]): boolean {
    const variant = this.variants.make(edits);
    if (variant === null) return false;
    return variant.platforms.every((label) => {
      const there = variant.on(label);
      return there === null || holds(there, this.options.limits);
    });
  }

  /** Operations that throw data away with these edits, and at no such place without them. */
  private discards(edits: readonly Edit[], discarding: Discards): readonly string[] {
    const variant = this.variants.make(edits);
    const outcome = variant === null ? null : refuteHere(variant, this.options, new Set());
    if (outcome?.kind !== 'coherent') return [];
    const more = [...outcome.discards].filter(([origin]) => !discarding.has(origin));
    return [...new Set(more.map(([, operation]) => operation))];
  }

  /** Leaves the edit out and looks at what comes back. */
  private explained(edit: Edit, edits: readonly Edit[]): MendEdit {
    const { kind, level, operation, title, line, cost } = edit;
    const variant = this.variants.make(edits.filter((each) => each !== edit));
    const hazardous = variant === null ? [] : hazardsOn(variant, this.options);
    const platforms = this.isForMany ? hazardous.map(platformOf) : [];
    const base = { kind, level, operation, title, line, cost, platforms };
    const [run] = hazardous;
    if (run === undefined) {
      return { ...base, hazard: '', reason: 'needed for the other edits to be possible' };
    }
    return { ...base, hazard: run.id, reason: `without it: ${describe(this.variants.text, run)}` };
  }
}
