/**
 * The compression inside a trace.dat of version 7: one call per piece, whose size is known
 * beforehand. Leaves out compressed inputs as a whole (`unpack.ts`).
 */
import { unzlibSync } from 'fflate/browser';
import { unpackZstd } from './zstd.js';

/** Unpacks `data` into the start of `into` and returns how many bytes; throws when damaged. */
export type Unpack = (data: Uint8Array, into: Uint8Array) => number;

/** Faster ways than those in here, where the caller's platform has some. */
export interface Codecs {
  readonly zlib?: Unpack;
  readonly zstd?: Unpack;
}

/** The way to unpack what the header of a trace.dat names, or null for an unknown one. */
export function codecOf(name: string, codecs: Codecs): Unpack | null {
  if (name === 'zlib') return codecs.zlib ?? unpackZlib;
  if (name === 'zstd') return codecs.zstd ?? unpackZstd;
  return null;
}

function unpackZlib(data: Uint8Array, into: Uint8Array): number {
  const out = unzlibSync(data, { out: into });
  if (out.buffer !== into.buffer) into.set(out.subarray(0, into.length));
  return out.length;
}
