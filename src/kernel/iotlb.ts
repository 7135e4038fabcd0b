/**
 * The IOTLBs, where page tables are memory (M12): one for each IOMMU. Two kinds of entries: whole
 * translations, which a device used; and old values of table entries, intermediate ones included,
 * that a walk may have cached before they changed. Whether one that no device used was cached is
 * decided when it would be hit, because before that nobody can tell (ADR-7).
 * Sources: Arm SMMU architecture (IHI 0070) "TLB invalidation"; Arm ARM D8.13 (break-before-make);
 * drivers/iommu/arm/arm-smmu/arm-smmu.c, io-pgtable-arm.c.
 * Leaves out: the size of an IOTLB, ASIDs other than one for each context.
 */
import { hasBit, type Line } from '../machine/line.js';
import type { MachineConfig } from './config.js';
import type { KernelContext } from './context.js';
import { levelSize, PTE_BYTES, type Level } from './io-pgtable.js';
import type { Domain, Frame, IotlbEntry } from './state.js';
import { isSecret } from './values.js';

/** Whose IOTLB a device's accesses go through: the first device behind the same IOMMU. */
export function observerOf(machine: MachineConfig, device: number): number {
  const unit = machine.devices[device]?.iommuUnit ?? '';
  if (unit === '') return device;
  return machine.devices.findIndex((each) => each.iommuUnit === unit);
}

/** The IOMMUs that walk page tables in memory. */
function walkers(machine: MachineConfig): readonly number[] {
  const found = machine.devices.flatMap((each, i) =>
    each.coherentWalk === null ? [] : [observerOf(machine, i)],
  );
  return [...new Set(found)];
}

/** What a walk sees of a word: memory, or the copy where it snoops. */
export function seenByWalk(line: Line, word: number, snoops: boolean): number {
  const copy = snoops ? line.copy[word] : undefined;
  return copy ?? line.dram[word] ?? 0;
}

function order(a: IotlbEntry, b: IotlbEntry): number {
  return a.observer - b.observer || a.cell - b.cell || a.iova - b.iova || a.value - b.value;
}

/** What IOMMUs hold; lines of page tables write it when they change (Touched). */
function iotlbOf(context: KernelContext): readonly IotlbEntry[] {
  context.touched?.lookUp();
  return context.kernel.iotlb;
}

export function setIotlb(context: KernelContext, entries: readonly IotlbEntry[]): void {
  context.update({ iotlb: [...entries].sort(order) });
}

/** Adds an entry; one that may be there becomes one that is. */
export function hold(context: KernelContext, entry: IotlbEntry): void {
  const iotlb = iotlbOf(context);
  const same = (each: IotlbEntry): boolean => order(each, entry) === 0 && each.tag === entry.tag;
  const known = iotlb.find(same);
  if (known !== undefined && (known.sure || !entry.sure)) return;
  setIotlb(context, [...iotlb.filter((each) => !same(each)), entry]);
}

/** A word of a page table became another one for some walker: the old one may be cached. */
export function ptesChanged(
  context: KernelContext,
  frame: Frame,
  lineIndex: number,
  old: Line,
  now: Line,
): void {
  const cells = context.lineLayout(frame, lineIndex)?.cells ?? [];
  cells.forEach((cell, word) => {
    if (!context.layout.isPte(cell.id)) return;
    for (const observer of walkers(context.machine)) {
      const { walkSnoops = false, cachesFaults = false } = context.machine.devices[observer] ?? {};
      const before = seenByWalk(old, word, walkSnoops);
      if (before === seenByWalk(now, word, walkSnoops) || isSecret(before)) continue;
      if (!hasBit(before, 0) && !cachesFaults) continue;
      if (!context.liberties.has('speculation')) continue;
      const whole = { iova: -1, tag: -1, domain: -1 };
      const level = 1;
      hold(context, { observer, cell: cell.id, value: before, level, ...whole, sure: false });
    }
  });
}

