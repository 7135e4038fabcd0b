/**
 * What a checkpoint of a scenario's explorations holds, and who keeps it. Only explorations by
 * tables of the scenario as it stands are kept: others are over soon.
 * Leaves out: files, and whether a checkpoint fits the scenario (cli/checkpoint.ts).
 */
import type { Keeper, Snapshot, TablesData } from '../fast/snapshot.js';
import type { LayoutData } from '../kernel/layout.js';
import type { FactsData } from './recorder.js';

export interface SavedRuns {
  readonly layout: LayoutData;
  readonly tables: TablesData;
  readonly facts: FactsData;
  /** By their liberties. */
  readonly runs: ReadonlyMap<string, Snapshot>;
}

export interface Checkpoints {
  /** What to go on from; null: from the start. */
  readonly saved: SavedRuns | null;
  due(): boolean;
  save(runs: SavedRuns): void;
}

/** The checkpoint of one layout's explorations. */
export class Kept {
  /** Null when there is nothing that fits. */
  readonly saved: SavedRuns | null;
  private readonly runs: Map<string, Snapshot>;

  constructor(
    private readonly checkpoints: Checkpoints,
    private readonly layout: { readonly saved: LayoutData },
  ) {
    const { saved } = checkpoints;
    const fits = JSON.stringify(saved?.layout) === JSON.stringify(layout.saved);
    this.saved = fits ? saved : null;
    this.runs = new Map(this.saved?.runs);
  }

  keeper(run: string, now: () => Pick<SavedRuns, 'tables' | 'facts'>): Keeper {
    return {
      resume: this.saved?.runs.get(run) ?? null,
      due: () => this.checkpoints.due(),
      save: (snapshot, stopped) => {
        this.runs.set(run, snapshot);
        if (!stopped && !this.checkpoints.due()) return;
        this.checkpoints.save({ layout: this.layout.saved, ...now(), runs: this.runs });
      },
    };
  }
}
