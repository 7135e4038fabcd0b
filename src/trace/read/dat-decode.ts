/**
 * From the bytes of an event to the call of the sink, by the places that `dat-compile.ts` found in
 * the file's own description; events whose description lacks what is needed are passed on as
 * `other`, which the report says. Leaves out where events lie (`dat-cursor.ts`).
 */
import {
  type Direction,
  type EventHead,
  MAPPING_ERROR,
  type TraceSink,
  UNKNOWN,
} from '../events.js';
import { Interner } from './bytes.js';
import { type Decoder, Slot } from './dat-compile.js';
import type { Cursor } from './dat-cursor.js';
import { fencePart, Known } from './known.js';
import { NumberBuffer } from './lists.js';
import { hasMmio } from './text-events.js';

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
