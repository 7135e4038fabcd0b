/**
 * The IOMMU API's page tables in memory (M12): io-pgtable-arm's stores, table by table, with the
 * maintenance it does where the kernel takes walks for non-coherent, and what it writes where.
 * Entries are stored through the linear map; only those that some walk reads are words here.
 * Sources: drivers/iommu/io-pgtable-arm.c (__arm_lpae_map, __arm_lpae_alloc_pages,
 * arm_lpae_install_table, __arm_lpae_sync_pte, __arm_lpae_clear_pte, arm_lpae_map_pages: wmb()),
 * drivers/iommu/arm/arm-smmu/arm-smmu.c (arm_smmu_tlb_inv_range_s1, arm_smmu_tlb_sync_context).
 * Leaves out: splitting a block (6.13 refuses it), tables given back before the domain goes.
 */
import { cpuStore } from './access.js';
import { DMA_TO_DEVICE } from './constants.js';
import type { KernelContext, PteWork } from './context.js';
import { objectId } from './ids.js';
import { domainOf, install, remove, replaceDomain, syncIotlb, walks } from './iommu.js';
import { invalidateIotlb } from './iotlb.js';
import {
  entryByte,
  GRANULE,
  type Leaf,
  leafPte,
  leavesOf,
  type Level,
  levelSize,
  PTE_BYTES,
  tablePte,
} from './io-pgtable.js';
import { dsb, syncForDevice } from './maintenance.js';
import { overridden } from './overrides.js';
import { allocatePages, emptySlots, physicalAddress, unused } from './pages.js';
import type { Buffer, Domain, IoTable, Translation } from './state.js';

/** Its page tables are words of memory, which a device walks. */
export function isInMemory(context: KernelContext, domain: Domain | undefined): boolean {
  return domain !== undefined && walks(context, domain);
}

function cleansWalks(context: KernelContext, domain: Domain): boolean {
  return context.machine.devices[domain.device]?.coherentWalk !== true;
}

/** A translation enters the domain: at once, or in page tables, after the work queued so far. */
export function queueInstall(context: KernelContext, id: number, entry: Translation): void {
  const domain = domainOf(context, id);
  if (domain === undefined || !isInMemory(context, domain)) {
    context.queue({ do: 'translate', domain: id, entry });
    return;
  }
  mapInTables(context, domain, entry);
}

/** A range leaves the domain; `sync`: its IOTLB entries too. */
export function queueRemove(
  context: KernelContext,
  id: number,
  iova: number,
  size: number,
  sync: boolean,
): void {
  const domain = domainOf(context, id);
  if (domain === undefined || !isInMemory(context, domain)) {
    context.queue({ do: 'untranslate', domain: id, iova, size, sync });
    return;
  }
  unmapInTables(context, domain, iova, size);
  if (sync) queueInvalidate(context, domain, iova, size);
  // The DMA API's own domains: the flush queue does it at some time.
  else if (id < 0 && !context.machine.iommuStrict)
    context.queue({ do: 'iotlb', domain: id, iova, size, lazily: true });
}

/** TLBI and its sync, after the stores that come before it. */
export function queueInvalidate(
  context: KernelContext,
  domain: Domain,
  iova: number,
  size: number,
): void {
  dsb(context);
  context.queue({ do: 'iotlb', domain: domain.id, iova, size, lazily: false });
}

export const WHOLE_SPACE = { iova: 0, size: Number.MAX_SAFE_INTEGER } as const;

export function doInvalidate(
  context: KernelContext,
  work: { domain: number; iova: number; size: number; lazily: boolean },
): void {
  const domain = domainOf(context, work.domain);
  if (domain === undefined) return;
  if (!isInMemory(context, domain)) syncIotlb(context, domain.id);
  else invalidateIotlb(context, domain, work, { lazily: work.lazily });
  context.say('M12', () =>
    work.lazily ? 'the invalidation waits in the flush queue' : 'IOTLB invalidated',
  );
}

