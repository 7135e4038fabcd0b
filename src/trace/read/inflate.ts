/**
 * gzip and zlib, by fflate. Making its tables takes as long as reading a short trace: load this
 * only for an input that `needsInflate` (`codec.ts`). fflate does not look at gzip's checksum; that
 * of a file of one member, as gzip(1) writes it, is compared here (RFC 1952, section 2.3.1).
 */
import { Gunzip, unzlibSync } from 'fflate/browser';
import type { Gunzip as GunzipStream, Inflate } from './codec.js';

const trailerBytes = 8;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

function crcOf(crc: number, data: Uint8Array): number {
  let now = ~crc;
  for (const byte of data) now = (now >>> 8) ^ crcTable[(now ^ byte) & 0xff]!;
  return ~now >>> 0;
}

/** Unpacks, and throws behind the end when the checksum does not fit. */
class CheckedGunzip implements GunzipStream {
  private readonly stream: Gunzip;
  private crc = 0;
  /** fflate tells of those behind the first. */
  private members = 1;
  /** The last bytes of the input so far. */
  private trailer = new Uint8Array(0);

  constructor(tell: (data: Uint8Array) => void) {
    this.stream = new Gunzip((data) => {
      if (this.members === 1) this.crc = crcOf(this.crc, data);
      tell(data);
    });
    this.stream.onmember = () => {
      this.members++;
    };
  }

  push(data: Uint8Array, last: boolean): void {
    const joined = new Uint8Array(this.trailer.length + Math.min(data.length, trailerBytes));
    joined.set(this.trailer);
    joined.set(data.subarray(-trailerBytes), this.trailer.length);
    this.trailer = joined.slice(-trailerBytes);
    this.stream.push(data, last);
    if (!last || this.members > 1 || this.trailer.length < trailerBytes) return;
    const told = new DataView(this.trailer.buffer).getUint32(0, true);
    if (told !== this.crc) throw new Error('its checksum does not fit: some of it may be wrong');
  }
}

export const inflate: Inflate = {
  zlib(data, into) {
    const out = unzlibSync(data, { out: into });
    if (out.buffer !== into.buffer) into.set(out.subarray(0, into.length));
    return out.length;
  },
  gunzip: (tell) => new CheckedGunzip(tell),
};
