/** What `mend` found out about one scenario: the shape the reports are written from. */
import type { EditKind, Level } from './edit.js';

/** Input that cannot be used, in words. */
export interface Diagnosis {
  readonly problem: string;
}

export interface MendEdit {
  readonly kind: EditKind;
  readonly level: Level;
  readonly operation: string;
  /** In the imperative, with the line of the user's file. */
  readonly title: string;
  readonly line: number;
  readonly cost: number;
  /** One sentence: the finding that is back without this edit, and the rules. */
  readonly reason: string;
  /** That finding's hazard; empty when a limit was hit. */
  readonly hazard: string;
  /** With several platforms: those that go wrong without it, `as written` among them. */
  readonly platforms: readonly string[];
}

/** What becomes of the scenario, as it is, on a platform that one answer has to hold on too. */
export interface PlatformCell {
  /** As it reads in the machine block, or `as written`. */
  readonly platform: string;
  readonly verdict: 'coherent' | 'hazard' | 'unknown' | 'does not apply';
  /** The first hazard's id; empty where there is none. */
  readonly hazard: string;
  /** Edits that do on the machine as written, or doing nothing there, fail here. */
  readonly decides: boolean;
  /** Why no answer holds here as well as on the others; empty where every answer does. */
  readonly leftOut: string;
}

export interface Mend {
  readonly level: Level;
  readonly cost: number;
  readonly edits: readonly MendEdit[];
  /** The user's file with the edits. */
  readonly text: string;
  /** Unified diff from the user's file. */
  readonly diff: string;
  /** Operations that do nothing any more with these edits, and did before. */
  readonly idle: readonly string[];
  /** Operations that throw away, with these edits, what was written and nobody reads later. */
  readonly discards: readonly string[];
  /** Coherent also where M6 is `arch`; null when that was not explored. */
  readonly portable: boolean | null;
}

export interface Effort {
  /** Edits in the vocabulary of this scenario. */
  readonly vocabulary: number;
  /** Sets of edits found to leave or make a hazard, by exploring them. */
  readonly explored: number;
  /** Sets refuted by following a known counterexample. */
  readonly replayed: number;
  /** Sets that do not compile, overlap, or ask for what no kernel could do. */
  readonly senseless: number;
  /** Sets for which a limit was hit. */
  readonly undecided: number;
  /** Sets as cheap as or cheaper than the answer, or up to the limit: all are ruled out. */
  readonly ruledOut: number;
  readonly counterexamples: number;
  readonly seconds: number;
}

export interface MendResult {
  readonly file: string;
  /**
   * `coherent`: nothing to mend. `mended`: with answers. `partly`: with answers that leave some
   * platforms out. `none`: no set of edits helps, and none is left to try. `unknown`: a limit was
   * hit first.
   */
  readonly verdict: 'coherent' | 'mended' | 'partly' | 'none' | 'unknown';
  /** The machine as written, then each platform tried beside it; empty where nobody asked. */
  readonly platforms: readonly PlatformCell[];
  /** API-level ones first; each of minimal cost among those of its level. */
  readonly mends: readonly Mend[];
  /** Answers beyond those in `mends`: only as many as were asked for are told. */
  readonly notShown: number;
  /** Which finding was to be mended first, in words; empty for a coherent scenario. */
  readonly finding: string;
  /** For `none` and `unknown`: why, in words. */
  readonly why: string;
  readonly effort: Effort;
}