function mapInTables(context: KernelContext, domain: Domain, entry: Translation): void {
  context.recorder.couples?.('page tables in memory');
  const leaves = leavesFor(context, entry);
  for (const { iova, level } of leaves) ensureTables(context, domain.id, iova, level);
  const stores = leaves.flatMap(({ iova, address, level }) =>
    storeAt(context, domain.id, iova, level, () => leafPte(address(), entry.prot, level)),
  );
  queueStores(context, domain, { do: 'pte', stores, domain: domain.id, install: entry });
  context.say('M12', () => 'page table entries stored through the linear map');
  // arm_lpae_map_pages() ends with wmb(): nobody starts a walk before the entries are there.
  dsb(context);
}

interface LazyLeaf {
  readonly iova: number;
  readonly level: Level;
  readonly address: () => number;
}

/** Whole pages, with the largest leaves that contiguous memory allows. */
function leavesFor(context: KernelContext, entry: Translation): readonly LazyLeaf[] {
  const skip = entry.iova % GRANULE;
  const iova = entry.iova - skip;
  const offset = entry.offset - skip;
  const size = Math.ceil((entry.size + skip) / GRANULE) * GRANULE;
  const buffer = context.buffer(entry.buffer);
  const pageAt = (byte: number): number => {
    const page = Math.floor(byte / GRANULE);
    const frame = context.frame(entry.frames.find(([each]) => each === page)?.[1] ?? -1);
    return frame === undefined ? physicalAddress(context, buffer, byte) : frame.pfn * GRANULE;
  };
  if (!buffer.contiguous || size === GRANULE) {
    return Array.from({ length: size / GRANULE }, (_, i) => ({
      iova: iova + i * GRANULE,
      level: 3,
      address: () => pageAt(offset + i * GRANULE),
    }));
  }
  const start = pageAt(offset);
  return leavesOf(iova, start, size).map((each: Leaf) => ({
    ...each,
    address: () => each.address,
  }));
}

/** The word for an address, if some walk reads it. */
function storeAt(
  context: KernelContext,
  id: number,
  iova: number,
  level: Level,
  value: () => number,
): PteWork['stores'] {
  const table = tableOf(domainOf(context, id), iova, level);
  const cell = table && context.layout.tracked(table.buffer, entryByte(iova, level));
  return cell === undefined ? [] : [{ cell: cell.id, value: value() }];
}

function tableOf(domain: Domain | undefined, iova: number, level: Level): IoTable | undefined {
  const span = levelSize(level) * (GRANULE / PTE_BYTES);
  const base = Math.floor(iova / span) * span;
  return domain?.tables?.find((each) => each.level === level && each.iova === base);
}

/** Makes the tables on the way to a leaf that are not there yet. */
function ensureTables(context: KernelContext, id: number, iova: number, last: Level): void {
  for (const level of [1, 2, 3] as const) {
    if (level > last) return;
    const domain = domainOf(context, id);
    if (domain === undefined || tableOf(domain, iova, level) !== undefined) continue;
    const buffer = newTable(context, domain);
    const span = levelSize(level) * (GRANULE / PTE_BYTES);
    const table = { level, iova: Math.floor(iova / span) * span, buffer };
    replaceDomain(context, { ...domain, tables: [...(domain.tables ?? []), table] });
    if (level === 1) continue;
    const above = level === 2 ? 1 : 2;
    const stores = storeAt(context, id, iova, above, () =>
      tablePte(physicalAddress(context, context.buffer(buffer), 0)),
    );
    // arm_lpae_install_table(): dma_wmb() before the table can be found.
    const at = context.step.site;
    context.queue({ do: 'enqueue', entries: [{ kind: 'barrier', scope: 'st', at }] });
    queueStores(context, domain, { do: 'pte', stores, domain: id });
  }
}

