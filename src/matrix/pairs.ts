/**
 * `check --matrix --pairs`: two settings of the machine changed together. The second one is any
 * that could change the verdict where the first one is changed, so that an IOMMU which a pair
 * brings along is also tried lazy.
 * Leaves out: three settings and more; M6 `may_hit`, which no machine of the architecture has.
 */
import type { Setting } from '../compare/settings.js';
import { compile } from '../litmus/index.js';
import { type MatrixCell, type MatrixRow, matters } from './cells.js';
import { platformsOf } from './platforms.js';

export interface Pair {
  readonly settings: readonly [string, string];
  readonly change: (text: string) => string;
}

/** One undoes what the other does, or takes it from under it. */
function collide(one: Setting, other: Setting): boolean {
  return one.writes.some((a) => other.writes.some((b) => a.startsWith(b) || b.startsWith(a)));
}

/** Each two once; a platform that the scenario cannot run on has none. */
export function pairsOf(text: string, file: string): readonly Pair[] {
  const { program } = compile(text, file);
  const pairs = new Map<string, Pair>();
  for (const first of program === null ? [] : inside(platformsOf(program))) {
    const changed = compile(first.change(text), file).program;
    for (const second of changed === null ? [] : inside(platformsOf(changed))) {
      if (collide(first, second)) continue;
      const key = [first.label, second.label].sort().join('\n');
      if (pairs.has(key)) continue;
      const settings = [first.label, second.label] as const;
      pairs.set(key, { settings, change: (each) => second.change(first.change(each)) });
    }
  }
  return [...pairs.values()];
}

function inside(platforms: readonly Setting[]): readonly Setting[] {
  return platforms.filter(({ isOutside }) => isOutside !== true);
}

/** Those first whose settings matter alone already: where a budget ends, they are known. */
export function inOrder(pairs: readonly Pair[], row: MatrixRow): readonly Pair[] {
  const alone = (label: string): MatrixCell | undefined =>
    row.others.find(({ setting }) => setting === label);
  const weight = ({ settings }: Pair): number =>
    settings.filter((label) => {
      const cell = alone(label);
      return cell !== undefined && matters(row, cell) !== false;
    }).length;
  return [...pairs].sort((a, b) => weight(b) - weight(a));
}
