/**
 * gzip and zlib, by fflate. Making its tables takes as long as reading a short trace: load this
 * only for an input that `needsInflate` (`codec.ts`).
 */
import { Gunzip, unzlibSync } from 'fflate/browser';
import type { Inflate } from './codec.js';

export const inflate: Inflate = {
  zlib(data, into) {
    const out = unzlibSync(data, { out: into });
    if (out.buffer !== into.buffer) into.set(out.subarray(0, into.length));
    return out.length;
  },
  gunzip: (tell) => new Gunzip(tell),
};
