/**
 * From the bytes of an event to the call of the sink, by the file's own description of the event.
 * A description is looked up once and becomes a list of places; events whose description lacks what
 * is needed are passed on as `other`, which the report says. Leaves out where events lie
 * (`dat-cursor.ts`).
 *
 * Source: the names of the fields in include/trace/events/{dma,iommu,swiotlb,kmem,vmscan,
 * dma_fence}.h of Linux 6.12 and 7.2; Documentation/trace/events.rst for __data_loc.
 */
import {
  type Direction,
  type EventHead,
  MAPPING_ERROR,
  type TraceSink,
  UNKNOWN,
} from '../events.js';
import { Interner } from './bytes.js';
import type { Cursor } from './dat-cursor.js';
import { type EventFormat, type Field, parseFields } from './dat-format.js';
import { fencePart, Known, knownOf } from './known.js';
import { NumberBuffer } from './lists.js';
import { hasMmio } from './text-events.js';

/** The fields an event may have, whatever its version calls them. */
enum Slot {
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

/** Calls the sink. */
export class DatEvents {
  private readonly names = new Interner();
  private readonly phys = new NumberBuffer();
  private readonly dma = new NumberBuffer();
  private readonly lengths = new NumberBuffer();

  constructor(private readonly sink: TraceSink) {}

  /** Passes the cursor's event on; false when its bytes were not enough and it went to `other`. */
  emit(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { known } = decoder;
    if (known < 0) {
      this.sink.other(head);
      return true;
    }
    if (cursor.length < decoder.bytes) {
      // The length is rounded up to words, the last field may end before.
      if (cursor.length < ((decoder.bytes + 3) & ~3)) return this.refuse(head);
    }
    if (known >= Known.IommuMap) return this.emitOther(decoder, head, cursor);
    if (known >= Known.AllocSgt && known <= Known.UnmapSg) {
      return this.emitList(decoder, head, cursor);
    }
    if (known >= Known.SyncSgForCpu) return this.emitSyncSg(decoder, head, cursor);
    return this.emitSingle(decoder, head, cursor);
  }

  private refuse(head: EventHead): boolean {
    this.sink.other(head);
    return false;
  }

  private emitSingle(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at } = decoder;
    const device = this.word(cursor, at[Slot.Device]!);
    if (device === null) return this.refuse(head);
    const { words } = cursor;
    const base = cursor.data >> 2;
    const dma = number(words, base, decoder, Slot.Dma);
    const size = number(words, base, decoder, Slot.Size);
    const dir = direction(words[base + at[Slot.Dir]!]!);
    const { known } = decoder;
    if (known === Known.SyncSingleForDevice || known === Known.SyncSingleForCpu) {
      this.sink.syncSingle(head, known === Known.SyncSingleForCpu, device, dma, size, dir);
      return true;
    }
    const attrs = at[Slot.Attrs]! < 0 ? 0 : number(words, base, decoder, Slot.Attrs);
    if (known <= Known.MapPhys) {
      const phys = number(words, base, decoder, Slot.Phys);
      const kind = singleKind(known, Known.MapPage, attrs);
      this.sink.mapSingle(head, kind, device, phys, dma, size, dir, attrs);
    } else if (known <= Known.UnmapPhys) {
      const kind = singleKind(known, Known.UnmapPage, attrs);
      this.sink.unmapSingle(head, kind, device, dma, size, dir, attrs);
    } else {
      const virt = pointer(words, base, decoder);
      const kind = known === Known.Alloc || known === Known.Free ? 'coherent' : 'pages';
      if (known <= Known.AllocPages) {
        this.sink.alloc(head, kind, device, virt, dma, size, dir, attrs);
      } else this.sink.free(head, kind, device, virt, dma, size, dir, attrs);
    }
    return true;
  }

