/**
 * What unpacks: the pieces inside of a trace.dat of version 7, whose size is known beforehand, and
 * gzip as a stream. Leaves out compressed inputs as a whole (`unpack.ts`).
 */
import type { ByteSource } from './source.js';
import { unpackZstdSoon } from './zstd-wasm.js';

/** Unpacks `data` into the start of `into` and returns how many bytes; throws when damaged. */
export type Unpack = (data: Uint8Array, into: Uint8Array) => number;

/** Takes compressed data piece by piece; throws when it is damaged. */
export interface Gunzip {
  push(data: Uint8Array, last: boolean): void;
}

/** What `inflate.ts` has. */
export interface Inflate {
  readonly zlib: Unpack;
  /** `tell` is called with what was unpacked. */
  gunzip(tell: (data: Uint8Array) => void): Gunzip;
}

/** Those of `inflate.ts`, where the input may need them, or the platform's own. */
export interface Codecs extends Partial<Inflate> {
  /** In place of the one in here. */
  readonly zstd?: Unpack;
}

/** The way to unpack what the header of a trace.dat names, or null for an unknown one. */
export function codecOf(name: string, codecs: Codecs): Unpack | null {
  if (name === 'zlib') return codecs.zlib ?? null;
  if (name === 'zstd') return codecs.zstd ?? unpackZstdSoon;
  return null;
}

const datMagic = '\x17\x08\x44tracing';

/**
 * Whether a source may hold gzip or zlib. Certain only about plain text and a plain trace.dat, by
 * the name of the compression in its header; true for what cannot be looked at twice.
 */
export function needsInflate(source: ByteSource): boolean {
  if (source.length === null) return true;
  const bytes = new Uint8Array(64);
  const start = String.fromCharCode(...bytes.subarray(0, source.read(bytes, 0)));
  if (start.startsWith(datMagic)) return start.includes('zlib');
  return /[^\t\n\r -~]/.test(start);
}
