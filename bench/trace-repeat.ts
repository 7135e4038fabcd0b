/**
 * Repeats the first buffer of a trace.dat with shifted times and addresses. Leaves out the files
 * (`trace-make.mjs`).
 */
import { openDat } from '../src/trace/read/dat.js';
import { inflate } from '../src/trace/read/inflate.js';
import { compile, Slot } from '../src/trace/read/dat-compile.js';
import { Cursor } from '../src/trace/read/dat-cursor.js';
import { type ByteSource, bytesSource } from '../src/trace/read/read.js';
import { ReportBuilder } from '../src/trace/read/report.js';
import { partsOf } from '../test/trace-cut.js';
import { frontV6, type WrittenCpu, writeDat } from '../test/trace-dat-writer.js';

/** Each repetition's addresses are this much higher: more than a machine's memory. */
const addressStep = 2n ** 36n;
const pageShift = 12n;

type Put = (bytes: Uint8Array, position: number) => void;

/** Places of 64-bit numbers in a CPU's pages, in 32-bit words; how far each moves. */
interface Places {
  readonly addresses: number[];
  readonly frames: number[];
}

/** Where the addresses are on the pages of a CPU. */
function placesOf(source: ByteSource, cpuIndex: number): Places {
  const file = openDat(source, new ReportBuilder(source.name), inflate);
  const decoders = [...file.formats.values()].map((format) => ({ format, made: compile(format) }));
  const byId = new Map(decoders.map(({ format, made }) => [format.id, made]));
  const buffer = file.buffers[0]!;
  const cpu = buffer.cpus[cpuIndex]!;
  const cursor = new Cursor(file, buffer, cpuIndex, { high: 0, low: 0 }, cpu.size, cpu.cpu);
  const places: Places = { addresses: [], frames: [] };
  while (cursor.advance()) {
    const at = cursor.data;
    const decoder = byId.get(cursor.words[at >> 2]! & 0xffff);
    if (decoder === undefined || decoder.known < 0) continue;
    for (const slot of [Slot.Dma, Slot.Phys]) {
      const place = decoder.at[slot]!;
      if (place < 0 || decoder.wide[slot] === 0) continue;
      const frame = slot === Slot.Phys && decoder.name.startsWith('mm_');
      (frame ? places.frames : places.addresses).push(at + place * 4);
    }
    for (const slot of [Slot.PhysList, Slot.DmaList]) {
      const place = decoder.at[slot]!;
      if (place < 0) continue;
      const word = cursor.words[(at >> 2) + place]!;
      for (let i = 0; i < word >>> 16; i += 8) places.addresses.push(at + (word & 0xffff) + i);
    }
  }
  return places;
}

function shift(view: DataView, places: readonly number[], by: bigint): void {
  for (const place of places) {
    const old = view.getBigUint64(place, true);
    // A failed mapping, and the empty rest of a list, stay what they are.
    if (old !== 0n && old !== 2n ** 64n - 1n) view.setBigUint64(place, old + by, true);
  }
}

/** Where pages have absolute time stamps: events of type 31. */
function stampsOf(view: DataView, pageSize: number): number[] {
  const stamps: number[] = [];
  for (let page = 0; page < view.byteLength; page += pageSize) {
    const end = page + 16 + (view.getUint32(page + 8, true) & 0xfffff);
    for (let at = page + 16; at < end; ) {
      const head = view.getUint32(at, true);
      const type = head & 31;
      if (type === 31) stamps.push(at);
      if (type >= 30) at += 8;
      else if (type === 0 || type === 29) {
        if (head === 29) break;
        at += 4 + ((view.getUint32(at + 4, true) + 3) & ~3);
      } else at += 4 + type * 4;
    }
  }
  return stamps;
}

/** 27 bits stand in the head of a stamp, the others behind it. */
function shiftStamps(view: DataView, stamps: readonly number[], by: bigint): void {
  for (const at of stamps) {
    const old =
      (BigInt(view.getUint32(at + 4, true)) << 27n) | BigInt(view.getUint32(at, true) >>> 5);
    const time = old + by;
    view.setUint32(at, Number(((time & 0x7ffffffn) << 5n) | 31n), true);
    view.setUint32(at + 4, Number(time >> 27n), true);
  }
}

/** The time of the first and of the last page. */
function timesOf(cpus: readonly WrittenCpu[], pageSize: number): [bigint, bigint] {
  let first = 2n ** 63n;
  let last = 0n;
  for (const { pages } of cpus) {
    const view = new DataView(pages.buffer, pages.byteOffset, pages.length);
    for (let at = 0; at < pages.length; at += pageSize) {
      const time = view.getBigUint64(at, true);
      if (time < first) first = time;
      if (time > last) last = time;
    }
  }
  return [first, last];
}

/** Writes the repetitions with `put`; returns the size of the file in bytes. */
export function repeatedTrace(source: ByteSource, times: number, put: Put): number {
  const parts = partsOf(source, true);
  const top = parts.buffers[0]!;
  const pageSize = parts.pageSize ?? 4096;
  const one = { ...parts, version: 6 as const, buffers: [top] };
  // The places refer to pages in one piece, as a plain file has them.
  const flat = bytesSource(writeDat(one));
  const [first, last] = timesOf(top.cpus, pageSize);
  // A page lasts for less than ten seconds.
  const span = last - first + 10_000_000_000n;
  const sizeOf = (_: unknown, cpu: number) => top.cpus[cpu]!.pages.length * times;
  const { front, places: starts } = frontV6(one, sizeOf);
  put(front, 0);
  let end = front.length;
  top.cpus.forEach(({ pages }, index) => {
    const places = placesOf(flat, index);
    const copy = Uint8Array.from(pages);
    const view = new DataView(copy.buffer);
    const stamps = stampsOf(view, pageSize);
    for (let round = 0; round < times; round++) {
      put(copy, starts[index]! + round * pages.length);
      for (let at = 0; at < copy.length; at += pageSize) {
        view.setBigUint64(at, view.getBigUint64(at, true) + span, true);
      }
      shiftStamps(view, stamps, span);
      shift(view, places.addresses, addressStep);
      shift(view, places.frames, addressStep >> pageShift);
    }
    end = starts[index]! + times * pages.length;
  });
  return end;
}
