/** Which inputs `civac trace` loads gzip and zlib for. Missing one would end it with an error. */
import { describe, expect, it } from 'vitest';
import { needsInflate } from '../src/trace/read/codec.js';
import { bytesSource } from '../src/trace/read/read.js';
import { writeDat } from './trace-dat-writer.js';
import { freeTrace } from './trace-files.js';

function needs(bytes: Uint8Array, length: number | null = bytes.length): boolean {
  return needsInflate({ ...bytesSource(bytes), length });
}

describe('needsInflate', () => {
  it('goes by the compression in the header of a trace.dat', () => {
    const parts = freeTrace([]);
    expect(needs(writeDat({ ...parts, compression: 'zlib' }))).toBe(true);
    expect(needs(writeDat({ ...parts, compression: 'zstd' }))).toBe(false);
    expect(needs(writeDat({ ...parts, compression: 'none' }))).toBe(false);
    expect(needs(writeDat({ ...parts, version: 6 }))).toBe(false);
  });

  it('is true for all but plain text, and for what cannot be looked at', () => {
    const text = new TextEncoder().encode('# tracer: nop\n');
    expect(needs(text)).toBe(false);
    expect(needs(text, null)).toBe(true);
    expect(needs(Uint8Array.of(0x1f, 0x8b, 8, 0))).toBe(true);
    // zstd, which begins with a letter or a bracket, may have gzip in it.
    expect(needs(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))).toBe(true);
    expect(needs(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18))).toBe(true);
  });
});
