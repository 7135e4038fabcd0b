/**
 * Frames of zstd, unpacked into an array of known size. Checksums are passed over, dictionaries
 * are refused. Leaves out what is in the blocks (`zstd-block.ts`) and streams (`zstd-stream.ts`).
 *
 * Source: RFC 8878, section 3.1.1.
 */
import { BlockDecoder, blockMax } from './zstd-block.js';
import { fail } from './zstd-fse.js';

/** A frame's header. */
export interface FrameHeader {
  /** Bytes of the header, or of the whole skippable frame when `skip`. */
  readonly length: number;
  readonly skip: boolean;
  readonly window: number;
  readonly checksum: boolean;
}

/** The frame header at the start of `bytes`; null when there are too few bytes to tell. */
export function frameHeader(bytes: Uint8Array): FrameHeader | null {
  if (bytes.length < 5) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  if (magic >>> 4 === 0x184d2a5) {
    if (bytes.length < 8) return null;
    return { length: 8 + view.getUint32(4, true), skip: true, window: 0, checksum: false };
  }
  if (magic !== 0xfd2fb528) fail('not a zstd frame');
  const flags = bytes[4]!;
  if ((flags & 8) !== 0) fail('reserved bit of a frame');
  const single = (flags & 32) !== 0;
  const dictionary = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const length = 5 + (single ? 0 : 1) + dictionary + sizeBytes;
  if (bytes.length < length) return null;
  let at = 5;
  let window = 0;
  if (!single) {
    const code = bytes[at++]!;
    const base = 2 ** (10 + (code >> 3));
    window = base + (base / 8) * (code & 7);
  }
  for (let i = 0; i < dictionary; i++) if (bytes[at++] !== 0) fail('a dictionary is needed');
  if (single) {
    for (let i = 0; i < sizeBytes; i++) window += bytes[at + i]! * 256 ** i;
    if (sizeBytes === 2) window += 256;
  }
  return { length, skip: false, window, checksum: (flags & 4) !== 0 };
}

/** Decodes the blocks of frames, out of an array and into one that both are known to it. */
export interface Blocks {
  /** A frame begins, whose bytes go to `start` and on. Its matches stay inside of it. */
  begin(start: number): void;
  /** Decodes the block whose content begins at `at` to `to`; returns the place after it. */
  block(head: BlockHead, at: number, to: number): number;
}

/** Unpacks all frames of `data`; returns how many bytes. */
export function unpackFrames(data: Uint8Array, blocks: Blocks): number {
  let at = 0;
  let to = 0;
  while (at < data.length) {
    const header = frameHeader(data.subarray(at));
    if (header === null) fail('a frame ends early');
    at += header.length;
    if (header.skip) continue;
    blocks.begin(to);
    for (let last = false; !last; ) {
      if (at + 3 > data.length) fail('a frame ends early');
      const head = blockHead(data, at);
      at += 3;
      const size = head.type === 1 ? 1 : head.size;
      if (at + size > data.length) fail('a frame ends early');
      to = blocks.block(head, at, to);
      at += size;
      last = head.last;
    }
    if (header.checksum) at += 4;
  }
  return to;
}

const decoder = new BlockDecoder();

/** Unpacks all frames of `data` to the start of `out`; returns how many bytes. */
export function unpackZstd(data: Uint8Array, out: Uint8Array): number {
  let start = 0;
  let frame = out;
  return unpackFrames(data, {
    begin(place) {
      start = place;
      frame = out.subarray(start);
      decoder.reset();
    },
    block(head, at, to) {
      const size = head.type === 1 ? 1 : head.size;
      const block = data.subarray(at, at + size);
      return start + plainBlock(decoder, head, block, frame, to - start);
    },
  });
}

export interface BlockHead {
  readonly last: boolean;
  /** 0 raw, 1 one byte repeated, 2 compressed. */
  readonly type: number;
  readonly size: number;
}

export function blockHead(bytes: Uint8Array, at: number): BlockHead {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  const head = { last: (word & 1) !== 0, type: (word >> 1) & 3, size: word >> 3 };
  if (head.type === 3 || head.size > blockMax) fail('a block is damaged');
  return head;
}

/** Decodes a block of any type to `out` from `to` on; returns the place after it. */
export function plainBlock(
  blocks: BlockDecoder,
  head: BlockHead,
  data: Uint8Array,
  out: Uint8Array,
  to: number,
): number {
  if (head.type === 2) {
    const { input } = blocks;
    input.set(data);
    return blocks.block(input.start, input.end, out, to);
  }
  if (to + head.size > out.length) fail('more data than announced');
  if (head.type === 1) out.fill(data[0]!, to, to + head.size);
  else out.set(data, to);
  return to + head.size;
}
