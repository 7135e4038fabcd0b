/**
 * IOMMU domains as flat translations with an IOTLB (M12, K6). A translation taken out of the page
 * table may live on in the IOTLB until it is invalidated; whether it was cached is decided when it
 * goes, because before that nobody can tell.
 * Sources: drivers/iommu/iommu.c (iommu_map, iommu_unmap = unmap and iotlb_sync,
 * iommu_unmap_fast), drivers/iommu/dma-iommu.c, io-pgtable-arm.c:arm_lpae_prot_to_pte (CACHE).
 * Leaves out: page tables in memory, with blocks and walk caches: io-tables.ts and io-walk.ts.
 */
import { IOMMU_CACHE, IOMMU_READ, IOMMU_WRITE } from './constants.js';
import type { Destination } from './access.js';
import type { KernelContext } from './context.js';
import { translateByWalk } from './io-walk.js';
import { observerOf } from './iotlb.js';
import type { Domain, Piece, Translation } from './state.js';

/** Id of the domain that the DMA API uses for a device. */
export function dmaDomain(device: number): number {
  return -1 - device;
}

export function domainOf(context: KernelContext, id: number): Domain | undefined {
  return context.kernel.domains.find((each) => each.id === id);
}

export function replaceDomain(context: KernelContext, next: Domain): void {
  setDomain(context, next);
}

function setDomain(context: KernelContext, next: Domain): void {
  context.update({
    domains: context.kernel.domains.map((each) => (each.id === next.id ? next : each)),
  });
}

export function translationFor(piece: Piece, prot: number): Translation {
  const { address: iova, size, buffer, offset, frames, slot } = piece;
  const entry = { iova, size, buffer, offset, prot, frames, used: false };
  return slot === undefined ? entry : { ...entry, ...slot, meant: { buffer, offset } };
}

/** The device is among those whose accesses the domain translates. */
export function isAttached(domain: Domain, device: number): boolean {
  return (domain.attached ?? [domain.device]).includes(device);
}

/** iommu_attach_device, iommu_detach_device. */
export function setAttached(
  context: KernelContext,
  domain: Domain,
  device: number,
  attached: boolean,
): void {
  const others = (domain.attached ?? [domain.device]).filter((each) => each !== device);
  setDomain(context, { ...domain, attached: attached ? [...others, device] : others });
}

export function install(context: KernelContext, id: number, entry: Translation): void {
  const domain = domainOf(context, id);
  if (domain === undefined) return;
  context.layout.cut(entry.buffer, entry.offset);
  context.layout.cut(entry.buffer, entry.offset + entry.size);
  const clash = domain.entries.some((each) => overlaps(each, entry.iova, entry.size));
  if (clash) {
    context.contract('maps an iova range that is mapped already in this domain');
    return;
  }
  const entries = [...domain.entries, entry].sort((a, b) => a.iova - b.iova);
  setDomain(context, { ...domain, entries });
}

function overlaps(entry: Translation, iova: number, size: number): boolean {
  return entry.iova < iova + size && iova < entry.iova + entry.size;
}

/** The part of an entry between two addresses. */
function slice(context: KernelContext, entry: Translation, from: number, to: number): Translation {
  const skipped = from - entry.iova;
  const offset = entry.offset + skipped;
  const size = to - from;
  context.layout.cut(entry.buffer, offset);
  context.layout.cut(entry.buffer, offset + size);
  const bytes = context.machine.pageSize;
  const frames = entry.frames.filter(
    ([page]) => page * bytes < offset + size && offset < (page + 1) * bytes,
  );
  const part = { ...entry, iova: from, size, offset, frames };
  const { meant } = entry;
  if (meant === undefined) return part;
  return { ...part, meant: { ...meant, offset: meant.offset + skipped } };
}

