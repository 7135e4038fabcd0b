/**
 * A zstd stream as a stream of what is in it, through a window no larger than its frames ask for.
 * Leaves out the blocks (`zstd-block.ts`).
 *
 * Source: RFC 8878, section 3.1.1; the bound on windows is that of the zstd program.
 */
import { type ByteStream, fill, type PeekStream } from './source.js';
import { blockHead, frameHeader, plainBlock } from './zstd.js';
import { BlockDecoder, blockMax } from './zstd-block.js';
import { fail } from './zstd-fse.js';

const windowMax = 1 << 27;
/** Longest frame header that is not skippable. */
const headerMax = 18;
const skipStep = 1 << 16;

export class ZstdStream implements ByteStream {
  private readonly blocks = new BlockDecoder();
  private buffer: Uint8Array = new Uint8Array(0);
  /** Decoded bytes not yet read: [from, to) of the buffer. */
  private from = 0;
  private to = 0;
  private window = 0;
  private inFrame = false;
  private checksum = false;

  constructor(private readonly input: PeekStream) {}

  /** Throws ZstdError when the data is damaged or ends early. */
  read(into: Uint8Array): number {
    while (this.from === this.to) {
      if (this.inFrame) this.nextBlock();
      else if (!this.nextFrame()) return 0;
    }
    const part = this.buffer.subarray(this.from, Math.min(this.to, this.from + into.length));
    into.set(part);
    this.from += part.length;
    return part.length;
  }

  private take(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    if (fill(this.input, bytes) < count) fail('it ends early');
    return bytes;
  }

  private nextFrame(): boolean {
    const start = this.input.peek(headerMax);
    if (start.length === 0) return false;
    const header = frameHeader(start);
    if (header === null) fail('it ends early');
    if (header.skip) {
      for (let left = header.length; left > 0; ) {
        left -= this.take(Math.min(left, skipStep)).length;
      }
      return true;
    }
    if (header.window > windowMax) fail(`a window of ${header.window} bytes`);
    this.take(header.length);
    this.window = header.window;
    const room = this.window + Math.max(4 * blockMax, Math.min(this.window, 1 << 24));
    if (room > this.buffer.length) this.buffer = new Uint8Array(room);
    this.from = this.to = 0;
    this.inFrame = true;
    this.checksum = header.checksum;
    this.blocks.reset();
    return true;
  }

  private nextBlock(): void {
    const head = blockHead(this.take(3), 0);
    const data = this.take(head.type === 1 ? 1 : head.size);
    if (this.to + blockMax > this.buffer.length) {
      const keep = Math.min(this.window, this.to);
      this.buffer.copyWithin(0, this.to - keep, this.to);
      this.to = keep;
    }
    this.from = this.to;
    const room = this.buffer.subarray(0, this.to + blockMax);
    this.to = plainBlock(this.blocks, head, data, room, this.to);
    if (!head.last) return;
    this.inFrame = false;
    if (this.checksum) this.take(4);
  }
}
