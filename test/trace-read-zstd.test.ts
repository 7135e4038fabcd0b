/**
 * The zstd decoder against another one (fzstd) on frames of the zstd program and of trace-cmd, and
 * on damaged ones: an error or the right bytes, nothing else, and never a hang.
 */
import { decompress } from 'fzstd';
import { describe, expect, it } from 'vitest';
import { bytesSource, PeekStream, streamOf } from '../src/trace/read/source.js';
import { unpackZstd } from '../src/trace/read/zstd.js';
import { ZstdStream } from '../src/trace/read/zstd-stream.js';
import { zstdFrames } from './trace-files.js';

function streamed(data: Uint8Array): Uint8Array {
  const stream = new ZstdStream(new PeekStream(streamOf(bytesSource(data))));
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = new Uint8Array(1000);
    const got = stream.read(part);
    if (got === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, got));
  }
}

describe('zstd', () => {
  for (const [name, frame] of Object.entries(zstdFrames())) {
    it(`unpacks ${name} as the other decoder does`, () => {
      const expected = decompress(frame);
      const out = new Uint8Array(expected.length);
      expect(unpackZstd(frame, out)).toBe(expected.length);
      expect(Buffer.compare(out, expected)).toBe(0);
      expect(Buffer.compare(streamed(frame), expected)).toBe(0);
    });
  }

  it('refuses to write more than there is room for', () => {
    const frame = zstdFrames()['text, level 3']!;
    expect(() => unpackZstd(frame, new Uint8Array(100))).toThrow(/data/);
  });

  it('survives every cut and every flipped bit of a frame', () => {
    const frame = zstdFrames()['text, level 19']!;
    const out = new Uint8Array(1 << 17);
    let refused = 0;
    const attempt = (data: Uint8Array) => {
      try {
        expect(unpackZstd(data, out)).toBeLessThanOrEqual(out.length);
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(Error);
        expect(String(error)).not.toMatch(/undefined|not a function|TypeError/);
      }
    };
    for (let cut = 1; cut < frame.length; cut += 7) attempt(frame.subarray(0, cut));
    for (let bit = 0; bit < frame.length * 8; bit += 11) {
      const bad = frame.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      attempt(bad);
    }
    expect(refused).toBeGreaterThan(frame.length / 7 - 2);
  });
});