/** Takes a range out of the page table; `sync` also invalidates it in the IOTLB. */
export function remove(
  context: KernelContext,
  id: number,
  iova: number,
  size: number,
  sync: boolean,
): number {
  const domain = domainOf(context, id);
  if (domain === undefined) return 0;
  const kept: Translation[] = [];
  const stale: Translation[] = domain.stale.slice();
  let removed = 0;
  for (const entry of domain.entries) {
    if (!overlaps(entry, iova, size)) {
      kept.push(entry);
      continue;
    }
    const from = Math.max(entry.iova, iova);
    const to = Math.min(entry.iova + entry.size, iova + size);
    if (entry.iova < from) kept.push(slice(context, entry, entry.iova, from));
    if (to < entry.iova + entry.size) {
      kept.push(slice(context, entry, to, entry.iova + entry.size));
    }
    removed += to - from;
    const heldBy = holders(context, domain, entry, sync);
    if (heldBy === null) continue;
    const part = slice(context, entry, from, to);
    // The DMA API's own domains: nobody syncs by hand, the flush queue does it at some time.
    const queue = id < 0 && !sync && !context.machine.iommuStrict;
    if (queue) stale.push({ ...part, queued: true });
    else stale.push(heldBy.length > 0 ? { ...part, heldBy } : part);
  }
  const inRange = (each: Translation): boolean => overlaps(each, iova, size);
  const left = sync ? withoutHeld(context, domain, stale, inRange) : stale;
  setDomain(context, { ...domain, entries: kept, stale: left });
  return removed;
}

/** The IOMMUs that a domain's translations are used through, by the first device behind each. */
function observersOf(context: KernelContext, domain: Domain): readonly number[] {
  const now = domain.attached ?? [];
  const attached = now.length > 0 ? now : [domain.device];
  return [...new Set(attached.map((each) => observerOf(context.machine, each)))];
}

/**
 * Which IOTLBs keep a translation that goes: an IOMMU that used it has it, another one may have
 * prefetched it; a sync reaches those with power. Empty: the only one there is. Null: none.
 */
function holders(
  context: KernelContext,
  domain: Domain,
  entry: Translation,
  sync: boolean,
): readonly number[] | null {
  const all = observersOf(context, domain);
  const { iommusOff } = context.kernel;
  const reached = sync ? all.filter((each) => iommusOff.includes(each)) : all;
  if (reached.length === 0) return null;
  if (all.length <= 1) return mayBeCached(context, entry.used) ? [] : null;
  const held = reached.filter((each) =>
    mayBeCached(context, entry.usedBy?.includes(each) === true),
  );
  return held.length > 0 ? held : null;
}

/** A device that used the entry has it cached; else the IOTLB may have prefetched it. */
function mayBeCached(context: KernelContext, used: boolean): boolean {
  if (used) return true;
  return context.liberties.has('speculation') && context.choose(2) === 1;
}

/** Stale entries after an invalidation: those that it does not concern, or did not reach. */
function withoutHeld(
  context: KernelContext,
  domain: Domain,
  stale: readonly Translation[],
  concerned: (entry: Translation) => boolean,
  only?: number,
): readonly Translation[] {
  const all = observersOf(context, domain);
  const { iommusOff } = context.kernel;
  const lost = all.filter((each) => iommusOff.includes(each));
  if (lost.length > 0) context.noop('an IOMMU without power: nothing is invalidated in it');
  const reached = (observer: number): boolean =>
    !lost.includes(observer) && (only === undefined || only === observer);
  return stale.flatMap((entry) => {
    if (!concerned(entry)) return [entry];
    const heldBy = (entry.heldBy ?? all).filter((each) => !reached(each));
    if (heldBy.length === 0) return [];
    return [entry.heldBy === undefined ? entry : { ...entry, heldBy }];
  });
}

/** Invalidates what was left behind; `only`: in one IOMMU, by the first device behind it. */
export function syncIotlb(context: KernelContext, id: number, only?: number): void {
  const domain = domainOf(context, id);
  if (domain === undefined) return;
  const stale = withoutHeld(context, domain, domain.stale, () => true, only);
  setDomain(context, { ...domain, stale });
}

/** iommu_iova_to_phys, as buffer and offset; null where nothing is mapped. */
export function lookup(
  context: KernelContext,
  id: number,
  iova: number,
): { buffer: number; offset: number } | null {
  const entry = domainOf(context, id)?.entries.find((each) => overlaps(each, iova, 1));
  if (entry === undefined) return null;
  const { buffer, offset } = entry.meant ?? entry;
  return { buffer, offset: offset + (iova - entry.iova) };
}

