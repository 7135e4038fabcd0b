/**
 * The file's own description of an event, looked up once: where each field lies that is of use.
 * Fields are known by name and form, never by the version of a kernel. Leaves out the reading of
 * events (`dat-decode.ts`).
 *
 * Source: the names of the fields in include/trace/events/{dma,iommu,swiotlb,kmem,vmscan,
 * dma_fence}.h of Linux 6.12 and 7.2; Documentation/trace/events.rst for __data_loc.
 */
import { type EventFormat, type Field, parseFields } from './dat-format.js';
import { Known, knownOf } from './known.js';

/** The fields an event may have, whatever its version calls them. */
export enum Slot {
  Device,
  Driver,
  Timeline,
  PhysList,
  DmaList,
  Lengths,
  Dma,
  Phys,
  Size,
  Other,
  Attrs,
  Virt,
  Dir,
  Nents,
  Ents,
  Err,
  Order,
  Context,
  Seqno,
  Flags,
  Flag,
  Count,
}

/** Names of the fields, by slot. */
const slotNames: readonly (readonly string[])[] = [
  ['device', 'dev_name'],
  ['driver'],
  ['timeline'],
  ['phys_addrs', 'addrs'],
  ['dma_addrs'],
  ['lengths'],
  ['dma_addr', 'addr', 'iova'],
  ['phys_addr', 'paddr', 'dev_addr', 'pfn'],
  ['size'],
  ['unmapped_size', 'dma_mask'],
  ['attrs'],
  ['virt_addr'],
  ['dir'],
  ['full_nents'],
  ['full_ents'],
  ['err'],
  ['order'],
  ['context'],
  ['seqno'],
  ['flags'],
  ['truncated', 'force'],
];

const needs = (...slots: Slot[]): readonly Slot[] => slots;
const single = needs(Slot.Device, Slot.Dma, Slot.Size, Slot.Dir);
const list = needs(Slot.Device, Slot.PhysList, Slot.Dir);
const sgt = needs(Slot.Device, Slot.PhysList, Slot.Dma, Slot.Size, Slot.Dir);
const fence = needs(Slot.Driver, Slot.Timeline, Slot.Context, Slot.Seqno);

/** What an event cannot do without. */
function neededBy(known: Known): readonly Slot[] {
  if (known <= Known.MapPhys) return [...single, Slot.Phys];
  if (known <= Known.FreePages) return single;
  if (known <= Known.FreeSgt) return sgt;
  if (known === Known.MapSg) return [...list, Slot.DmaList, Slot.Lengths];
  if (known <= Known.UnmapSg) return list;
  if (known <= Known.SyncSingleForDevice) return single;
  if (known <= Known.SyncSgForDevice) return [Slot.Device, Slot.DmaList, Slot.Lengths, Slot.Dir];
  if (known === Known.IommuMap) return [Slot.Dma, Slot.Phys, Slot.Size];
  if (known === Known.IommuUnmap) return [Slot.Dma, Slot.Size];
  if (known <= Known.Detach) return [Slot.Device];
  if (known === Known.IoPageFault) return [Slot.Device, Slot.Dma];
  if (known === Known.Bounced) return [Slot.Device, Slot.Phys, Slot.Size];
  if (known <= Known.PageFree) return [Slot.Phys, Slot.Order];
  if (known === Known.WriteFolio) return [Slot.Phys];
  return fence;
}

/** One type of event of a file. */
export interface Decoder {
  readonly name: string;
  /** `Known`, or -1 for an event that only counts. */
  readonly known: number;
  /** Place of each slot's field in 4-byte words, -1 when there is none; of `Flag` in bytes. */
  readonly at: Int32Array;
  /** By slot: 1 when the number has eight bytes. */
  readonly wide: Uint8Array;
  /** Bytes that an event of this type has at least. */
  readonly bytes: number;
  /** Fields that are needed and missing. */
  readonly missing: readonly string[];
  count: number;
}

/** Looks a description up. */
export function compile(format: EventFormat): Decoder {
  const known = knownOf(format.system, format.name);
  const at = new Int32Array(Slot.Count).fill(-1);
  const wide = new Uint8Array(Slot.Count);
  const decoder = { name: format.name, at, wide, count: 0 };
  if (known < 0) return { ...decoder, known, bytes: 0, missing: [] };
  const fields = parseFields(format.text);
  let bytes = 8;
  for (let slot = 0; slot < Slot.Count; slot++) {
    const field = fields.find(({ name }) => slotNames[slot]!.includes(name));
    if (field === undefined || !suits(slot, field)) continue;
    at[slot] = slot === Slot.Flag ? field.offset : field.offset >> 2;
    wide[slot] = field.size === 8 ? 1 : 0;
    bytes = Math.max(bytes, field.offset + field.size);
  }
  const missing = neededBy(known)
    .filter((slot) => at[slot] === -1)
    .map((slot) => slotNames[slot]!.join(' or '));
  return { ...decoder, known: missing.length > 0 ? -1 : known, bytes, missing };
}

/** Whether a field has the form that its slot is read in. */
function suits(slot: Slot, field: Field): boolean {
  if (field.offset > 4096) return false;
  if (slot <= Slot.Lengths) return field.type.startsWith('__data_loc') && field.offset % 4 === 0;
  if (slot === Slot.Flag) return field.size === 1;
  return field.offset % 4 === 0 && (field.size === 4 || field.size === 8);
}
