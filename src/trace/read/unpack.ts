/**
 * Decompression of whole inputs, gzip and zstd, in any nesting: streams in, streams out, with a
 * bound on what is in memory at a time. A damaged or cut end is noted in the report and ends the
 * stream; what came before it is used. Leaves out the compressed sections of trace.dat.
 */
import { Gunzip } from 'fflate';
import { Decompress } from 'fzstd';
import type { ReportBuilder } from './report.js';
import type { ByteStream, PeekStream } from './source.js';
import { PeekStream as Peek } from './source.js';

/** A decompressor that is pushed to. */
interface Pusher {
  push(chunk: Uint8Array, final: boolean): void;
}

/** Small enough that the worst bomb of either format unfolds to a few megabytes a time. */
const gzipStep = 1 << 14;
const zstdStep = 1 << 9;
const layersMax = 4;

/** Removes every layer of compression and names them in the report. */
export function unpack(stream: PeekStream, report: ReportBuilder): PeekStream {
  let inner = stream;
  for (let layer = 0; layer < layersMax; layer++) {
    const magic = inner.peek(4);
    const step = isGzip(magic) ? gzipStep : isZstd(magic) ? zstdStep : 0;
    if (step === 0) return inner;
    const name = step === gzipStep ? 'gzip' : 'zstd';
    report.compression.push(name);
    const make =
      step === gzipStep
        ? (give: (data: Uint8Array) => void) => new Gunzip(give)
        : (give: (data: Uint8Array) => void) => new Decompress(give);
    inner = new Peek(new Unpacked(inner, make, step, name, report));
  }
  return inner;
}

function isGzip(magic: Uint8Array): boolean {
  return magic[0] === 0x1f && magic[1] === 0x8b;
}

/** RFC 8878: a frame, or a skippable frame before it. */
function isZstd(magic: Uint8Array): boolean {
  if (magic.length < 4 || magic[3] === undefined) return false;
  const frame = magic[0] === 0x28 && magic[1] === 0xb5 && magic[2] === 0x2f && magic[3] === 0xfd;
  const skippable =
    (magic[0]! & 0xf0) === 0x50 && magic[1] === 0x2a && magic[2] === 0x4d && magic[3] === 0x18;
  return frame || skippable;
}

class Unpacked implements ByteStream {
  private readonly pusher: Pusher;
  private readonly queue: Uint8Array[] = [];
  private readonly input: Uint8Array;
  private ended = false;
  private taken = 0;

  constructor(
    private readonly inner: ByteStream,
    make: (give: (data: Uint8Array) => void) => Pusher,
    step: number,
    private readonly name: string,
    private readonly report: ReportBuilder,
  ) {
    this.input = new Uint8Array(step);
    this.pusher = make((data) => {
      if (data.length > 0) this.queue.push(data);
    });
  }

  read(into: Uint8Array): number {
    while (this.queue.length === 0) {
      if (this.ended) return 0;
      this.more();
    }
    const first = this.queue[0]!;
    const part = first.subarray(0, into.length);
    into.set(part);
    if (part.length === first.length) this.queue.shift();
    else this.queue[0] = first.subarray(part.length);
    return part.length;
  }

  private more(): void {
    const got = this.inner.read(this.input);
    this.taken += got;
    this.ended = got === 0;
    try {
      // The decompressors keep parts of what they are given.
      this.pusher.push(this.input.slice(0, got), this.ended);
    } catch (error) {
      const cut = this.ended;
      this.ended = true;
      const why = error instanceof Error ? error.message : String(error);
      this.report.problem(
        cut ? 'truncated' : 'damaged',
        cut ? `the ${this.name} data ends early` : `damaged ${this.name} data (${why})`,
        `byte ${this.taken}`,
      );
    }
  }
}
