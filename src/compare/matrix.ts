/**
 * What `civac compare` finds: designs × use cases, and for each cell whether the design is safe
 * there, why not, and what it costs. Plain data; the reports are made from it.
 * Leaves out: how the cells are explored (the caller does) and how they are shown.
 */
import type { OriginEvent } from '../litmus/index.js';
import type { Liberty, MaintenanceFact } from '../verdict/result.js';

/**
 * `safe`: coherent, also where unexpected hits are allowed (portable). `core`: coherent, but only
 * on cores without them. `setting`: unsafe as the use case has it, safe with a setting changed.
 * `idle`: coherent only because a step of the use case did nothing. `refused`: the design says
 * that it cannot do it. `unknown`: a limit was reached.
 */
export type CellVerdict = 'safe' | 'core' | 'setting' | 'hazard' | 'idle' | 'refused' | 'unknown';

export interface DesignFact {
  readonly name: string;
  readonly file: string;
  readonly about: string;
  /** Operations that are told the device before the buffer is mapped for it. */
  readonly needsDevice: readonly string[];
  /** DMA API mappings it makes: behind an IOMMU each is an address beside the driver's own. */
  readonly dmaMaps: readonly string[];
  /** Allocations by the DMA API, which heed the device's mask. */
  readonly dmaAllocs: readonly string[];
  /** Calls that ask for pages of a zone that the device reaches. */
  readonly zones: readonly string[];
}

export interface UseCaseFact {
  readonly name: string;
  /** A word for a narrow column: what stands before the first `-` of the name. */
  readonly key: string;
  readonly file: string;
  readonly about: string;
  readonly question: string | null;
}

/** Where a step of a counterexample is written. */
export interface StepPlace {
  readonly file: string;
  readonly line: number;
  readonly event: OriginEvent | null;
}

export interface CellStep {
  readonly agent: string;
  readonly rule: string;
  readonly text: string;
  /** Of the expanded scenario; 0 for a step of the machine. */
  readonly line: number;
  readonly place: StepPlace | null;
  readonly wrong: boolean;
}

export interface CellHazard {
  readonly id: string;
  readonly message: string;
  readonly expected: string;
  readonly actual: string;
  /** What the machine must do beyond executing in order; empty: nothing. */
  readonly needs: readonly Liberty[];
  readonly certain: boolean;
  readonly steps: readonly CellStep[];
}

/** What goes wrong with a setting changed, and how to see it again. */
export interface WithSetting {
  readonly setting: string;
  readonly hazards: readonly CellHazard[];
  readonly replay: string;
}

/** Cache lines maintained. */
export interface Cost {
  /** For each buffer that is created, outside its frames. */
  readonly life: number;
  /** For each job. */
  readonly frame: number;
}

export interface Cell {
  readonly design: string;
  readonly useCase: string;
  readonly verdict: CellVerdict;
  /** Causes first; empty when none was found. */
  readonly hazards: readonly CellHazard[];
  /** A core cell: where uncached accesses may hit. Else null. */
  readonly onOtherCores: WithSetting | null;
  /** Settings that make an unsafe cell safe, each alone. */
  readonly safeIf: readonly string[];
  /** Settings that make a safe cell unsafe, each alone. */
  readonly unsafeIf: readonly string[];
  /** Why it was refused, did nothing, or was not decided; else empty. */
  readonly why: string;
  /** null where nothing ran. */
  readonly cost: Cost | null;
  readonly maintenance: readonly MaintenanceFact[];
  /** A command that shows the counterexample again. */
  readonly replay: string;
  readonly states: number;
}

export interface Matrix {
  /** `rivals`: scenarios of one flow, a design each, with the flow as the only use case. */
  readonly kind: 'designs' | 'rivals';
  readonly designs: readonly DesignFact[];
  readonly useCases: readonly UseCaseFact[];
  /** Designs in order, and for each the use cases in order. */
  readonly cells: readonly Cell[];
}

/** The hazards whose runs a report shows: the cell's own, or those of a core cell elsewhere. */
export function shownHazards({ hazards, onOtherCores }: Cell): readonly CellHazard[] {
  return onOtherCores?.hazards ?? hazards;
}

export function cellOf(matrix: Matrix, design: string, useCase: string): Cell | undefined {
  return matrix.cells.find((each) => each.design === design && each.useCase === useCase);
}

export function isSafe({ verdict }: Cell): boolean {
  return verdict === 'safe' || verdict === 'core';
}
