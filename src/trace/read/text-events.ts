/**
 * From the fields of a payload to the call of the sink: which fields each event must have. An event
 * without them is passed on as `other`, and said so by the return value. Leaves out where the
 * fields stand in the line (`text-fields.ts`).
 */
import {
  attributeBits,
  type Direction,
  type EventHead,
  type TraceSink,
  UNKNOWN,
} from '../events.js';
import { Interner, startsWith } from './bytes.js';
import { fencePart, Known } from './known.js';
import { Key, pointerToken, TextFields } from './text-fields.js';

const iommuPrefix = 'IOMMU:';
const needed = (...keys: Key[]): readonly Key[] => keys;
const single = needed(Key.DmaAddr, Key.Size);
const ranged = needed(Key.Iova, Key.Size);

/** What an event cannot do without, by `Known`; the device and the direction come on top. */
const required: Partial<Record<Known, readonly Key[]>> = {
  [Known.MapPage]: single,
  [Known.MapResource]: single,
  [Known.MapPhys]: single,
  [Known.UnmapPage]: single,
  [Known.UnmapResource]: single,
  [Known.UnmapPhys]: single,
  [Known.Alloc]: single,
  [Known.AllocPages]: single,
  [Known.Free]: single,
  [Known.FreePages]: single,
  [Known.AllocSgt]: single,
  [Known.FreeSgt]: single,
  [Known.SyncSingleForCpu]: single,
  [Known.SyncSingleForDevice]: single,
  [Known.IommuMap]: needed(Key.Iova, Key.PhysAddr, Key.Size),
  [Known.IommuUnmap]: ranged,
  [Known.IoPageFault]: needed(Key.Iova),
  [Known.Bounced]: needed(Key.DevAddr, Key.Size),
  [Known.PageAlloc]: needed(Key.Pfn, Key.Order),
  [Known.PageFree]: needed(Key.Pfn, Key.Order),
  [Known.WriteFolio]: needed(Key.Pfn),
};

/** The lists an event cannot do without. */
const requiredLists: Partial<Record<Known, readonly Key[]>> = {
  [Known.AllocSgt]: needed(Key.PhysAddrs),
  [Known.FreeSgt]: needed(Key.PhysAddrs),
  [Known.MapSg]: needed(Key.PhysAddrs, Key.DmaAddrs, Key.Sizes),
  [Known.UnmapSg]: needed(Key.PhysAddrs),
  [Known.SyncSgForCpu]: needed(Key.DmaAddrs, Key.Sizes),
  [Known.SyncSgForDevice]: needed(Key.DmaAddrs, Key.Sizes),
};

/** Decodes payloads of known events. */
export class TextEvents {
  private readonly fields = new TextFields();
  private readonly devices = new Interner();
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(private readonly sink: TraceSink) {}

  /**
   * Passes the event on. False when it was one of the known ones and lacked something: the sink
   * got it as `other`.
   */
  emit(known: Known, head: EventHead, bytes: Uint8Array, start: number, end: number): boolean {
    const fields = this.fields;
    this.bytes = bytes;
    fields.read(bytes, start, end);
    if (known >= Known.IommuMap) return this.emitOther(known, head, start, end);
    for (const key of required[known] ?? []) {
      if (Number.isNaN(fields.numbers[key]!)) return this.refuse(head);
    }
    for (const key of requiredLists[known] ?? []) {
      if (!fields.hasList(key)) return this.refuse(head);
    }
    const device = this.device();
    const dir = fields.numbers[Key.Dir]!;
    if (device === '' || Number.isNaN(dir)) return this.refuse(head);
    this.emitDma(known, head, device, dir);
    return true;
  }

  private refuse(head: EventHead): boolean {
    this.sink.other(head);
    return false;
  }

  private device(): string {
    const { fields } = this;
    const raw = fields.has(Key.Device);
    const start = raw ? fields.words[Key.Device * 2]! : fields.bareStart;
    const end = raw ? fields.words[Key.Device * 2 + 1]! : fields.bareEnd;
    return this.devices.intern(this.bytes, start, end);
  }

