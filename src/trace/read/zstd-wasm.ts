/**
 * Unpacks zstd in WebAssembly, which runs at full speed from its first byte on, where V8 has to
 * watch the plain decoder for a while and then compile it. What is refused here goes through the
 * plain decoder, which alone says what is wrong: so both mean the same. Leaves out streams
 * (`zstd-stream.ts`).
 *
 * State: one memory, as large as the largest call needed, a few megabytes.
 */
import { compileModule, instantiate, makeMemory, type Run } from '../../base/wasm.js';
import { type BlockHead, type Blocks, unpackFrames, unpackZstd } from './zstd.js';
import {
  literalBase,
  literalBits,
  literalCodes,
  matchBase,
  matchBits,
  matchCodes,
  offsetCodes,
} from './zstd-block.js';
import type { FseTable } from './zstd-fse.js';
import { blockRoutines } from './zstd-wasm-block.js';
import { codeRoutines, place } from './zstd-wasm-codes.js';

/** Room behind input and output for what is read and written too much. */
const slack = 64;
const memoryFirst = 1 << 20;
/** Input and output of one call; larger ones are rare, and their memory would stay. */
const bytesMax = 1 << 25;

class WasmBlocks implements Blocks {
  private readonly module = compileModule([...codeRoutines(), ...blockRoutines()]);
  private run: Run = () => undefined;
  private bytes = new Uint8Array(0);
  private words = new Int32Array(0);
  /** Places of the output in the memory. */
  private out = 0;
  private first = 0;
  private limit = 0;

  constructor() {
    this.makeRoom(memoryFirst);
  }

  /** A memory of that many bytes and what always stands in it; nothing else is kept. */
  private makeRoom(bytes: number): void {
    const memory = makeMemory(bytes);
    this.run = instantiate(this.module, memory);
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.putLengths(place.literalLengths, literalBase, literalBits);
    this.putLengths(place.matchLengths, matchBase, matchBits);
    this.putTable(place.standardLiteral, literalCodes.standard);
    this.putTable(place.standardOffset, offsetCodes.standard);
    this.putTable(place.standardMatch, matchCodes.standard);
  }

  private putLengths(at: number, base: Int32Array, bits: Uint8Array): void {
    base.forEach((length, code) => {
      this.words[at / 4 + code] = length | (bits[code]! << 24);
    });
  }

  private putTable(at: number, { log, states }: FseTable): void {
    this.words[at / 4] = log;
    this.words.set(states, at / 4 + 1);
  }

  unpack(data: Uint8Array, out: Uint8Array): number {
    this.out = (place.input + data.length + slack + 7) & ~7;
    this.limit = this.out + out.length;
    if (this.limit + slack > this.bytes.length) this.makeRoom(this.limit + slack);
    this.bytes.set(data, place.input);
    const got = unpackFrames(data, this);
    out.set(this.bytes.subarray(this.out, this.out + got));
    return got;
  }

  begin(start: number): void {
    this.first = this.out + start;
    this.words.set([1, 4, 8, 0, 0], place.repeat0 / 4);
  }

  block({ type, size }: BlockHead, at: number, to: number): number {
    const { bytes, first, limit } = this;
    const from = place.input + at;
    const target = this.out + to;
    if (type === 2) {
      const end = this.run(from, from + size, target, first, limit);
      if (end === undefined) throw new Error('the module gives nothing back');
      return end - this.out;
    }
    if (target + size > limit) throw new RangeError('more data than announced');
    if (type === 1) bytes.fill(bytes[from]!, target, target + size);
    else bytes.copyWithin(target, from, from + size);
    return to + size;
  }
}

/** Undefined before the first call, null where there is no WebAssembly. */
let blocks: WasmBlocks | null | undefined;

function wasmBlocks(): WasmBlocks | null {
  if (blocks !== undefined) return blocks;
  try {
    blocks = new WasmBlocks();
  } catch {
    blocks = null;
  }
  return blocks;
}

/** The module alone, for tests: throws where it refuses. */
export function wasmUnpacks(data: Uint8Array, out: Uint8Array): number {
  const fast = wasmBlocks();
  if (fast === null) throw new Error('there is no WebAssembly here');
  return fast.unpack(data, out);
}

/** `unpackZstd` of `zstd.ts`, sooner. */
export function unpackZstdSoon(data: Uint8Array, out: Uint8Array): number {
  if (data.length + out.length > bytesMax || wasmBlocks() === null) return unpackZstd(data, out);
  try {
    return wasmUnpacks(data, out);
  } catch {
    return unpackZstd(data, out);
  }
}
