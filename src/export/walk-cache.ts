/**
 * M12 said a second time, for exports: when a page table entry in memory changes for an IOMMU that
 * walks it, what it was may be in that IOMMU's walk cache. Written from docs/model.md (M12,
 * "IOTLBs" and "Page tables in memory") and ADR-11; nothing here comes from src/kernel/iotlb.ts.
 * Leaves out: what a walk does with it, and invalidations, which the trees tell.
 */
import type { DeviceConfig } from '../kernel/config.js';
import type { Cell, Layout } from '../kernel/layout.js';
import type { IotlbEntry } from '../kernel/state.js';
import { isSecret } from '../kernel/values.js';
import { type Encoding, NOTHING } from './encode.js';
import type { LineRules } from './line-rules.js';
import { and, type Cond, type Statement } from './model.js';

/** Branches for one line: with more, its steps are tabulated. */
const BRANCHES_MAX = 64;

export interface WalkPlaces {
  readonly encoding: Encoding;
  readonly layout: Layout;
  readonly devices: readonly DeviceConfig[];
  /** Component of the IOTLBs' book, with the lists it may be. */
  readonly iotlb: { readonly component: number; readonly values: readonly Held[] };
}

type Held = readonly IotlbEntry[];

/** A walker and a word of the line: the values that it may see there before, and when. */
interface Watched {
  readonly cases: readonly { readonly cond: Cond; readonly entry: IotlbEntry }[];
}

/** What a variable holds after some statements: a value, or what another held before them. */
type After = { readonly value: number } | { readonly from: number };

export class WalkCache {
  constructor(private readonly at: WalkPlaces) {}

  /** More entries, values and walkers meet in a line than are worth rules. */
  isTooWide(line: LineRules, cells: readonly Cell[]): boolean {
    const ways = this.walkers().flatMap(([, device]) =>
      cells.map((cell, word) =>
        this.at.layout.isPte(cell.id)
          ? 1 + this.values(line.dram(word), device.cachesFaults).length
          : 1,
      ),
    );
    return ways.reduce((all, each) => all * each, 1) > BRANCHES_MAX;
  }

  /** Statements that come before those which change the line. */
  statements(
    line: LineRules,
    cells: readonly Cell[],
    body: readonly Statement[],
  ): readonly Statement[] {
    const watched = this.walkers().flatMap(([observer, device]) =>
      cells.flatMap((cell, word): Watched[] => {
        if (!this.at.layout.isPte(cell.id)) return [];
        const cases = this.cases(line, word, body, device).map(({ cond, value }) => ({
          cond,
          entry: this.entry(observer, cell.id, value),
        }));
        return cases.length === 0 ? [] : [{ cases }];
      }),
    );
    return this.branch(watched, []);
  }

  /** IOMMUs with page tables in memory: the first device behind one stands for it. */
  private walkers(): readonly (readonly [number, DeviceConfig])[] {
    const { devices } = this.at;
    const found = new Map<number, DeviceConfig>();
    devices.forEach(({ iommuUnit, coherentWalk }, i) => {
      if (coherentWalk === null) return;
      const first = devices.findIndex((each, j) => j === i || isBehind(each, iommuUnit));
      const device = devices[first];
      if (device !== undefined) found.set(first, device);
    });
    return [...found];
  }

  private entry(observer: number, cell: number, value: number): IotlbEntry {
    // In a walk cache an entry has no level of its own: whether it is a leaf shows in the walk.
    return { observer, cell, value, level: 1, iova: -1, tag: -1, domain: -1, sure: false };
  }

  /** Values of a variable that a walk cache keeps: entries that are valid, or any. */
  private values(variable: number, faultsToo: boolean): readonly number[] {
    const { encoding } = this.at;
    const { component = -1, meaning = [] } = encoding.variables[variable] ?? {};
    const met = new Set<number>();
    for (let id = 0; id < encoding.count(component); id++) met.add(encoding.value(variable, id));
    const texts = [...met].map((value) => meaning[value] ?? String(value));
    const numbers = texts.filter((text) => /^\d+$/.test(text)).map(Number);
    // Bit 0 of a descriptor says that it is valid (Arm ARM D8.3).
    return numbers.filter((value) => !isSecret(value) && (faultsToo || value % 2 === 1));
  }