  private emitDma(known: Known, head: EventHead, device: string, dir: Direction): void {
    const { fields, sink } = this;
    const numbers = fields.numbers;
    const dma = numbers[Key.DmaAddr]!;
    const size = numbers[Key.Size]!;
    const attrs = numberOr(numbers[Key.Attrs]!, 0);
    switch (known) {
      case Known.MapPage:
      case Known.MapResource:
      case Known.MapPhys: {
        const phys = numberOr(numbers[Key.PhysAddr]!, UNKNOWN);
        sink.mapSingle(head, singleKind(known, attrs), device, phys, dma, size, dir, attrs);
        return;
      }
      case Known.UnmapPage:
      case Known.UnmapResource:
      case Known.UnmapPhys:
        sink.unmapSingle(head, singleKind(known, attrs), device, dma, size, dir, attrs);
        return;
      case Known.Alloc:
      case Known.AllocPages: {
        const kind = known === Known.Alloc ? 'coherent' : 'pages';
        sink.alloc(head, kind, device, this.pointer(), dma, size, dir, attrs);
        return;
      }
      case Known.Free:
      case Known.FreePages: {
        const kind = known === Known.Free ? 'coherent' : 'pages';
        sink.free(head, kind, device, this.pointer(), dma, size, dir, attrs);
        return;
      }
      case Known.AllocSgt:
        sink.allocSgt(head, device, fields.phys, dma, size, dir, attrs);
        return;
      case Known.FreeSgt:
        sink.freeSgt(head, device, fields.phys, dma, size, dir);
        return;
      case Known.SyncSingleForCpu:
      case Known.SyncSingleForDevice:
        sink.syncSingle(head, known === Known.SyncSingleForCpu, device, dma, size, dir);
        return;
      default:
        this.emitList(known, head, device, dir, attrs);
        return;
    }
  }

  private emitList(
    known: Known,
    head: EventHead,
    device: string,
    dir: Direction,
    attrs: number,
  ): void {
    const { fields, sink } = this;
    const { numbers, phys, dma, sizes } = fields;
    switch (known) {
      case Known.MapSg: {
        const nents = numberOr(numbers[Key.Nents]!, UNKNOWN);
        const ents = numberOr(numbers[Key.Ents]!, UNKNOWN);
        const cut = fields.truncated || numbers[Key.Truncated] === 1;
        sink.mapSg(head, device, nents, ents, cut, phys, dma, sizes, dir, attrs);
        return;
      }
      case Known.MapSgErr: {
        // The label says dma_addrs, the values are physical; a raw list has the right label.
        const list = fields.hasList(Key.PhysAddrs) ? phys : dma;
        const error = numberOr(numbers[Key.Err]!, UNKNOWN);
        sink.mapSgError(head, device, list, error, dir, attrs);
        return;
      }
      case Known.UnmapSg:
        sink.unmapSg(head, device, phys, dir, attrs);
        return;
      default:
        sink.syncSg(head, known === Known.SyncSgForCpu, device, dma, sizes, dir);
        return;
    }
  }

  private pointer(): string {
    return pointerToken(this.fields.word(Key.VirtAddr));
  }

  /** Everything but dma. */
  private emitOther(known: Known, head: EventHead, start: number, end: number): boolean {
    const { fields, sink } = this;
    const numbers = fields.numbers;
    // Other subsystems may have events called map and unmap.
    if (known <= Known.IommuUnmap && !this.isIommu(start, end)) {
      sink.other(head);
      return true;
    }
    for (const key of required[known] ?? []) {
      if (Number.isNaN(numbers[key]!)) return this.refuse(head);
    }
    if (known >= Known.FenceEmit) return this.emitFence(known, head);
    if (known >= Known.PageAlloc) return this.emitPage(known, head, start, end);
    switch (known) {
      case Known.IommuMap:
        sink.iommuMap(head, numbers[Key.Iova]!, numbers[Key.PhysAddr]!, numbers[Key.Size]!);
        return true;
      case Known.IommuUnmap: {
        const size = numbers[Key.Size]!;
        sink.iommuUnmap(head, numbers[Key.Iova]!, size, numberOr(numbers[Key.Unmapped]!, UNKNOWN));
        return true;
      }
      case Known.Attach:
      case Known.Detach:
        if (!fields.has(Key.Device)) return this.refuse(head);
        sink.iommuAttach(head, this.device(), known === Known.Attach);
        return true;
      case Known.IoPageFault:
        return this.emitFault(head);
      default:
        return this.emitBounce(head);
    }
  }

  private isIommu(start: number, end: number): boolean {
    if (startsWith(this.bytes, start, end, iommuPrefix)) return true;
    // A raw field list; nothing else has an iova and a paddr or an unmapped_size.
    const { numbers } = this.fields;
    const second = numberOr(numbers[Key.PhysAddr]!, numbers[Key.Unmapped]!);
    return !Number.isNaN(numbers[Key.Iova]!) && !Number.isNaN(second);
  }

