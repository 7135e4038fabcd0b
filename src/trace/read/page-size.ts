/**
 * The page size in the header of a trace.dat, which a reader of the events needs before the first
 * of them. Leaves out compressed inputs and streams: those cannot be looked at twice.
 */
import type { ByteSource } from './source.js';

const start = [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e, 0x67];

/** In bytes; null if the input does not say it in its first bytes. */
export function pageSizeOf(source: ByteSource): number | null {
  if (source.length === null) return null;
  const bytes = new Uint8Array(64);
  const head = bytes.subarray(0, source.read(bytes, 0));
  if (start.some((byte, i) => head[i] !== byte)) return null;
  const version = head.indexOf(0, start.length);
  // After the version: a byte for the order of bytes, one for the size of a long, then the size.
  const at = version + 3;
  if (version < 0 || at + 4 > head.length) return null;
  const little = head[version + 1] === 0;
  const size = new DataView(head.buffer, head.byteOffset).getUint32(at, little);
  return size >= 1024 && size <= 1 << 20 && (size & (size - 1)) === 0 ? size : null;
}
