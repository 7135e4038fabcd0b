/**
 * `node bench/trace-make.mjs IN.dat OUT.dat TIMES`: a large trace.dat out of a small
 * one, repeated with times and addresses shifted, so that every repetition is a run of its own.
 * Pages are as they were but for their times, and the addresses and page frame numbers of the known
 * events. Writes version 6, plain; `trace-cmd convert` makes others of it. Leaves out all but the
 * first buffer.
 */
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { load } from './load.mjs';

const [input, output, timesText] = process.argv.slice(2);
const times = Number(timesText);
if (output === undefined || !(times > 0)) {
  throw new Error('usage: trace-make.mjs IN.dat OUT.dat TIMES');
}
const { repeatedTrace } = await load('bench/trace-repeat.ts');
const source = openSync(input, 'r');
const target = openSync(output, 'w');
const bytes = repeatedTrace(
  {
    name: input,
    length: statSync(input).size,
    read: (into, position) => readSync(source, into, 0, into.length, position),
  },
  times,
  (part, position) => {
    for (let at = 0; at < part.length; ) {
      at += writeSync(target, part, at, part.length - at, position + at);
    }
  },
);
closeSync(source);
closeSync(target);
process.stdout.write(`${output}: ${times} times ${input}, ${bytes} bytes\n`);
