/**
 * Decompression of whole inputs, gzip and zstd, in any nesting: streams in, streams out, with a
 * bound on what is in memory at a time. A damaged or cut end is noted in the report and ends the
 * stream; what came before it is used. Leaves out the compressed sections of trace.dat.
 */
import type { Codecs, Gunzip } from './codec.js';
import type { ReportBuilder } from './report.js';
import { type ByteStream, PeekStream } from './source.js';
import { ZstdStream } from './zstd-stream.js';

/** Small enough that the worst bomb unfolds to a few megabytes at a time. */
const gzipStep = 1 << 13;
const layersMax = 4;

/** Removes every layer of compression and names them in the report. */
export function unpack(stream: PeekStream, report: ReportBuilder, codecs: Codecs): PeekStream {
  let inner = stream;
  for (let layer = 0; layer < layersMax; layer++) {
    const magic = inner.peek(4);
    const name = isGzip(magic) ? 'gzip' : isZstd(magic) ? 'zstd' : null;
    if (name === null) return inner;
    report.compression.push(name);
    const outer = name === 'gzip' ? new GzipStream(inner, codecs) : new ZstdStream(inner);
    inner = new PeekStream(new Guarded(outer, name, report));
  }
  return inner;
}

function isGzip(magic: Uint8Array): boolean {
  return magic[0] === 0x1f && magic[1] === 0x8b;
}

/** RFC 8878: a frame, or a skippable frame before it. */
function isZstd(magic: Uint8Array): boolean {
  if (magic.length < 4) return false;
  const frame = magic[0] === 0x28 && magic[1] === 0xb5 && magic[2] === 0x2f && magic[3] === 0xfd;
  const skippable =
    (magic[0]! & 0xf0) === 0x50 && magic[1] === 0x2a && magic[2] === 0x4d && magic[3] === 0x18;
  return frame || skippable;
}

/** Ends at the first error, which it notes. */
class Guarded implements ByteStream {
  private given = 0;
  private ended = false;

  constructor(
    private readonly inner: ByteStream,
    private readonly name: string,
    private readonly report: ReportBuilder,
  ) {}

  read(into: Uint8Array): number {
    if (this.ended) return 0;
    try {
      const got = this.inner.read(into);
      this.given += got;
      this.ended = got === 0;
      return got;
    } catch (error) {
      this.ended = true;
      const why = error instanceof Error ? error.message : String(error);
      const early = /early|EOF/.test(why);
      this.report.problem(
        early ? 'truncated' : 'damaged',
        early ? `the ${this.name} data ends early` : `damaged ${this.name} data (${why})`,
        `byte ${this.given} of what is in it`,
      );
      return 0;
    }
  }
}

/** Pulls from a decompressor that wants to be pushed. */
class GzipStream implements ByteStream {
  private readonly queue: Uint8Array[] = [];
  private readonly gunzip: Gunzip;
  private readonly input = new Uint8Array(gzipStep);
  private ended = false;

  constructor(
    private readonly inner: ByteStream,
    { gunzip }: Codecs,
  ) {
    if (gunzip === undefined) throw new Error('gzip, though needsInflate was false');
    this.gunzip = gunzip((data) => {
      if (data.length > 0) this.queue.push(data);
    });
  }

  read(into: Uint8Array): number {
    while (this.queue.length === 0) {
      if (this.ended) return 0;
      const got = this.inner.read(this.input);
      this.ended = got === 0;
      // The decompressor keeps parts of what it is given.
      this.gunzip.push(this.input.slice(0, got), this.ended);
    }
    const first = this.queue[0]!;
    const part = first.subarray(0, into.length);
    into.set(part);
    if (part.length === first.length) this.queue.shift();
    else this.queue[0] = first.subarray(part.length);
    return part.length;
  }
}
