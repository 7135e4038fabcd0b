/**
 * What is exported, before it is Promela or Murphi: variables with small domains, and per agent a
 * list of guarded steps, each atomic. Both languages are written from this.
 * Leaves out: names that a language reserves, and its syntax (promela.ts, murphi.ts).
 */

export interface Variable {
  readonly name: string;
  /** It holds 0 to size - 1. */
  readonly size: number;
  /** What the values stand for, by value; empty where they stand for themselves. */
  readonly meaning: readonly string[];
  readonly comment: string;
  readonly initial: number;
}

/** Variables go by their index in the model. */
export type Cond =
  | { readonly kind: 'in'; readonly variable: number; readonly values: readonly number[] }
  | { readonly kind: 'same'; readonly a: number; readonly b: number }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Cond[] }
  | { readonly kind: 'not'; readonly part: Cond };

export type Statement =
  | { readonly kind: 'set'; readonly variable: number; readonly value: number }
  | { readonly kind: 'copy'; readonly variable: number; readonly from: number }
  | {
      readonly kind: 'if';
      readonly cond: Cond;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  /** Never reached, unless a rule of the export and the explorer disagree. */
  | { readonly kind: 'wrong' }
  /** A finding: index into `hazards`. */
  | { readonly kind: 'hazard'; readonly hazard: number };

export interface Option {
  readonly comment: string;
  readonly guard: Cond;
  /** In sequence, all in one step. */
  readonly body: readonly Statement[];
}

export interface Agent {
  readonly name: string;
  readonly comment: string;
  readonly options: readonly Option[];
}

export interface Hazard {
  /** `H3`. */
  readonly id: string;
  /** As the explorer names it: id, agent, place. */
  readonly key: string;
  readonly text: string;
}

export interface ExportModel {
  readonly name: string;
  /** What it is and what it leaves out: comment lines for the head of the file. */
  readonly head: readonly string[];
  readonly variables: readonly Variable[];
  /** Steps happen only while this holds; null: always. */
  readonly running: Cond | null;
  readonly agents: readonly Agent[];
  readonly hazards: readonly Hazard[];
  /** Conditions that no state may meet, with the hazard that it is. */
  readonly forbidden: readonly { readonly cond: Cond; readonly hazard: number }[];
  /** States and steps by our own count: what the other checker must come to. */
  readonly states: number;
  readonly transitions: number;
}

export const always: Cond = { kind: 'and', parts: [] };
export const never: Cond = { kind: 'or', parts: [] };

export function and(parts: readonly Cond[]): Cond {
  const flat = parts.flatMap((part) => (part.kind === 'and' ? part.parts : [part]));
  const [only] = flat;
  return only !== undefined && flat.length === 1 ? only : { kind: 'and', parts: flat };
}

export function or(parts: readonly Cond[]): Cond {
  const flat = parts.flatMap((part) => (part.kind === 'or' ? part.parts : [part]));
  const [only] = flat;
  return only !== undefined && flat.length === 1 ? only : { kind: 'or', parts: flat };
}

/** Adds the variables that a condition reads. */
function addRead(cond: Cond, read: Set<number>): void {
  if (cond.kind === 'in') read.add(cond.variable);
  else if (cond.kind === 'same') read.add(cond.a).add(cond.b);
  else if (cond.kind === 'not') addRead(cond.part, read);
  else for (const part of cond.parts) addRead(part, read);
}

function addReadBy(body: readonly Statement[], read: Set<number>): void {
  for (const statement of body) {
    if (statement.kind === 'copy') read.add(statement.from);
    if (statement.kind !== 'if') continue;
    addRead(statement.cond, read);
    addReadBy(statement.body, read);
    addReadBy(statement.otherwise, read);
  }
}

/** Variables that no step looks at; they tell states apart all the same. */
export function unread(model: ExportModel): readonly number[] {
  const read = new Set<number>();
  if (model.running !== null) addRead(model.running, read);
  for (const { cond } of model.forbidden) addRead(cond, read);
  for (const { options } of model.agents) {
    for (const { guard, body } of options) {
      addRead(guard, read);
      addReadBy(body, read);
    }
  }
  return model.variables.flatMap((_, v) => (read.has(v) ? [] : [v]));
}
