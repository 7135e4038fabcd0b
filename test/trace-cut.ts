/**
 * Takes a trace.dat apart into the parts that `trace-dat-writer.ts` writes: pages unpacked, only
 * the formats of events that occur. Leaves out kernel symbols and printk formats.
 */
import { openDat } from '../src/trace/read/dat.js';
import { inflate } from '../src/trace/read/inflate.js';
import { Cursor } from '../src/trace/read/dat-cursor.js';
import type { DatBuffer, DatFile } from '../src/trace/read/dat-file.js';
import { PageFeed } from '../src/trace/read/dat-pages.js';
import type { ByteSource } from '../src/trace/read/read.js';
import { ReportBuilder } from '../src/trace/read/report.js';
import { type Written, type WrittenBuffer, writeDat } from './trace-dat-writer.js';

const headerPage = [
  '\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;',
  '\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;',
  '\tfield: char overwrite;\toffset:8;\tsize:1;\tsigned:0;',
  '\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;',
  '',
].join('\n');

function pagesOf(file: DatFile, buffer: DatBuffer): WrittenBuffer {
  const cpus = buffer.cpus.map((data) => {
    const feed = new PageFeed(file, buffer, data, 1 << 18);
    const parts: Uint8Array[] = [];
    while (feed.next()) parts.push(feed.bytes.slice(0, feed.size));
    return { cpu: data.cpu, pages: Buffer.concat(parts) };
  });
  return { name: buffer.name, clock: buffer.clock, cpus };
}

/** The types of events that occur, and how many events each CPU has. */
function contentOf(file: DatFile): { types: Set<number>; counts: Map<number, number> } {
  const types = new Set<number>();
  const counts = new Map<number, number>();
  for (const buffer of file.buffers) {
    buffer.cpus.forEach(({ cpu }, index) => {
      const cursor = new Cursor(file, buffer, index, { high: 0, low: 0 }, 1 << 18, cpu);
      let count = counts.get(cpu) ?? 0;
      while (cursor.advance()) {
        types.add(cursor.words[cursor.data >> 2]! & 0xffff);
        count++;
      }
      counts.set(cpu, count);
    });
  }
  return { types, counts };
}

/** The parts of a file; `print fmt` lines are kept only when asked for. */
export function partsOf(source: ByteSource, keepText = false): Written {
  const file = openDat(source, new ReportBuilder(source.name), inflate, true);
  const { types, counts } = contentOf(file);
  const formats = [...file.formats.values()]
    .filter(({ id }) => types.has(id))
    .map(({ system, text }) => {
      const whole = new TextDecoder().decode(text);
      return { system, text: keepText ? whole : whole.replace(/print fmt[\s\S]*$/, '') };
    });
  const tasks = [...file.tasks].map(([pid, comm]) => `${pid} ${comm}\n`).join('');
  const buffers = file.buffers.map((buffer) => pagesOf(file, buffer));
  const { kernel, cpus } = file.report;
  const options: [number, Uint8Array | string][] = kernel === null ? [] : [[5, kernel]];
  options.push([8, Buffer.from(Uint32Array.of(cpus ?? 1).buffer)]);
  for (const [cpu, count] of counts) {
    options.push([2, `CPU: ${cpu}\nentries: 0\noverrun: 0\nread events: ${count}\n`]);
  }
  return { version: 7, headerPage, formats, tasks, buffers, options };
}

export function cut(source: ByteSource): Buffer {
  return writeDat(partsOf(source, true));
}