/** The addresses that an entry of one of the domain's own tables translates; null: not its own. */
function coverage(
  context: KernelContext,
  domain: Domain,
  id: number,
): { iova: number; size: number } | null {
  const cell = context.layout.cells[id];
  const table = domain.tables?.find((each) => each.buffer === cell?.buffer);
  if (cell === undefined || table === undefined) return null;
  const size = levelSize(table.level);
  return { iova: table.iova + (cell.offset / PTE_BYTES) * size, size };
}

/** The domains whose translations carry the same ASID. */
function sameAsid(context: KernelContext, domain: Domain): readonly Domain[] {
  const tag = domain.parent ?? domain.id;
  return context.kernel.domains.filter((each) => (each.parent ?? each.id) === tag);
}

/**
 * TLBI of an address range of a domain, in every IOMMU or in that of one device. A flush queue
 * does it at some time: until then its entries may be there. Without power it does nothing (M17).
 */
export function invalidateIotlb(
  context: KernelContext,
  domain: Domain,
  range: { readonly iova: number; readonly size: number },
  how: { readonly lazily?: boolean; readonly observer?: number } = {},
): void {
  const { iommusOff } = context.kernel;
  const iotlb = iotlbOf(context);
  const family = sameAsid(context, domain);
  const hit = (entry: IotlbEntry): boolean => {
    if (iommusOff.includes(entry.observer)) return false;
    if (how.observer !== undefined && entry.observer !== how.observer) return false;
    if (entry.iova >= 0) {
      const size = levelSize(entry.level);
      if (entry.tag !== (domain.parent ?? domain.id)) return false;
      return entry.iova < range.iova + range.size && range.iova < entry.iova + size;
    }
    // Tables that the driver writes itself: whose they are shows only in a walk.
    if (domain.root !== undefined) return !isOwned(context, entry.cell);
    return family.some((each) => {
      const covered = coverage(context, each, entry.cell);
      if (covered === null) return false;
      return covered.iova < range.iova + range.size && range.iova < covered.iova + covered.size;
    });
  };
  if (!iotlb.some(hit)) return;
  const kept = iotlb.filter((each) => !hit(each));
  const waiting = iotlb.filter(hit).map((each) => ({ ...each, sure: false }));
  setIotlb(context, how.lazily === true ? [...kept, ...waiting] : kept);
}

function isOwned(context: KernelContext, cell: number): boolean {
  return context.kernel.domains.some((each) => coverage(context, each, cell) !== null);
}

/** Everything an IOMMU holds goes. */
export function flushIotlb(context: KernelContext, observer: number): void {
  const iotlb = iotlbOf(context);
  const kept = iotlb.filter((each) => each.observer !== observer);
  if (kept.length < iotlb.length) setIotlb(context, kept);
}

/** A whole translation of a domain that may be hit at an address. */
export function translationsAt(
  context: KernelContext,
  observer: number,
  domain: Domain,
  iova: number,
): readonly IotlbEntry[] {
  const tag = domain.parent ?? domain.id;
  return iotlbOf(context).filter(
    (each) =>
      each.observer === observer &&
      each.tag === tag &&
      each.iova >= 0 &&
      each.iova <= iova &&
      iova < each.iova + levelSize(each.level),
  );
}

/** Old values of a table entry that an IOMMU may have cached. */
export function cachedValues(
  context: KernelContext,
  observer: number,
  cell: number,
): readonly IotlbEntry[] {
  return iotlbOf(context).filter(
    (each) => each.observer === observer && each.iova < 0 && each.cell === cell,
  );
}

export function forgetEntries(context: KernelContext, entries: readonly IotlbEntry[]): void {
  if (entries.length === 0) return;
  setIotlb(
    context,
    iotlbOf(context).filter((each) => !entries.includes(each)),
  );
}

export type { IotlbEntry, Level };