/** __arm_lpae_alloc_pages: a zeroed page, mapped for the walker where that means a clean. */
function newTable(context: KernelContext, domain: Domain): number {
  const { buffers } = context.kernel;
  const id = objectId(context, (each) => buffers.some((buffer) => buffer.id === each));
  const buffer: Buffer = {
    id,
    kind: 'pgtable',
    size: GRANULE,
    pages: emptySlots(context, id),
    contiguous: true,
    zone: 'any',
    mapWc: false,
    device: domain.device,
    ...unused,
  };
  context.update({ buffers: [...buffers, buffer] });
  allocatePages(context, id, true);
  for (const slot of context.buffer(id).pages) {
    const frame = slot.state === 'resident' ? context.frame(slot.frame) : undefined;
    if (slot.state === 'resident' && frame !== undefined) {
      context.setFrame(slot.frame, { ...frame, table: true });
    }
  }
  const page = { buffer: id, from: 0, size: GRANULE };
  if (cleansWalks(context, domain)) syncForDevice(context, DMA_TO_DEVICE, page);
  return id;
}

/** Queues stores of entries, and __arm_lpae_sync_pte where walks do not snoop. */
function queueStores(context: KernelContext, domain: Domain, work: PteWork): void {
  context.queue(work);
  if (work.stores.length === 0 || !cleansWalks(context, domain)) return;
  const words = work.stores.flatMap(({ cell }) => context.layout.cells[cell] ?? []);
  for (const id of new Set(words.map(({ buffer }) => buffer))) {
    const bytes = words.filter(({ buffer }) => buffer === id).map(({ offset }) => offset);
    syncEntries(context, domain.device, id, Math.min(...bytes), Math.max(...bytes) + PTE_BYTES);
  }
}

/** dma_sync_single_for_device() of neighbouring entries of a table. */
function syncEntries(
  context: KernelContext,
  device: number,
  id: number,
  from: number,
  to: number,
): void {
  const address = physicalAddress(context, context.buffer(id), from);
  const args = [{ kind: 'device', id: device } as const, address, to - from, DMA_TO_DEVICE];
  if (overridden(context, 'dma_sync_single_for_device', args)) return;
  const range = { buffer: id, from, size: to - from, otherAddress: true };
  syncForDevice(context, DMA_TO_DEVICE, range);
}

function unmapInTables(context: KernelContext, domain: Domain, iova: number, size: number): void {
  const first = Math.floor(iova / GRANULE) * GRANULE;
  const stores: { cell: number; value: number }[] = [];
  for (const entry of domain.entries) {
    if (entry.iova >= iova + size || iova >= entry.iova + entry.size) continue;
    for (const leaf of leavesFor(context, entry)) {
      const end = leaf.iova + levelSize(leaf.level);
      if (leaf.iova >= iova + size || end <= first) continue;
      if (leaf.level < 3 && (leaf.iova < first || end > first + size)) {
        context.contract('iommu_unmap of a part of a block mapping');
      }
      stores.push(...storeAt(context, domain.id, leaf.iova, leaf.level, () => 0));
    }
  }
  queueStores(context, domain, { do: 'pte', stores, domain: domain.id, remove: { iova, size } });
  context.say('M12', () => 'page table entries cleared');
}

/** Entries go into the CPU's store buffer, and the books change. */
export function doPteWork(context: KernelContext, work: PteWork): void {
  for (const { cell: id, value } of work.stores) {
    const cell = context.layout.cells[id];
    const slot = cell && context.buffer(cell.buffer).pages[context.layout.position(cell).page];
    if (cell === undefined || slot?.state !== 'resident') continue;
    cpuStore(context, { frame: slot.frame, cell, refused: null }, 'WB', value);
  }
  if (work.install !== undefined) install(context, work.domain, work.install);
  if (work.remove !== undefined) {
    remove(context, work.domain, work.remove.iova, work.remove.size, true);
  }
}
