/**
 * The recordings of test/trace-data, unpacked, and small traces made of pages with chosen events.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Written } from './trace-dat-writer.js';

const folder = resolve(dirname(fileURLToPath(import.meta.url)), 'trace-data');

/** A recording, without its .gz. */
export function recording(name: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(join(folder, `${name}.gz`))));
}

export function recordingNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.gz'))
    .map((name) => name.slice(0, -3));
}

/** Frames of the zstd program. */
export function zstdFrames(): Record<string, Uint8Array> {
  const frame = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  return {
    'text, level 1': frame('text-1.zst'),
    'text, level 3': frame('text-3.zst'),
    'text, level 19': frame('text-19.zst'),
    'stored bytes': frame('random.zst'),
    'one byte repeated': frame('zeros.zst'),
  };
}

/** An event on a page: its data, and what its header says about time. */
export interface PageEvent {
  readonly delta: number;
  readonly data: Uint8Array;
}

/** One word of an event header. */
const headWord = (type: number, delta: number) => (delta << 5) | type;

/** Bytes of events, small and large forms as the kernel chooses them. */
export function eventBytes(events: readonly PageEvent[]): Uint8Array {
  const words: Uint8Array[] = [];
  const word = (value: number) => words.push(Buffer.from(Uint32Array.of(value).buffer));
  for (const { delta, data } of events) {
    const padded = new Uint8Array((data.length + 3) & ~3);
    padded.set(data);
    if (padded.length <= 28 * 4) word(headWord(padded.length / 4, delta));
    else {
      word(headWord(0, delta));
      word(padded.length + 4);
    }
    words.push(padded);
  }
  return Buffer.concat(words);
}

/** A page with a time, the bytes of its events, and flags in its commit field. */
export function page(time: number, bytes: Uint8Array, flags = 0, missed = -1): Uint8Array {
  const whole = Buffer.alloc(4096);
  whole.writeBigUInt64LE(BigInt(time), 0);
  whole.writeUInt32LE((bytes.length | flags) >>> 0, 8);
  whole.set(bytes, 16);
  if (missed >= 0) whole.writeBigUInt64LE(BigInt(missed), 16 + bytes.length);
  return whole;
}

const common = [
  '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;',
  '\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;',
  '\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;',
  '\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;',
  '',
];

/** A format description of fields given as `type name offset size`. */
export function formatText(name: string, id: number, fields: readonly string[]): string {
  const lines = fields.map((field) => {
    const [, declaration, offset, size] = /^(.*) (\d+) (\d+)$/.exec(field) ?? [];
    return `\tfield:${declaration};\toffset:${offset};\tsize:${size};\tsigned:0;`;
  });
  return [
    `name: ${name}`,
    `ID: ${id}`,
    'format:',
    ...common,
    ...lines,
    '',
    'print fmt: ""',
    '',
  ].join('\n');
}

export const headerPage = [
  '\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;',
  '\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;',
  '\tfield: char overwrite;\toffset:8;\tsize:1;\tsigned:0;',
  '\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;',
  '',
].join('\n');

/** mm_page_free, the smallest of the known events: number 7. */
export const pageFreeFormat = {
  system: 'kmem',
  text: formatText('mm_page_free', 7, ['unsigned long pfn 8 8', 'unsigned int order 16 4']),
};

/** An mm_page_free event. */
export function pageFree(delta: number, pfn: number, pid = 1): PageEvent {
  const data = Buffer.alloc(20);
  data.writeUInt16LE(7, 0);
  data.writeInt32LE(pid, 4);
  data.writeBigUInt64LE(BigInt(pfn), 8);
  return { delta, data };
}

/** A file of mm_page_free events on the given pages of each CPU. */
export function freeTrace(cpus: readonly Uint8Array[][], more: Partial<Written> = {}): Written {
  return {
    version: 7,
    headerPage,
    formats: [pageFreeFormat],
    tasks: '1 init\n',
    buffers: [{ name: '', cpus: cpus.map((pages, cpu) => ({ cpu, pages: Buffer.concat(pages) })) }],
    ...more,
  };
}
