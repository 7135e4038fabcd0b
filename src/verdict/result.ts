/** What `check` found out about one scenario: the shape every report is written from. */
import type { HazardId } from './hazards.js';

/** What the machine may do beyond executing in order; see model.md §1 `needs`. */
export type Liberty =
  | 'eviction'
  | 'reorder'
  | 'speculation'
  | 'arch-hit'
  | 'may-hit'
  | 'stash'
  | 'snoop';

export type Verdict = 'coherent' | 'hazard' | 'unknown';

export interface Place {
  /** Thread name. */
  readonly agent: string;
  readonly line: number;
  readonly column: number;
  /** Characters to underline. */
  readonly length: number;
}

export interface Finding {
  /** `assertion` for a user's forbidden/always that failed. */
  readonly id: HazardId | 'assertion';
  /** A cause, or the consequence of one. */
  readonly cause: boolean;
  /** Minimal sets of liberties; `[[]]` means nothing is needed. */
  readonly needs: readonly (readonly Liberty[])[];
  /** No complete run of the least machine avoids it. */
  readonly certain: boolean;
  readonly message: string;
  readonly at: Place;
  /** Admissible values, as text; what was read, as text. */
  readonly expected: string;
  readonly actual: string;
  /** The shortest run, its first step first; any one where `anyRun` says so. */
  readonly trace: readonly TraceStep[];
  /** The explorations hit a limit before they came to it (contract-pass.ts). */
  readonly anyRun?: true;
  /** What would mend it, in words. */
  readonly mends: readonly string[];
}

export interface TraceStep {
  /** Thread name, or `cache`, `bus` (store buffer), `iommu` for steps of the machine itself. */
  readonly agent: string;
  /** Rules of model.md this step follows, e.g. `M3`, or `M5 M7`. */
  readonly rule: string;
  readonly text: string;
  /** Source line, or 0 for a step of the machine. */
  readonly line: number;
  /** The cells that matter to the finding, after the step. */
  readonly cells: readonly CellView[];
  /** The finding happens in this step. */
  readonly wrong: boolean;
}

/** One word of a buffer: where its values stand. All values as text; '-' where there is none. */
export interface CellView {
  /** e.g. `bo[0x0]` or `ring+0x40`. */
  readonly name: string;
  readonly dram: string;
  /** `-`, `clean 0`, `dirty 0`. */
  readonly cache: string;
  /** Pending stores and maintenance of every CPU for this line, oldest first. */
  readonly buffer: string;
  /** Newest admissible value(s) on the ideal machine. */
  readonly ideal: string;
}

export interface AliasFact {
  readonly buffer: string;
  /** e.g. `linear map (WB)` and `mmap (WC)`. */
  readonly first: string;
  readonly second: string;
  /** Source line that made the pair. */
  readonly since: number;
  /** Maintenance that reached the buffer before or while both existed, as `dma_map_sgtable:14`. */
  readonly apart: readonly string[];
  /** The linear map side can be removed on this machine. */
  readonly removable: boolean;
}

/** A fact worth knowing that is no hazard: a no-op (M17), a thread that never ends. */
export interface Note {
  readonly kind: 'no-op' | 'stuck' | 'warning' | Worth;
  readonly rule: string;
  readonly operation: string;
  readonly line: number;
  readonly message: string;
  /** The run that proves what is said of a sync; absent for other notes. */
  readonly trace?: readonly TraceStep[];
}

/** What a sync or barrier is worth in its scenario. */
export type Worth = 'needed' | 'redundant' | 'dearer' | 'destructive';

/** What one call costs each time it runs. */
export interface MaintenanceFact {
  readonly operation: string;
  readonly line: number;
  readonly op: 'clean' | 'invalidate' | 'clean+invalidate' | 'copy in' | 'copy out';
  /** Cache lines of the range it was given, whether the scenario names words in them or not. */
  readonly lines: number;
}

export interface AssertionResult {
  readonly kind: 'exists' | 'forbidden' | 'always';
  readonly line: number;
  /** exists: a complete run satisfies it; forbidden, always: it holds. null when not decided. */
  readonly holds: boolean | null;
}

export interface CheckResult {
  readonly file: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** For `unknown`: which limit was hit, in words. */
  readonly reason: string | null;
  /** Coherent also under M6 `arch`; null while it was not explored. */
  readonly portable: boolean | null;
  readonly assumptions: Readonly<Record<string, string | number | boolean>>;
  readonly hazards: readonly Finding[];
  readonly aliases: readonly AliasFact[];
  readonly notes: readonly Note[];
  /** Cache maintenance by place, in the order of the program. */
  readonly maintenance: readonly MaintenanceFact[];
  readonly assertions: readonly AssertionResult[];
  /** The header's Result line as written, or null. */
  readonly expected: string | null;
  readonly asExpected: boolean | null;
  /** Of the full machine's exploration. */
  readonly states: number;
  readonly transitions: number;
  /** Wall time, all explorations of this scenario. */
  readonly seconds: number;
  /** How it was explored, for --stats: which lines were told apart, and why or why not. */
  readonly reduction?: readonly string[];
  /** With an `any` device: the verdict for every importer it may turn out to be. */
  readonly importers?: readonly ImporterResult[];
}

export interface ImporterResult {
  /** `gpu .coherent = false, .iommu = smmu`. */
  readonly importer: string;
  readonly verdict: Verdict;
  /** Ids, each once. */
  readonly hazards: readonly Finding['id'][];
}