export type Reached =
  | { readonly kind: 'memory'; readonly destination: Destination; readonly cacheable: boolean }
  | {
      readonly kind: 'fault';
      readonly why: string;
      readonly hazard?: 'H7' | 'H9';
      /** It follows from a finding that was told before. */
      readonly consequence?: boolean;
    };

/** What the mapping shows there is not the object any more, but whatever memory comes next. */
export function outside(): Reached {
  return { kind: 'fault', why: 'the mapping reaches beyond the end of its memory', hazard: 'H9' };
}

/** Its page tables are words of memory, which a device walks. */
export function walks(context: KernelContext, domain: Domain): boolean {
  const { coherentWalk = null } = context.machine.devices[domain.device] ?? {};
  return domain.root !== undefined || coherentWalk !== null;
}

/** Where a device's access through a domain arrives. */
export function translate(
  context: KernelContext,
  id: number,
  iova: number,
  size: number,
  right: number,
): Reached {
  return ofClient(context, id, translated(context, id, iova, size, right));
}

/** A client's context reaches an object that is other clients' by now, or always was (H9, M14). */
function ofClient(context: KernelContext, id: number, reached: Reached): Reached {
  const client = domainOf(context, id)?.client;
  if (client === undefined || reached.kind === 'fault') return reached;
  const { destination } = reached;
  const known = context.buffer(destination.cell.buffer).clients?.known ?? [];
  if (destination.refused !== null || known.length === 0 || known.includes(client)) return reached;
  return { ...reached, destination: { ...destination, refused: 'H9' } };
}

function translated(
  context: KernelContext,
  id: number,
  iova: number,
  size: number,
  right: number,
): Reached {
  const domain = domainOf(context, id);
  if (domain === undefined) return { kind: 'fault', why: 'no such domain' };
  const observer = observerOf(context.machine, context.step.device);
  if (context.kernel.iommusOff.includes(observer)) {
    return { kind: 'fault', why: 'the IOMMU has no power' };
  }
  if (walks(context, domain)) return translateByWalk(context, domain, iova, size, right);
  const present = domain.entries.find((each) => overlaps(each, iova, size));
  const entry = chooseEntry(context, domain, present, iova, size, observer);
  if (entry === undefined) {
    const beside = besideMapping(context, domain, iova, size);
    return beside ?? { kind: 'fault', why: `nothing is mapped at 0x${iova.toString(16)}` };
  }
  if ((entry.prot & right) === 0) {
    const name = right === IOMMU_WRITE ? 'IOMMU_WRITE' : 'IOMMU_READ';
    return { kind: 'fault', why: `the mapping has no ${name} right` };
  }
  if (entry === present) markUsed(context, domain, entry, observer);
  const end = entry.offset + (iova - entry.iova) + size;
  if (end > context.buffer(entry.buffer).size) return outside();
  const destination = asMeant(context, physical(context, entry, present, iova, size));
  return { kind: 'memory', destination, cacheable: (entry.prot & IOMMU_CACHE) !== 0 };
}

/**
 * Page tables know whole pages only: what lies beside the range that the DMA API mapped is in reach
 * of the device, and not meant to be (H9).
 */
function besideMapping(
  context: KernelContext,
  domain: Domain,
  iova: number,
  size: number,
): Reached | null {
  const { pageSize } = context.machine;
  const first = (address: number): number => Math.floor(address / pageSize);
  const entry = domain.entries.find(
    (each) => first(each.iova) <= first(iova) && first(iova) <= first(each.iova + each.size - 1),
  );
  if (entry === undefined) return null;
  const byte = entry.offset + (iova - entry.iova);
  if (byte < 0 || byte + size > context.buffer(entry.buffer).size) return outside();
  const cell = context.layout.cell(entry.buffer, byte, size);
  const frame = entry.frames.find(([page]) => page === cell.page)?.[1] ?? -1;
  const refused = refusal(context, frame, entry.buffer, cell.page) ?? 'H9';
  const cacheable = (entry.prot & IOMMU_CACHE) !== 0;
  return { kind: 'memory', destination: { frame, cell, refused }, cacheable };
}

