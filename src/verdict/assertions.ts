/** The user's own conditions over final values of thread locals: exists, forbidden, always. */
import type { Condition, Program } from '../litmus/program.js';
import type { State } from '../system/state.js';
import type { AssertionResult } from './result.js';
import type { Run } from './runs.js';

function holds(condition: Condition, state: State): boolean {
  switch (condition.kind) {
    case 'and':
      return holds(condition.left, state) && holds(condition.right, state);
    case 'or':
      return holds(condition.left, state) || holds(condition.right, state);
    case 'not':
      return !holds(condition.operand, state);
    case 'compare': {
      // Threads are numbered without init in a scenario, with it in a state.
      const value = state.threads[condition.thread + 1]?.locals[condition.local];
      return typeof value === 'number' && compare(condition.operator, value, condition.value);
    }
  }
}

/** A comparison of the language, by its sign. */
export function compare(operator: string, a: number, b: number): boolean {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

export interface Judged {
  readonly result: AssertionResult;
  /** A complete state that decides it: the witness of exists, the breach of the others. */
  readonly state: number | null;
}

/** The assertions that a complete state breaks, each with a name: such a state is to be shown. */
export function broken(program: Program, state: State): readonly string[] {
  return program.assertions.flatMap(({ kind, condition }, index) => {
    if (kind === 'exists') return [];
    return holds(condition, state) === (kind !== 'always') ? [`assertion ${index}`] : [];
  });
}

export function judgeAssertions(program: Program, run: Run): readonly Judged[] {
  const { exploration } = run;
  return program.assertions.map(({ kind, condition, at }) => {
    const wanted = kind !== 'always';
    const hit = exploration.completeStates.find((index) => {
      const state = exploration.stateAt(index);
      return state !== undefined && holds(condition, state) === wanted;
    });
    const decided = hit !== undefined || exploration.stopped === null;
    const value = kind === 'exists' ? hit !== undefined : hit === undefined;
    return {
      result: { kind, line: at.line, holds: decided ? value : null },
      state: hit ?? null,
    };
  });
}