  /** dma_map_sg and the others with physical addresses. */
  private emitList(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known } = decoder;
    const { sink, phys } = this;
    const { words } = cursor;
    const base = cursor.data >> 2;
    const device = this.word(cursor, at[Slot.Device]!);
    if (device === null || !fillWide(phys, cursor, at[Slot.PhysList]!)) return this.refuse(head);
    const dir = direction(words[base + at[Slot.Dir]!]!);
    const attrs = at[Slot.Attrs]! < 0 ? 0 : number(words, base, decoder, Slot.Attrs);
    if (known === Known.UnmapSg) sink.unmapSg(head, device, phys, dir, attrs);
    else if (known === Known.MapSgErr) {
      const error = at[Slot.Err]! < 0 ? UNKNOWN : words[base + at[Slot.Err]!]! | 0;
      sink.mapSgError(head, device, phys, error, dir, attrs);
    } else if (known === Known.MapSg) {
      if (!fillWide(this.dma, cursor, at[Slot.DmaList]!)) return this.refuse(head);
      if (!fillNarrow(this.lengths, cursor, at[Slot.Lengths]!)) return this.refuse(head);
      const nents = at[Slot.Nents]! < 0 ? UNKNOWN : words[base + at[Slot.Nents]!]! | 0;
      const ents = at[Slot.Ents]! < 0 ? UNKNOWN : words[base + at[Slot.Ents]!]! | 0;
      const cut = at[Slot.Flag]! >= 0 && cursor.bytes[cursor.data + at[Slot.Flag]!] !== 0;
      const { dma, lengths } = this;
      sink.mapSg(head, device, nents, ents, cut, phys, dma, lengths, dir, attrs);
    } else {
      const dma = number(words, base, decoder, Slot.Dma);
      const size = number(words, base, decoder, Slot.Size);
      if (known === Known.AllocSgt) sink.allocSgt(head, device, phys, dma, size, dir, attrs);
      else sink.freeSgt(head, device, phys, dma, size, dir);
    }
    return true;
  }

  private emitSyncSg(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known } = decoder;
    const device = this.word(cursor, at[Slot.Device]!);
    if (device === null || !fillWide(this.dma, cursor, at[Slot.DmaList]!)) return this.refuse(head);
    if (!fillNarrow(this.lengths, cursor, at[Slot.Lengths]!)) return this.refuse(head);
    const dir = direction(cursor.words[(cursor.data >> 2) + at[Slot.Dir]!]!);
    const forCpu = known === Known.SyncSgForCpu;
    this.sink.syncSg(head, forCpu, device, this.dma, this.lengths, dir);
    return true;
  }

  /** Everything but dma. */
  private emitOther(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { known, at } = decoder;
    const { sink } = this;
    const { words } = cursor;
    const base = cursor.data >> 2;
    if (known === Known.IommuMap) {
      const size = number(words, base, decoder, Slot.Size);
      const phys = number(words, base, decoder, Slot.Phys);
      sink.iommuMap(head, number(words, base, decoder, Slot.Dma), phys, size);
      return true;
    }
    if (known === Known.IommuUnmap) {
      const size = number(words, base, decoder, Slot.Size);
      const done = at[Slot.Other]! < 0 ? UNKNOWN : number(words, base, decoder, Slot.Other);
      sink.iommuUnmap(head, number(words, base, decoder, Slot.Dma), size, done);
      return true;
    }
    if (known === Known.PageFree) {
      const order = words[base + at[Slot.Order]!]!;
      sink.pageFree(head, number(words, base, decoder, Slot.Phys), order);
      return true;
    }
    if (known === Known.PageAlloc) {
      const pfn = number(words, base, decoder, Slot.Phys);
      // All ones: the allocation failed.
      if (pfn < 0) sink.other(head);
      else sink.pageAlloc(head, pfn, words[base + at[Slot.Order]!]!);
      return true;
    }
    if (known === Known.WriteFolio) {
      sink.pageWrittenOut(head, number(words, base, decoder, Slot.Phys));
      return true;
    }
    return known >= Known.FenceEmit
      ? this.emitFence(decoder, head, cursor)
      : this.emitNamed(decoder, head, cursor);
  }

  private emitFence(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known } = decoder;
    const driver = this.word(cursor, at[Slot.Driver]!);
    const timeline = this.word(cursor, at[Slot.Timeline]!);
    if (driver === null || timeline === null) return this.refuse(head);
    const { words } = cursor;
    const base = cursor.data >> 2;
    const context = number(words, base, decoder, Slot.Context);
    const seqno = number(words, base, decoder, Slot.Seqno);
    this.sink.fence(head, fencePart(known), driver, timeline, context, seqno);
    return true;
  }

  /** Attach, detach, fault, bounce. */
  private emitNamed(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known } = decoder;
    const device = this.word(cursor, at[Slot.Device]!);
    if (device === null) return this.refuse(head);
    const { words } = cursor;
    const base = cursor.data >> 2;
    if (known === Known.Attach || known === Known.Detach) {
      this.sink.iommuAttach(head, device, known === Known.Attach);
    } else if (known === Known.IoPageFault) {
      const driver = at[Slot.Driver]! < 0 ? '' : this.word(cursor, at[Slot.Driver]!);
      if (driver === null) return this.refuse(head);
      const flags = at[Slot.Flags]! < 0 ? 0 : words[base + at[Slot.Flags]!]! | 0;
      this.sink.ioPageFault(head, device, driver, number(words, base, decoder, Slot.Dma), flags);
    } else {
      const mask = at[Slot.Other]! < 0 ? UNKNOWN : number(words, base, decoder, Slot.Other);
      const force = at[Slot.Flag]! >= 0 && cursor.bytes[cursor.data + at[Slot.Flag]!] === 1;
      const phys = number(words, base, decoder, Slot.Phys);
      const size = number(words, base, decoder, Slot.Size);
      this.sink.bounced(head, device, mask, phys, size, force);
    }
    return true;
  }

  /** The string that a __data_loc word at `slot` points to, null when it points outside. */
  private word(cursor: Cursor, slot: number): string | null {
    const place = cursor.words[(cursor.data >> 2) + slot]!;
    const length = place >>> 16;
    const start = place & 0xffff;
    if (start + length > cursor.length) return null;
    if (length === 0) return '';
    const from = cursor.data + start;
    const end = from + length;
    return this.names.intern(cursor.bytes, from, cursor.bytes[end - 1] === 0 ? end - 1 : end);
  }
}

