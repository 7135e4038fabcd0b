/**
 * Files and standard input as sources of the trace reader, and a spool on disk for a trace.dat
 * that does not come as a plain file. Leaves out what the bytes mean (`src/trace/read`).
 */
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ByteSource, Spool } from '../trace/read/source.js';

/** A source that must be closed. */
export interface OpenSource extends ByteSource {
  close(): void;
}

/** Opens a file, or standard input for `-`. Throws as `openSync` does. */
export function openTrace(path: string): OpenSource {
  if (path === '-') return sourceOf(0, 'standard input', false);
  return sourceOf(openSync(path, 'r'), path, true);
}

function sourceOf(fd: number, name: string, close: boolean): OpenSource {
  const status = fstatSync(fd);
  // A pipe, or a file of tracefs, has no length; neither may be read at a position.
  const length = close && status.isFile() && status.size > 0 ? status.size : null;
  return {
    name,
    length,
    read: (into, position) => readSome(fd, into, length === null ? null : position),
    close() {
      if (close) closeSync(fd);
    },
  };
}

function readSome(fd: number, into: Uint8Array, position: number | null): number {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, position);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      // Windows reports the end of a pipe as an error; a terminal without data says try again.
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** A spool in a temporary file, which is gone when it is closed. */
export function fileSpool(): Spool {
  const folder = mkdtempSync(join(tmpdir(), 'civac-'));
  const path = join(folder, 'trace.dat');
  const fd = openSync(path, 'wx+', 0o600);
  let length = 0;
  return {
    append(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at);
      length += bytes.length;
    },
    source: () => ({
      name: 'spooled trace',
      length,
      read: (into, position) => readSync(fd, into, 0, into.length, position),
    }),
    close() {
      closeSync(fd);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