  /** When a walker sees a value in a word before the statements, and another one after them. */
  private cases(
    line: LineRules,
    word: number,
    body: readonly Statement[],
    device: DeviceConfig,
  ): readonly { cond: Cond; value: number }[] {
    const { encoding } = this.at;
    const [dram, copy] = [line.dram(word), line.copy(word)];
    const nothing = copy < 0 ? -1 : encoding.numberOf(copy, NOTHING);
    const noCopy: Cond = { kind: 'in', variable: copy, values: [nothing] };
    const after = (variable: number): After => afterwards(body, variable);
    const isGone = (each: After): boolean => 'value' in each && each.value === nothing;
    if (!device.walkSnoops || copy < 0) return this.changes(dram, after(dram), device, []);
    const then = after(copy);
    // A copy that was there and is untouched, or one that was not.
    const unseen = 'from' in then && then.from === copy ? after(dram) : then;
    return [
      ...this.changes(dram, isGone(unseen) ? after(dram) : unseen, device, [noCopy]),
      ...this.changes(copy, isGone(then) ? after(dram) : then, device, [
        { kind: 'not', part: noCopy },
      ]),
    ];
  }

  private changes(
    variable: number,
    after: After,
    device: DeviceConfig,
    where: readonly Cond[],
  ): readonly { cond: Cond; value: number }[] {
    const { encoding } = this.at;
    return this.values(variable, device.cachesFaults).flatMap((value) => {
      const number = encoding.numberOf(variable, String(value));
      const is: Cond = { kind: 'in', variable, values: [number] };
      if ('value' in after) {
        return after.value === number ? [] : [{ cond: and([...where, is]), value }];
      }
      if (after.from === variable) return [];
      const stays: Cond = { kind: 'in', variable: after.from, values: [number] };
      return [{ cond: and([...where, is, { kind: 'not', part: stays }]), value }];
    });
  }

  /** One branch for each set of entries that may have been cached. */
  private branch(watched: readonly Watched[], cached: readonly IotlbEntry[]): readonly Statement[] {
    const [first, ...rest] = watched;
    if (first === undefined) return cached.length === 0 ? [] : this.noted(cached);
    let chain = this.branch(rest, cached);
    for (const { cond, entry } of first.cases) {
      const body = this.branch(rest, [...cached, entry]);
      chain = [{ kind: 'if', cond, body, otherwise: chain }];
    }
    return chain;
  }

  /** The IOTLBs' book with more entries that may be there, for each it may be now. */
  private noted(cached: readonly IotlbEntry[]): readonly Statement[] {
    const { encoding, iotlb } = this.at;
    const [variable] = encoding.of[iotlb.component] ?? [];
    if (variable === undefined) return [{ kind: 'wrong' }];
    let chain: readonly Statement[] = [{ kind: 'wrong' }];
    iotlb.values.forEach((held, id) => {
      const to = encoding.numberOf(variable, JSON.stringify(withEntries(held, cached)));
      const body: Statement = to < 0 ? { kind: 'wrong' } : { kind: 'set', variable, value: to };
      const cond: Cond = { kind: 'in', variable, values: [encoding.value(variable, id)] };
      chain = [{ kind: 'if', cond, body: [body], otherwise: chain }];
    });
    return chain;
  }
}

function isBehind({ iommuUnit }: DeviceConfig, unit: string): boolean {
  return unit !== '' && iommuUnit === unit;
}

function order(a: IotlbEntry, b: IotlbEntry): number {
  return a.observer - b.observer || a.cell - b.cell || a.iova - b.iova || a.value - b.value;
}

/** What was there already stays, used or not. */
function withEntries(held: Held, more: readonly IotlbEntry[]): Held {
  const fresh = more.filter((entry) => !held.some((each) => order(each, entry) === 0));
  return [...held, ...fresh].sort(order);
}

/** What a variable holds after statements of which none that sets it is under a condition. */
function afterwards(body: readonly Statement[], wanted: number): After {
  const now = new Map<number, After>();
  const of = (variable: number): After => now.get(variable) ?? { from: variable };
  for (const each of body) {
    if (each.kind === 'set') now.set(each.variable, { value: each.value });
    else if (each.kind === 'copy') now.set(each.variable, of(each.from));
  }
  return of(wanted);
}
