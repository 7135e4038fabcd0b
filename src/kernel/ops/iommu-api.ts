/** Operations: the IOMMU API (K6, M12). Source: drivers/iommu/iommu.c. */
import { deviceArg, fail, handle, int, sgCount, sgRanges, sgtArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { type Place, physicalPlace } from '../dma-address.js';
import { objectId } from '../ids.js';
import { domainOf, install, remove, setAttached, syncIotlb, translationFor } from '../iommu.js';
import {
  isInMemory,
  queueInstall,
  queueInvalidate,
  queueRemove,
  WHOLE_SPACE,
} from '../io-tables.js';
import type { Range } from '../maintenance.js';
import { framesIn, pagesIn } from '../pages.js';
import { overriddenValue, syncsIotlb } from '../overrides.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Operation, Param } from '../registry.js';
import type { Domain, Piece, Translation } from '../state.js';
import { NULL, type Value } from '../value.js';

type Args = readonly Value[];

/** An empty domain, named after the running call. */
export function addDomain(
  context: KernelContext,
  made: Omit<Domain, 'id' | 'entries' | 'stale'>,
): { readonly kind: 'domain'; readonly id: number } {
  const { domains } = context.kernel;
  const id = objectId(context, (each) => domains.some((domain) => domain.id === each));
  context.update({ domains: [...domains, { id, ...made, entries: [], stale: [] }] });
  return { kind: 'domain', id };
}

function allocDomain(context: KernelContext, args: Args): Value {
  const device = deviceArg(context, args[0]);
  const domain = addDomain(context, { device, ...clientOption(context) });
  if (context.option('ttbr1') !== 0) {
    const others = context.kernel.contexts.filter((each) => each.device !== device);
    context.update({ contexts: [...others, { device, ttbr0: -1, ttbr1: domain.id }] });
  }
  return domain;
}

/** `.client = N`: whose address space a domain is. */
export function clientOption(context: KernelContext): Pick<Domain, 'client'> {
  const client = context.option('client');
  return client === 0 ? {} : { client };
}

export function domainArg(context: KernelContext, value: Value | undefined): Domain {
  const id = handle(context, value, 'domain');
  return domainOf(context, id) ?? fail(context, 'this domain was freed');
}

function attachDevice(attached: boolean) {
  return (context: KernelContext, args: Args): Value => {
    const domain = domainArg(context, args[0]);
    setAttached(context, domain, deviceArg(context, args[1]), attached);
    return 0;
  };
}

/** Installs translations for the ranges, one after the other; the bytes that were mapped. */
export function mapInto(
  context: KernelContext,
  args: Args,
  ranges: readonly Range[],
  prot: number,
): number {
  const bytes = context.machine.pageSize;
  const aligned = ranges.every(({ from, size }) => from % bytes === 0 && size % bytes === 0);
  if (int(args[1]) % bytes !== 0 || !aligned) {
    context.contract('iommu: unaligned iova, address or size');
    return 0;
  }
  let iova = int(args[1]);
  for (const { buffer, from: offset, size, frames: known } of ranges) {
    const frames = known ?? framesIn(context, context.buffer(buffer), offset, size);
    if (frames.length < pagesIn(context, buffer, offset, size)) {
      context.contract('maps an object whose pages are not resident');
      return 0;
    }
    const piece = { address: iova, buffer, offset, size, frames };
    installNow(context, handle(context, args[0], 'domain'), translationFor(piece, prot));
    iova += size;
  }
  context.say('M12', () => 'translation installed; no CPU cache maintenance');
  return iova - int(args[1]);
}

/** The books change at once; page tables in memory by stores that follow. */
function installNow(context: KernelContext, id: number, entry: Translation): void {
  if (isInMemory(context, domainOf(context, id))) queueInstall(context, id, entry);
  else install(context, id, entry);
}

function iommuMap(context: KernelContext, args: Args): Value {
  const place = physicalPlace(context, int(args[2]));
  if (place === null) return fail(context, 'no page at this physical address');
  const { buffer, offset: from } = place;
  const slot = slotAt(context, place, int(args[1]), int(args[3]));
  if (slot === null) {
    mapInto(context, args, [{ buffer, from, size: int(args[3]) }], int(args[4]));
  } else {
    installNow(context, handle(context, args[0], 'domain'), translationFor(slot, int(args[4])));
    context.say('K9', () => 'the translation leads to a bounce buffer');
  }
  return 0;
}

/** A driver that maps bus addresses maps bounce buffers; what stands there is not theirs (K9). */
function slotAt(context: KernelContext, place: Place, address: number, size: number): Piece | null {
  for (const piece of context.kernel.mappings.flatMap(({ pieces }) => pieces)) {
    const { slot } = piece;
    const shift = place.offset - (slot?.offset ?? 0);
    if (slot?.buffer !== place.buffer || shift < 0 || shift >= piece.size) continue;
    const { buffer, offset, frames } = piece;
    const into = { ...slot, offset: place.offset };
    return { address, buffer, offset: offset + shift, size, frames, slot: into };
  }
  return null;
}

/** The pages are those the table names, also where the object has others by now. */
function iommuMapSgtable(context: KernelContext, args: Args): Value {
  const [domain = 0, iova = 0, sgt = 0, prot = 0] = args;
  const table = sgtArg(context, sgt);
  const given = [domain, iova, sgt, sgCount(context, table), prot];
  const mapped = overriddenValue(context, 'iommu_map_sg', given);
  return mapped ?? mapInto(context, args, sgRanges(context, table), int(prot));
}

function iommuUnmap(sync: boolean) {
  return (context: KernelContext, args: Args): Value => {
    const id = handle(context, args[0], 'domain');
    const own = sync && context.overrides.has('iommu_iotlb_sync');
    const removed = removeRange(context, id, int(args[1]), int(args[2]), sync && !own);
    if (own) syncsIotlb(context, id);
    if (removed < int(args[2])) {
      context.contract(`iommu_unmap of ${int(args[2])} bytes found ${removed} mapped`);
    }
    context.say('M12', () =>
      sync ? 'translation removed, IOTLB synced' : 'translation removed; the IOTLB may keep it',
    );
    return removed;
  };
}

/** Bytes that were mapped and go. */
export function removeRange(
  context: KernelContext,
  id: number,
  iova: number,
  size: number,
  sync: boolean,
): number {
  const domain = domainOf(context, id);
  if (!isInMemory(context, domain)) return remove(context, id, iova, size, sync);
  const inside = (domain?.entries ?? []).map((each) => {
    const from = Math.max(each.iova, iova);
    return Math.max(0, Math.min(each.iova + each.size, iova + size) - from);
  });
  queueRemove(context, id, iova, size, sync);
  return inside.reduce((sum, each) => sum + each, 0);
}

/** Invalidates what was left behind, in every IOMMU that the domain is in. */
export function iotlbSync(context: KernelContext, args: Args): Value {
  const domain = domainArg(context, args[0]);
  if (isInMemory(context, domain)) {
    queueInvalidate(context, domain, WHOLE_SPACE.iova, WHOLE_SPACE.size);
  } else if (context.work.length > 0) {
    context.queue({ do: 'iotlb', domain: domain.id, ...WHOLE_SPACE, lazily: false });
  } else syncIotlb(context, domain.id);
  context.say('M12', () => 'IOTLB invalidated');
  return 0;
}

function domainFree(context: KernelContext, args: Args): Value {
  const id = handle(context, args[0], 'domain');
  const domain = domainOf(context, id);
  if (domain === undefined) context.contract('iommu_domain_free twice');
  context.update({ domains: context.kernel.domains.filter((each) => each.id !== id) });
  return 0;
}

const domain: Param = { name: 'domain', kinds: ['domain'] };
const iova: Param = { name: 'iova', kinds: ['int', 'dma'] };
const size: Param = { name: 'size', kinds: ['int'] };
const prot: Param = { name: 'prot', kinds: ['prot'] };
const dev: Param = { name: 'dev', kinds: ['device'] };

function iommu(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Operation['effect'],
  removable?: 'drop',
): Operation {
  const plain: Operation = {
    name,
    family: 'IOMMU API',
    where: 'cpu',
    returns,
    params,
    doc,
    effect,
    rules: ['K6', 'M12'],
    source: 'drivers/iommu/iommu.c',
  };
  return removable === undefined ? plain : { ...plain, removable };
}

const ttbr1Option = {
  name: 'ttbr1',
  kind: 'bool',
  doc: "adreno's split tables: addresses with bit 48 go by this domain, others by TTBR0",
} as const;

export const domainOfClient = {
  name: 'client',
  kind: 'int',
  doc: 'whose address space it is, from 1 on, as in drm_gem_handle_create; 0: nobody in particular',
} as const;

const rows: readonly Operation[] = [
  {
    ...iommu(
      'iommu_domain_alloc',
      'domain',
      [dev],
      "a domain of the driver's own for this device (6.12: iommu_paging_domain_alloc)",
      allocDomain,
    ),
    options: [ttbr1Option, domainOfClient],
  },
  {
    ...iommu(
      'iommu_paging_domain_alloc',
      'domain',
      [dev],
      "a domain of the driver's own for this device",
      allocDomain,
    ),
    options: [ttbr1Option, domainOfClient],
  },
  iommu('iommu_domain_free', 'void', [domain], 'the domain and its translations go', domainFree),
  iommu(
    'iommu_attach_device',
    'int',
    [domain, dev],
    "the domain translates this device's accesses too; iommu_domain_alloc attaches its own",
    attachDevice(true),
  ),
  iommu(
    'iommu_detach_device',
    'void',
    [domain, dev],
    "the domain translates this device's accesses no more: they fault",
    attachDevice(false),
  ),
  iommu(
    'iommu_map',
    'int',
    [
      domain,
      iova,
      { name: 'paddr', kinds: ['phys'] },
      size,
      prot,
      { name: 'gfp', kinds: ['gfp'], optional: true },
    ],
    'installs a translation; no CPU cache maintenance of the pages',
    iommuMap,
  ),
  iommu(
    'iommu_map_sgtable',
    'int',
    [domain, iova, { name: 'sgt', kinds: ['sgt'] }, prot],
    'installs translations for a whole table; no CPU cache maintenance',
    iommuMapSgtable,
  ),
  iommu(
    'iommu_unmap',
    'int',
    [domain, iova, size],
    'removes the translation and syncs the IOTLB',
    iommuUnmap(true),
  ),
  iommu(
    'iommu_unmap_fast',
    'int',
    [domain, iova, size],
    'removes the translation; the IOTLB keeps it until iommu_iotlb_sync',
    iommuUnmap(false),
  ),
  iommu(
    'iommu_iotlb_sync',
    'void',
    [domain],
    'invalidates what iommu_unmap_fast left behind',
    iotlbSync,
    'drop',
  ),
];

export const iommuOperations = withFailures(rows, {
  fails: {
    iommu_domain_alloc: NULL,
    iommu_paging_domain_alloc: ENOMEM,
    iommu_map: ENOMEM,
    iommu_map_sgtable: ENOMEM,
  },
});
