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
    decoder.readNumbers(cursor.words, cursor.data >> 2);
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
    const device = this.deviceOf(decoder, cursor);
    if (device === null) return this.refuse(head);
    const { known, values } = decoder;
    const dma = values[Slot.Dma]!;
    const size = values[Slot.Size]!;
    const dir = direction(values[Slot.Dir]!);
    if (known === Known.SyncSingleForDevice || known === Known.SyncSingleForCpu) {
      this.sink.syncSingle(head, known === Known.SyncSingleForCpu, device, dma, size, dir);
      return true;
    }
    const attrs = attributes(values[Slot.Attrs]!);
    if (known <= Known.MapPhys) {
      const kind = singleKind(known, Known.MapPage, attrs);
      this.sink.mapSingle(head, kind, device, values[Slot.Phys]!, dma, size, dir, attrs);
    } else if (known <= Known.UnmapPhys) {
      const kind = singleKind(known, Known.UnmapPage, attrs);
      this.sink.unmapSingle(head, kind, device, dma, size, dir, attrs);
    } else {
      const virt = pointer(cursor.words, cursor.data >> 2, decoder);
      const kind = known === Known.Alloc || known === Known.Free ? 'coherent' : 'pages';
      if (known <= Known.AllocPages) {
        this.sink.alloc(head, kind, device, virt, dma, size, dir, attrs);
      } else this.sink.free(head, kind, device, virt, dma, size, dir, attrs);
    }
    return true;
  }

  /** dma_map_sg and the others with physical addresses. */
  private emitList(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known, values } = decoder;
    const { sink, phys } = this;
    const device = this.deviceOf(decoder, cursor);
    if (device === null || !fillWide(phys, cursor, at[Slot.PhysList]!)) return this.refuse(head);
    const dir = direction(values[Slot.Dir]!);
    const attrs = attributes(values[Slot.Attrs]!);
    if (known === Known.UnmapSg) sink.unmapSg(head, device, phys, dir, attrs);
    else if (known === Known.MapSgErr) {
      sink.mapSgError(head, device, phys, values[Slot.Err]! | 0, dir, attrs);
    } else if (known === Known.MapSg) {
      if (!fillWide(this.dma, cursor, at[Slot.DmaList]!)) return this.refuse(head);
      if (!fillNarrow(this.lengths, cursor, at[Slot.Lengths]!)) return this.refuse(head);
      const nents = values[Slot.Nents]! | 0;
      const ents = values[Slot.Ents]! | 0;
      const cut = at[Slot.Flag]! >= 0 && cursor.bytes[cursor.data + at[Slot.Flag]!] !== 0;
      const { dma, lengths } = this;
      sink.mapSg(head, device, nents, ents, cut, phys, dma, lengths, dir, attrs);
    } else {
      const dma = values[Slot.Dma]!;
      const size = values[Slot.Size]!;
      if (known === Known.AllocSgt) sink.allocSgt(head, device, phys, dma, size, dir, attrs);
      else sink.freeSgt(head, device, phys, dma, size, dir);
    }
    return true;
  }

  private emitSyncSg(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known } = decoder;
    const device = this.deviceOf(decoder, cursor);
    if (device === null || !fillWide(this.dma, cursor, at[Slot.DmaList]!)) return this.refuse(head);
    if (!fillNarrow(this.lengths, cursor, at[Slot.Lengths]!)) return this.refuse(head);
    const dir = direction(decoder.values[Slot.Dir]!);
    const forCpu = known === Known.SyncSgForCpu;
    this.sink.syncSg(head, forCpu, device, this.dma, this.lengths, dir);
    return true;
  }

  /** Everything but dma. */
  private emitOther(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { known, values } = decoder;
    const { sink } = this;
    if (known === Known.IommuMap) {
      sink.iommuMap(head, values[Slot.Dma]!, values[Slot.Phys]!, values[Slot.Size]!);
    } else if (known === Known.IommuUnmap) {
      sink.iommuUnmap(head, values[Slot.Dma]!, values[Slot.Size]!, values[Slot.Other]!);
    } else if (known === Known.PageFree) {
      sink.pageFree(head, values[Slot.Phys]!, values[Slot.Order]!);
    } else if (known === Known.PageAlloc) {
      const pfn = values[Slot.Phys]!;
      // All ones: the allocation failed.
      if (pfn < 0) sink.other(head);
      else sink.pageAlloc(head, pfn, values[Slot.Order]!);
    } else if (known === Known.WriteFolio) sink.pageWrittenOut(head, values[Slot.Phys]!);
    else if (known >= Known.FenceEmit) return this.emitFence(decoder, head, cursor);
    else return this.emitNamed(decoder, head, cursor);
    return true;
  }

  private emitFence(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known, values } = decoder;
    const driver = this.word(cursor, at[Slot.Driver]!);
    const timeline = this.word(cursor, at[Slot.Timeline]!);
    if (driver === null || timeline === null) return this.refuse(head);
    const context = values[Slot.Context]!;
    const seqno = values[Slot.Seqno]!;
    this.sink.fence(head, fencePart(known), driver, timeline, context, seqno);
    return true;
  }

  /** Attach, detach, fault, bounce. */
  private emitNamed(decoder: Decoder, head: EventHead, cursor: Cursor): boolean {
    const { at, known, values } = decoder;
    const device = this.deviceOf(decoder, cursor);
    if (device === null) return this.refuse(head);
    if (known === Known.Attach || known === Known.Detach) {
      this.sink.iommuAttach(head, device, known === Known.Attach);
    } else if (known === Known.IoPageFault) {
      const driver = at[Slot.Driver]! < 0 ? '' : this.word(cursor, at[Slot.Driver]!);
      if (driver === null) return this.refuse(head);
      this.sink.ioPageFault(head, device, driver, values[Slot.Dma]!, values[Slot.Flags]! | 0);
    } else {
      const force = at[Slot.Flag]! >= 0 && cursor.bytes[cursor.data + at[Slot.Flag]!] === 1;
      const { sink } = this;
      sink.bounced(
        head,
        device,
        values[Slot.Other]!,
        values[Slot.Phys]!,
        values[Slot.Size]!,
        force,
      );
    }
    return true;
  }

  private deviceOf(decoder: Decoder, cursor: Cursor): string | null {
    const device = this.word(cursor, decoder.at[Slot.Device]!, decoder.device);
    decoder.device = this.names.last;
    return device;
  }

  /**
   * The string that a __data_loc word at `slot` points to, null when it points outside. `guess` is
   * the number of the name that it may well be.
   */
  private word(cursor: Cursor, slot: number, guess = 0): string | null {
    const place = cursor.words[(cursor.data >> 2) + slot]!;
    const length = place >>> 16;
    const start = place & 0xffff;
    if (start + length > cursor.length) return null;
    if (length === 0) return '';
    const from = cursor.data + start;
    const end = from + length;
    const { bytes } = cursor;
    return this.names.intern(bytes, from, bytes[end - 1] === 0 ? end - 1 : end, guess);
  }
}

/** Small numbers leave the array of doubles as integers, or V8 would make an object of each. */
function direction(value: number): Direction {
  const whole = value | 0;
  return whole === value && whole >= 0 && whole <= 3 ? whole : UNKNOWN;
}

function attributes(value: number): number {
  const whole = value | 0;
  return whole === value ? whole : value;
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
