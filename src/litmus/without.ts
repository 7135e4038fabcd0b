/**
 * A scenario with one of its syncs or barriers dropped: what the header's `Without` lines are
 * about. Copies of a call in an unrolled loop go together: they stand at the same place.
 */
import type { Span } from '../diagnostics/diagnostic.js';
import type { Instruction, Program, ThreadCode } from './program.js';

export interface RemovableCall {
  readonly operation: string;
  /** 1-based among the calls of that operation, in file order. */
  readonly occurrence: number;
  readonly at: Span;
}

export function removableCalls(program: Program): readonly RemovableCall[] {
  const places = new Map<string, { operation: string; at: Span }>();
  for (const thread of [program.init, ...program.threads, ...program.overrides]) {
    for (const instruction of thread.code) {
      if (instruction.op !== 'call' || instruction.operation.removable === undefined) continue;
      const { operation, at } = instruction;
      places.set(`${at.line}:${at.column}`, { operation: operation.name, at });
    }
  }
  const inOrder = [...places.values()].sort(
    (left, right) => left.at.line - right.at.line || left.at.column - right.at.column,
  );
  const counts = new Map<string, number>();
  return inOrder.map(({ operation, at }) => {
    const occurrence = (counts.get(operation) ?? 0) + 1;
    counts.set(operation, occurrence);
    return { operation, occurrence, at };
  });
}

/** The same program when there is no such call. */
export function withoutCall(program: Program, operation: string, occurrence: number): Program {
  const call = removableCalls(program).find(
    (candidate) => candidate.operation === operation && candidate.occurrence === occurrence,
  );
  if (call === undefined) return program;
  const drop = <Code extends Pick<ThreadCode, 'code'>>(thread: Code): Code => ({
    ...thread,
    code: thread.code.map((instruction, index) =>
      isAt(instruction, call) ? dropped(instruction, index) : instruction,
    ),
  });
  const { init, threads, overrides } = program;
  return {
    ...program,
    init: drop(init),
    threads: threads.map(drop),
    overrides: overrides.map(drop),
  };
}

function isAt(instruction: Instruction, call: RemovableCall): boolean {
  return (
    instruction.op === 'call' &&
    instruction.operation.name === call.operation &&
    instruction.at.line === call.at.line &&
    instruction.at.column === call.at.column
  );
}

/** The place in the code stays, so that jumps need no new numbers. */
function dropped(instruction: Instruction, index: number): Instruction {
  if (instruction.op !== 'call') return instruction;
  if (instruction.operation.removable === 'skip-sync') {
    return { ...instruction, options: { ...instruction.options, skip_sync: 1 } };
  }
  return { op: 'jump', to: index + 1, at: instruction.at };
}
