/**
 * The file's own description of an event, looked up once: where each field lies that is of use.
 * Fields are known by name and form, never by the version of a kernel. Leaves out the reading of
 * events (`dat-decode.ts`).
 *
 * Source: the names of the fields in include/trace/events/{dma,iommu,swiotlb,kmem,vmscan,
 * dma_fence}.h of Linux 6.12 and 7.2; Documentation/trace/events.rst for __data_loc.
 */
import { MAPPING_ERROR, UNKNOWN } from '../events.js';
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

/** Slots of numbers are those from the first to the last, but for pointers, which are tokens. */
const firstNumber = Slot.Dma;
const lastNumber = Slot.Flags;

/** What an event that has no such field is taken to say. */
function absent(slot: Slot): number {
  return slot === Slot.Attrs || slot === Slot.Flags ? 0 : UNKNOWN;
}

/** One type of event of a file. */
export class Decoder {
  /** Place of each slot's field in 4-byte words, -1 when there is none; of `Flag` in bytes. */
  readonly at = new Int32Array(Slot.Count).fill(-1);
  /** By slot: 1 when the number has eight bytes. */
  readonly wide = new Uint8Array(Slot.Count);
  /** Numbers of the event that was read last, by slot. */
  readonly values = new Float64Array(Slot.Count);
  /** Slots that `readNumbers` fills. */
  private slots = new Int32Array(0);
  count = 0;
  /** Number of the device of the last event in the table of names; the next is often the same. */
  device = 0;

  constructor(
    readonly name: string,
    /** `Known`, or -1 for an event that only counts. */
    public known: number,
    /** Bytes that an event of this type has at least. */
    public bytes: number,
    /** Fields that are needed and missing. */
    public missing: readonly string[],
  ) {}

  /** Call once, when `at` and `wide` are complete. */
  settle(): void {
    const slots: number[] = [];
    for (let slot = firstNumber; slot <= lastNumber; slot++) {
      this.values[slot] = absent(slot);
      if (this.at[slot]! >= 0 && slot !== Slot.Virt) slots.push(slot);
    }
    this.slots = Int32Array.from(slots);
  }

  /**
   * Fills `values` from the event at `base`, in words. One loop for all fields of all events: V8
   * compiles it once, and early, where a line per field would be compiled again in each caller.
   */
  readNumbers(words: Uint32Array, base: number): void {
    const { slots, at, wide, values } = this;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      const place = base + at[slot]!;
      const low = words[place]!;
      if (wide[slot] === 0) {
        values[slot] = low;
        continue;
      }
      const high = words[place + 1]!;
      const ones = high === 0xffffffff && low === 0xffffffff;
      values[slot] = ones ? MAPPING_ERROR : high * 4294967296 + low;
    }
  }
}

/** Looks a description up. */
export function compile(format: EventFormat): Decoder {
  const known = knownOf(format.system, format.name);
  const decoder = new Decoder(format.name, known, 0, []);
  if (known < 0) return decoder;
  const fields = parseFields(format.text);
  decoder.bytes = 8;
  for (let slot = 0; slot < Slot.Count; slot++) {
    const field = fields.find(({ name }) => slotNames[slot]!.includes(name));
    if (field === undefined || !suits(slot, field)) continue;
    decoder.at[slot] = slot === Slot.Flag ? field.offset : field.offset >> 2;
    decoder.wide[slot] = field.size === 8 ? 1 : 0;
    decoder.bytes = Math.max(decoder.bytes, field.offset + field.size);
  }
  decoder.missing = neededBy(known)
    .filter((slot) => decoder.at[slot] === -1)
    .map((slot) => slotNames[slot]!.join(' or '));
  if (decoder.missing.length > 0) decoder.known = -1;
  decoder.settle();
  return decoder;
}

/** Whether a field has the form that its slot is read in. */
function suits(slot: Slot, field: Field): boolean {
  if (field.offset > 4096) return false;
  if (slot <= Slot.Lengths) return field.type.startsWith('__data_loc') && field.offset % 4 === 0;
  if (slot === Slot.Flag) return field.size === 1;
  return field.offset % 4 === 0 && (field.size === 4 || field.size === 8);
}
