/**
 * The trace text that a trace.dat of a latency tracer holds instead of pages, as a stream. Leaves
 * out the text itself (`text.ts`).
 */
import type { DatFile, DatText } from './dat-file.js';
import { PageFeed } from './dat-pages.js';
import type { ByteStream } from './source.js';

/** The text, unpacked where it is in chunks. */
export function textStream(file: DatFile, text: DatText): ByteStream {
  const { offset, size, compressed } = text;
  // Text has no pages: a page of one byte never leaves a rest.
  const buffer = { name: '', clock: '', pageSize: 1, compressed, cpus: [] };
  const feed = new PageFeed(file, buffer, { cpu: 0, offset, size }, 1 << 16);
  let used = 0;
  return {
    read(into) {
      while (used >= feed.size) {
        if (!feed.next()) return 0;
        used = 0;
      }
      const part = feed.bytes.subarray(used, Math.min(feed.size, used + into.length));
      into.set(part);
      used += part.length;
      return part.length;
    },
  };
}
