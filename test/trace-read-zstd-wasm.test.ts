/**
 * The zstd decoder in WebAssembly against the plain one: the same bytes, the same refusals, on
 * frames of other programs, on damaged ones, and on many in a row out of one memory.
 */
import { describe, expect, it } from 'vitest';
import { unpackZstd } from '../src/trace/read/zstd.js';
import { unpackZstdSoon, wasmUnpacks } from '../src/trace/read/zstd-wasm.js';
import { zstdFrames } from './trace-files.js';

const room = 1 << 17;

type Unpack = (data: Uint8Array, out: Uint8Array) => number;

/** What came out, or what was said. */
function attempt(unpack: Unpack, data: Uint8Array, size = room): Buffer | string {
  const out = new Uint8Array(size);
  try {
    return Buffer.from(out.subarray(0, unpack(data, out)));
  } catch (error) {
    return String(error);
  }
}

/** Cut or with one bit flipped. */
function* damaged(frame: Uint8Array): Generator<Uint8Array> {
  for (let cut = 1; cut < frame.length; cut += 13) yield frame.subarray(0, cut);
  for (let bit = 0; bit < frame.length * 8; bit += 7) {
    const bad = frame.slice();
    bad[bit >> 3]! ^= 1 << (bit & 7);
    yield bad;
  }
}

describe('zstd in WebAssembly', () => {
  for (const [name, frame] of Object.entries(zstdFrames())) {
    it(`unpacks ${name} itself, as the plain decoder does`, () => {
      const plain = attempt(unpackZstd, frame, 1 << 20);
      expect(plain).toBeInstanceOf(Buffer);
      expect(attempt(wasmUnpacks, frame, plain.length)).toEqual(plain);
    });

    it(`takes of a damaged ${name} nothing that the plain decoder refuses`, () => {
      let taken = 0;
      let refused = 0;
      for (const bad of damaged(frame.length > 4000 ? frame.subarray(0, 4000) : frame)) {
        const plain = attempt(unpackZstd, bad);
        const fast = attempt(wasmUnpacks, bad);
        if (typeof fast === 'string') refused++;
        else taken++;
        if (typeof fast !== 'string' && !fast.equals(Buffer.from(plain)))
          expect(fast).toEqual(plain);
        if (taken + refused <= 200) expect(attempt(unpackZstdSoon, bad)).toEqual(plain);
      }
      expect(refused).toBeGreaterThan(0);
    });
  }

  it('says what the plain decoder says', () => {
    const frame = zstdFrames()['text, level 3']!;
    expect(() => unpackZstdSoon(frame, new Uint8Array(100))).toThrow(/data/);
    expect(() => unpackZstdSoon(Uint8Array.of(1, 2, 3, 4, 5), new Uint8Array(1))).toThrow(/zstd/);
  });
});