/** The live entry, or a stale one the IOTLB still holds; it may have been dropped meanwhile. */
function chooseEntry(
  context: KernelContext,
  domain: Domain,
  present: Translation | undefined,
  iova: number,
  size: number,
  observer: number,
): Translation | undefined {
  const mine = (each: Translation): boolean => each.heldBy?.includes(observer) !== false;
  const stale = domain.stale.filter((each) => overlaps(each, iova, size) && mine(each));
  if (stale.length === 0) return present;
  const flushed = stale.every((each) => each.queued === true);
  const mayDrop = flushed || context.liberties.has('eviction');
  const choice = mayDrop ? context.choose(stale.length + 1) : context.choose(stale.length);
  const held = stale[choice];
  if (held !== undefined) {
    context.say('M12', () => 'translated by a stale IOTLB entry');
    return held;
  }
  if (flushed) context.say('M12', () => 'the flush queue has run by now');
  else context.tookLiberty = true;
  setDomain(context, {
    ...domain,
    stale: domain.stale.flatMap((each) => {
      if (!stale.includes(each)) return [each];
      const heldBy = each.heldBy?.filter((other) => other !== observer) ?? [];
      return heldBy.length > 0 ? [{ ...each, heldBy }] : [];
    }),
  });
  return present;
}

/** From now on the IOTLB of this IOMMU has it. */
function markUsed(
  context: KernelContext,
  domain: Domain,
  entry: Translation,
  observer: number,
): void {
  const several = observersOf(context, domain).length > 1;
  const usedBy = entry.usedBy ?? [];
  if (entry.used && (!several || usedBy.includes(observer))) return;
  const now = { ...entry, used: true };
  const next = several ? { ...now, usedBy: [...usedBy, observer].sort((a, b) => a - b) } : now;
  const entries = domain.entries.map((each) => (each === entry ? next : each));
  setDomain(context, { ...domain, entries });
}

function physical(
  context: KernelContext,
  entry: Translation,
  present: Translation | undefined,
  iova: number,
  size: number,
): Destination {
  const cellOf = (each: Translation) =>
    context.layout.cell(each.buffer, each.offset + (iova - each.iova), size);
  const reached = cellOf(entry);
  const frame = entry.frames.find(([page]) => page === reached.page)?.[1] ?? -1;
  const gone = refusal(context, frame, entry.buffer, reached.page);
  const wanted = present ?? entry;
  const cell =
    wanted.meant === undefined
      ? cellOf(wanted)
      : context.layout.cell(wanted.meant.buffer, wanted.meant.offset + (iova - wanted.iova), size);
  const slot = entry.meant === undefined ? {} : { slot: reached };
  if (gone !== null) return { frame, cell: entry.meant ? cell : reached, refused: gone, ...slot };
  // The page table means one buffer, the stale entry reached another one (H15).
  const same = present === undefined || cellOf(present) === reached;
  return { frame, cell, refused: same ? null : 'H15', ...slot };
}

/** A page that was taken for another one is reached instead of that (H15; ops/virt-to-page.ts). */
export function asMeant(context: KernelContext, destination: Destination): Destination {
  const { cell, refused } = destination;
  const { standsFor } = context.buffer(cell.buffer);
  if (standsFor === undefined || refused !== null) return destination;
  const byte = cell.page * context.machine.pageSize + cell.offset;
  const meant = context.layout.cell(standsFor, byte, cell.size);
  return { ...destination, cell: meant, refused: 'H15' };
}

/** H8 when the frame is no longer this page of this buffer. */
export function refusal(
  context: KernelContext,
  frame: number,
  buffer: number,
  page: number,
): 'H8' | null {
  const owner = context.frame(frame);
  return owner !== undefined && owner.buffer === buffer && owner.page === page ? null : 'H8';
}

export { IOMMU_READ, IOMMU_WRITE };
