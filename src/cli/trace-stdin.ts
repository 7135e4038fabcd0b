/**
 * Standard input of `civac trace`, when it is a pipe or a terminal. The reader asks for bytes
 * without leaving the event loop a turn, and a signal only arrives in such a turn: so enough for
 * the next step is fetched beforehand, and Ctrl-C works while the pipe is silent.
 */
import { fstatSync, readSync } from 'node:fs';
import type { OpenSource } from './trace-source.js';

/** More than one step of the reader takes, in bytes. */
const aheadMin = 8 << 20;

/** Standard input is a plain file: it never makes anybody wait. */
export function stdinIsFile(): boolean {
  try {
    return fstatSync(0).isFile();
  } catch {
    return false;
  }
}

export class StdinSource implements OpenSource {
  readonly name = 'standard input';
  readonly length = null;
  private readonly chunks: Uint8Array[] = [];
  /** Bytes in `chunks`, and how many of the first of them are gone. */
  private have = 0;
  private gone = 0;
  private ended = false;
  private wake: () => void = () => {};

  constructor() {
    const { stdin } = process;
    stdin.on('data', (chunk: Uint8Array) => {
      this.chunks.push(chunk);
      this.have += chunk.length;
      if (this.have >= aheadMin) this.wake();
    });
    stdin.on('end', () => this.end());
    stdin.on('error', () => this.end());
    stdin.pause();
  }

  /** Resolves when the next step can be made without waiting. */
  async ready(): Promise<void> {
    if (this.ended || this.have >= aheadMin) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      process.stdin.resume();
    });
    process.stdin.pause();
  }

  /** No more than what is here: the end, or Ctrl-C. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  read(into: Uint8Array): number {
    const [chunk] = this.chunks;
    if (chunk === undefined) return this.ended ? 0 : this.wait(into);
    const part = chunk.subarray(this.gone, this.gone + into.length);
    into.set(part);
    this.have -= part.length;
    this.gone += part.length;
    if (this.gone === chunk.length) {
      this.chunks.shift();
      this.gone = 0;
    }
    return part.length;
  }

  /** A step that needs more than was fetched has to wait; what the stream holds comes first. */
  private wait(into: Uint8Array): number {
    const held: unknown = process.stdin.read();
    if (held instanceof Uint8Array) {
      this.chunks.push(held);
      this.have += held.length;
      return this.read(into);
    }
    for (;;) {
      try {
        return readSync(0, into, 0, into.length, null);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code === 'EOF') return 0;
        if (code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  close(): void {
    process.stdin.destroy();
  }
}