/** A 64- or 32-bit number; all 64 bits set is MAPPING_ERROR. */
function number(words: Uint32Array, base: number, decoder: Decoder, slot: Slot): number {
  const place = base + decoder.at[slot]!;
  const low = words[place]!;
  if (decoder.wide[slot] === 0) return low;
  const high = words[place + 1]!;
  if (high === 0xffffffff && low === 0xffffffff) return MAPPING_ERROR;
  return high * 4294967296 + low;
}

function direction(value: number): Direction {
  return value <= 3 ? value : UNKNOWN;
}

/** A pointer as `pointerToken` of the text gives it. */
function pointer(words: Uint32Array, base: number, decoder: Decoder): string {
  const slot = decoder.at[Slot.Virt]!;
  if (slot < 0) return '';
  const low = words[base + slot]!;
  const high = decoder.wide[Slot.Virt] === 0 ? 0 : words[base + slot + 1]!;
  return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
}

/** The u64 elements of a dynamic array; false when it lies outside the event. */
function fillWide(into: NumberBuffer, cursor: Cursor, slot: number): boolean {
  const place = cursor.words[(cursor.data >> 2) + slot]!;
  const length = place >>> 16;
  const start = place & 0xffff;
  if (start + length > cursor.length) return false;
  const count = length >> 3;
  into.reserve(count);
  into.length = count;
  const { words } = cursor;
  const from = cursor.data + start;
  const values = into.values;
  for (let i = 0; i < count; i++) {
    const low = wordAt(words, from + i * 8);
    const high = wordAt(words, from + i * 8 + 4);
    const ones = high === 0xffffffff && low === 0xffffffff;
    values[i] = ones ? MAPPING_ERROR : high * 4294967296 + low;
  }
  return true;
}

/** The same for elements of 32 bits. */
function fillNarrow(into: NumberBuffer, cursor: Cursor, slot: number): boolean {
  const place = cursor.words[(cursor.data >> 2) + slot]!;
  const length = place >>> 16;
  const start = place & 0xffff;
  if (start + length > cursor.length) return false;
  const count = length >> 2;
  into.reserve(count);
  into.length = count;
  const from = cursor.data + start;
  for (let i = 0; i < count; i++) into.values[i] = wordAt(cursor.words, from + i * 4);
  return true;
}

/** Four bytes at any place: arrays follow the device's name without padding. */
function wordAt(words: Uint32Array, at: number): number {
  const shift = (at & 3) << 3;
  const low = words[at >> 2]!;
  if (shift === 0) return low;
  return ((low >>> shift) | (words[(at >> 2) + 1]! << (32 - shift))) >>> 0;
}

function singleKind(known: Known, plain: Known, attrs: number): 'page' | 'resource' {
  if (known === plain) return 'page';
  if (known === plain + 1) return 'resource';
  return hasMmio(attrs) ? 'resource' : 'page';
}
