/**
 * Conditions of an export model as text: Promela and Murphi write the same things with other signs.
 * Leaves out: how membership is written; Rumur and Spin are quick with other forms of it.
 */
import type { Cond } from './model.js';

export interface Notation {
  readonly equals: string;
  readonly and: string;
  readonly or: string;
  /** That a variable has one of these values. */
  readonly among: (name: string, values: readonly number[]) => string;
}

/** How a condition reads in that notation, given the names of variables. */
export function conditionText(notation: Notation) {
  const text = (cond: Cond, name: (variable: number) => string): string => {
    switch (cond.kind) {
      case 'in':
        return notation.among(name(cond.variable), cond.values);
      case 'same':
        return `${name(cond.a)} ${notation.equals} ${name(cond.b)}`;
      case 'not':
        return `!(${text(cond.part, name)})`;
      default: {
        const { kind, parts } = cond;
        if (parts.length === 0) return kind === 'and' ? 'true' : 'false';
        return parts
          .map((part) => bracketed(part, text(part, name)))
          .join(` ${kind === 'and' ? notation.and : notation.or} `);
      }
    }
  };
  return text;
}

/** In brackets where it may be several conditions. */
export function bracketed(part: Cond, text: string): string {
  const several = (part.kind === 'and' || part.kind === 'or') && part.parts.length > 1;
  return several || (part.kind === 'in' && part.values.length > 1) ? `(${text})` : text;
}