  /** `IOMMU:DEVICE DRIVER iova=…`. */
  private emitFault(head: EventHead): boolean {
    const { fields, sink, bytes } = this;
    const iova = fields.numbers[Key.Iova]!;
    const flags = numberOr(fields.numbers[Key.Flags]!, 0);
    if (fields.has(Key.Device)) {
      const driver = this.words(Key.Driver);
      sink.ioPageFault(head, this.device(), driver, iova, flags);
      return true;
    }
    if (!startsWith(bytes, fields.bareStart, fields.bareEnd, iommuPrefix)) return this.refuse(head);
    const start = fields.bareStart + iommuPrefix.length;
    let space = start;
    while (space < fields.bareEnd && bytes[space] !== 32) space++;
    const device = this.devices.intern(bytes, start, space);
    const driver = this.devices.intern(bytes, Math.min(space + 1, fields.bareEnd), fields.bareEnd);
    sink.ioPageFault(head, device, driver, iova, flags);
    return true;
  }

  private words(key: Key): string {
    const { words } = this.fields;
    return this.devices.intern(this.bytes, words[key * 2]!, words[key * 2 + 1]!);
  }

  /** `dev_name: DEVICE dma_mask=… dev_addr=… size=… FORCE`. */
  private emitBounce(head: EventHead): boolean {
    const { fields, sink, bytes } = this;
    const { numbers } = fields;
    const prefix = 'dev_name: ';
    const labelled = startsWith(bytes, fields.bareStart, fields.bareEnd, prefix);
    if (!labelled && !fields.has(Key.Device)) return this.refuse(head);
    const device = labelled
      ? this.devices.intern(bytes, fields.bareStart + prefix.length, fields.bareEnd)
      : this.device();
    const force =
      numbers[Key.Force] === 1 || startsWith(bytes, fields.lastStart, fields.lastEnd, 'FORCE');
    const mask = numberOr(numbers[Key.DmaMask]!, UNKNOWN);
    sink.bounced(head, device, mask, numbers[Key.DevAddr]!, numbers[Key.Size]!, force);
    return true;
  }

  private emitPage(known: Known, head: EventHead, start: number, end: number): boolean {
    const { sink } = this;
    const { numbers } = this.fields;
    const pfn = numbers[Key.Pfn]!;
    if (known === Known.PageFree) sink.pageFree(head, pfn, numbers[Key.Order]!);
    else if (known === Known.WriteFolio) sink.pageWrittenOut(head, pfn);
    else if (pfn <= 0 && failedAlloc(this.bytes, start, end, pfn)) sink.other(head);
    else sink.pageAlloc(head, pfn, numbers[Key.Order]!);
    return true;
  }

  private emitFence(known: Known, head: EventHead): boolean {
    const { numbers } = this.fields;
    const context = numbers[Key.Context]!;
    const seqno = numbers[Key.Seqno]!;
    if (Number.isNaN(context) || Number.isNaN(seqno)) return this.refuse(head);
    const driver = this.words(Key.Driver);
    this.sink.fence(head, fencePart(known), driver, this.words(Key.Timeline), context, seqno);
    return true;
  }
}

/** The raw pfn of a failed allocation is all ones; the printed one is 0, with a NULL page. */
function failedAlloc(bytes: Uint8Array, start: number, end: number, pfn: number): boolean {
  if (pfn < 0) return true;
  return (
    startsWith(bytes, start, end, 'page=0000000000000000 ') ||
    startsWith(bytes, start, end, 'page=(nil)') ||
    startsWith(bytes, start, end, 'page=(null)') ||
    startsWith(bytes, start, end, 'page=0x0 ')
  );
}

function numberOr(value: number, otherwise: number): number {
  return Number.isNaN(value) ? otherwise : value;
}

/** Newer kernels have one event for both; device memory then shows in attrs. */
function singleKind(known: Known, attrs: number): 'page' | 'resource' {
  if (known === Known.MapResource || known === Known.UnmapResource) return 'resource';
  if (known === Known.MapPage || known === Known.UnmapPage) return 'page';
  return hasMmio(attrs) ? 'resource' : 'page';
}

/** True when attrs has DMA_ATTR_MMIO. */
export function hasMmio(attrs: number): boolean {
  return (attrs & attributeBits.MMIO) !== 0;
}
