/**
 * Collects the instructions of one thread. Jumps go to labels until the end, so that code can be
 * dropped before it is numbered. It also follows which local variables have a known value at the
 * current place, on every path that leads here: that is what unrolls loops.
 */
import type { Span } from '../diagnostics/diagnostic.js';
import type { Expr, Instruction } from './program.js';

export type Known = ReadonlyMap<string, number>;

export class Label {
  /** Index of the draft instruction it stands before; -1 until placed. */
  position = -1;
  /** What is known on each path that jumps here. */
  readonly arrivals: Known[] = [];
}

type Straight = Exclude<Instruction, { readonly op: 'branch' | 'jump' }>;
type Draft =
  | { readonly op: 'straight'; readonly instruction: Straight }
  | { readonly op: 'jump'; readonly to: Label; readonly at: Span }
  | {
      readonly op: 'branch';
      readonly condition: Expr;
      readonly otherwise: Label;
      readonly at: Span;
      readonly spin: boolean;
    };

export class CodeWriter {
  private readonly drafts: Draft[] = [];
  /** null where nothing can arrive: what is written there is dropped. */
  private known: Known | null = new Map();

  get reachable(): boolean {
    return this.known !== null;
  }

  get length(): number {
    return this.drafts.length;
  }

  write(instruction: Straight): void {
    if (this.known !== null) this.drafts.push({ op: 'straight', instruction });
  }

  jump(to: Label, at: Span): void {
    if (this.known === null) return;
    to.arrivals.push(this.known);
    this.drafts.push({ op: 'jump', to, at });
    this.known = null;
  }

  branch(condition: Expr, otherwise: Label, at: Span, spin: boolean): void {
    if (this.known === null) return;
    otherwise.arrivals.push(this.known);
    this.drafts.push({ op: 'branch', condition, otherwise, at, spin });
  }

  place(label: Label): void {
    label.position = this.drafts.length;
    const arrivals = this.known === null ? label.arrivals : [this.known, ...label.arrivals];
    const [first, ...others] = arrivals;
    if (first === undefined) return;
    const common = new Map(first);
    for (const [name, value] of first) {
      if (others.some((other) => other.get(name) !== value)) common.delete(name);
    }
    this.known = common;
  }

  /** Runs `lower` for the mistakes it finds; what it writes is dropped. */
  onlyCheck(lower: () => void): void {
    const { known } = this;
    this.known = null;
    lower();
    this.known = known;
  }

  valueOf(name: string): number | undefined {
    return this.known?.get(name);
  }

  setValue(name: string, value: number | undefined): void {
    if (this.known === null) return;
    const changed = new Map(this.known);
    if (value === undefined) changed.delete(name);
    else changed.set(name, value);
    this.known = changed;
  }

  /**
   * Numbers the instructions. `isDead` says of a local that nobody reads it at run time: setting
   * it is left out (a loop counter, once its loop is unrolled).
   */
  finish(isDead: (local: number) => boolean): readonly Instruction[] {
    const isKept = this.drafts.map((draft, index) => !isNeedless(draft, index, isDead));
    const places: number[] = [];
    let count = 0;
    for (const kept of isKept) {
      places.push(count);
      if (kept) count++;
    }
    const placeOf = (label: Label): number => places[label.position] ?? count;
    return this.drafts
      .filter((_, index) => isKept[index] === true)
      .map((draft) => numbered(draft, placeOf));
  }

  /** Every expression that some instruction evaluates. */
  *expressions(): Iterable<Expr> {
    for (const draft of this.drafts) {
      if (draft.op === 'branch') yield draft.condition;
      if (draft.op === 'straight') yield* inputsOf(draft.instruction);
    }
  }
}

function isNeedless(draft: Draft, index: number, isDead: (local: number) => boolean): boolean {
  if (draft.op === 'jump') return draft.to.position === index + 1;
  if (draft.op !== 'straight' || draft.instruction.op !== 'set') return false;
  const { target } = draft.instruction;
  return target.kind === 'local' && isDead(target.index);
}

function numbered(draft: Draft, placeOf: (label: Label) => number): Instruction {
  switch (draft.op) {
    case 'straight':
      return draft.instruction;
    case 'jump':
      return { op: 'jump', to: placeOf(draft.to), at: draft.at };
    case 'branch': {
      const { condition, at, spin } = draft;
      return { op: 'branch', condition, otherwise: placeOf(draft.otherwise), at, spin };
    }
  }
}

/** The expressions an instruction evaluates. */
export function inputsOf(instruction: Instruction): readonly Expr[] {
  switch (instruction.op) {
    case 'set':
      return [instruction.value];
    case 'load':
      return [instruction.address];
    case 'store':
      return [instruction.address, instruction.value];
    case 'call':
      return valuesOf(instruction.args);
    case 'branch':
      return [instruction.condition];
    case 'jump':
      return [];
  }
}

function valuesOf(args: Extract<Instruction, { op: 'call' }>['args']): readonly Expr[] {
  const values: Expr[] = [];
  for (const arg of args) if (arg.kind === 'value') values.push(arg.value);
  return values;
}

/** The locals an expression reads. */
export function localsOf(expr: Expr): readonly number[] {
  const found: number[] = [];
  collectLocals(expr, found);
  return found;
}

function collectLocals(expr: Expr, found: number[]): void {
  switch (expr.kind) {
    case 'local':
      found.push(expr.index);
      return;
    case 'unary':
      collectLocals(expr.operand, found);
      return;
    case 'binary':
      collectLocals(expr.left, found);
      collectLocals(expr.right, found);
      return;
    case 'offset':
      collectLocals(expr.pointer, found);
      collectLocals(expr.bytes, found);
  }
}
