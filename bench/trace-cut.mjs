/**
 * `node bench/trace-cut.mjs IN.dat OUT.dat.gz`: a recording without what makes it large, for
 * test/trace-data: only the formats of events that it has, no kernel symbols; pages as they are.
 * Leaves out buffers but the first.
 */
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { load } from './load.mjs';

const [input, output] = process.argv.slice(2);
if (output === undefined) throw new Error('usage: trace-cut.mjs IN.dat OUT.dat.gz');
const { cut } = await load('test/trace-cut.ts');
const fd = openSync(input, 'r');
const source = {
  name: input,
  length: statSync(input).size,
  read: (into, position) => readSync(fd, into, 0, into.length, position),
};
const bytes = cut(source);
closeSync(fd);
writeFileSync(output, output.endsWith('.gz') ? gzipSync(bytes, { level: 9 }) : bytes);
process.stdout.write(`${input}: ${readFileSync(input).length} -> ${statSync(output).size} bytes\n`);
