/**
 * `--shard i/n`: the i-th of n parts of the work, for machines that share it. Which part a
 * scenario, or a cell of a matrix, belongs to depends on the set of all of them alone, never on
 * their order; parts differ by one scenario or cell at most. A scenario's cells stay together
 * unless a part ends between them.
 */
import type { Input } from './inputs.js';
import { labelsOf, type RowInput } from './matrix-row.js';
import type { Shard } from './options.js';

/** FNV-1a, so that neighbours in a folder, which often cost alike, spread over the parts. */
function hashed(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function spread<T extends Input>(inputs: readonly T[]): readonly T[] {
  const key = ({ file }: Input): number => hashed(file);
  return [...inputs].sort((a, b) => key(a) - key(b) || (a.file < b.file ? -1 : 1));
}

/** The range of a part among so many. */
function rangeOf({ part, of }: Shard, count: number): readonly [from: number, to: number] {
  return [Math.floor((count * (part - 1)) / of), Math.floor((count * part) / of)];
}

/** The scenarios of a part, in the order given. */
export function shardFiles(inputs: readonly Input[], shard: Shard): readonly Input[] {
  const mine = new Set(spread(inputs).slice(...rangeOf(shard, inputs.length)));
  return inputs.filter((input) => mine.has(input));
}

/**
 * The rows of a part, in the order given. A row has its scenario as written whatever part that
 * belongs to: without it nobody could say what a setting changes.
 */
export function shardRows(inputs: readonly Input[], shard: Shard): readonly RowInput[] {
  const cells = spread(inputs).flatMap((input) =>
    // Null stands for the scenario as written.
    [null, ...[...labelsOf(input)].sort()].map((label) => ({ input, label })),
  );
  const mine = new Map<Input, string[]>();
  for (const { input, label } of cells.slice(...rangeOf(shard, cells.length))) {
    const labels = mine.get(input) ?? [];
    if (label !== null) labels.push(label);
    mine.set(input, labels);
  }
  return inputs.flatMap((input) => {
    const only = mine.get(input);
    return only === undefined ? [] : [{ ...input, only }];
  });
}
