/**
 * Things by their place: a buffer and a byte of it. Looked up at every access, so that a place is
 * two numbers and never put together as a text.
 * Leaves out: what stands there (layout.ts).
 */

export class Places<T> {
  private readonly byBuffer = new Map<number, Map<number, T>>();
  private readonly sorted = new Map<number, readonly T[]>();
  /** Goes up with every change. */
  changes = 0;

  get(buffer: number, byte: number): T | undefined {
    return this.byBuffer.get(buffer)?.get(byte);
  }

  set(buffer: number, byte: number, what: T): void {
    let bytes = this.byBuffer.get(buffer);
    if (bytes === undefined) {
      bytes = new Map();
      this.byBuffer.set(buffer, bytes);
    }
    bytes.set(byte, what);
    this.changed(buffer);
  }

  /** False when nothing was there. */
  delete(buffer: number, byte: number): boolean {
    const gone = this.byBuffer.get(buffer)?.delete(byte) === true;
    if (gone) this.changed(buffer);
    return gone;
  }

  private changed(buffer: number): void {
    this.changes++;
    this.sorted.delete(buffer);
  }

  /** What stands in a buffer, by ascending byte. */
  of(buffer: number): readonly T[] {
    let found = this.sorted.get(buffer);
    if (found === undefined) {
      const bytes = [...(this.byBuffer.get(buffer) ?? [])].sort(([a], [b]) => a - b);
      found = bytes.map(([, what]) => what);
      this.sorted.set(buffer, found);
    }
    return found;
  }

  /** `buffer:byte` of each. */
  names(): string[] {
    return [...this.byBuffer].flatMap(([buffer, bytes]) =>
      [...bytes.keys()].map((byte) => `${buffer}:${byte}`),
    );
  }
}

/** Bytes that are told apart by nobody here. */
const HOOD = 8;

/** In which 8 bytes of a buffer something was put: most places have no neighbours at all. */
export class Neighbourhoods {
  private readonly byBuffer = new Map<number, Set<number>>();

  /** Puts something there; false when nothing was put anywhere near. */
  add(buffer: number, byte: number, size: number): boolean {
    let hoods = this.byBuffer.get(buffer);
    if (hoods === undefined) {
      hoods = new Set();
      this.byBuffer.set(buffer, hoods);
    }
    const before = hoods.size;
    const [first, last] = [Math.floor(byte / HOOD), Math.floor((byte + size - 1) / HOOD)];
    for (let hood = first; hood <= last; hood++) hoods.add(hood);
    return hoods.size < before + last - first + 1;
  }
}
