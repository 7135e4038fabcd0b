/**
 * Operations: memset, memcpy, memchr_inv over a range. Writing a range names no word, since nobody
 * need read it; reading one names its lines. Source: lib/string.c.
 */
import { cpuLoad, cpuStore, loadMustWait } from '../access.js';
import { fail, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { accessFaults, cpuReach } from '../cpu-maps.js';
import { namedSteps, namedWords } from '../named-words.js';
import { unshare } from '../private-maps.js';
import { TooManyLines } from '../ranges.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Value } from '../value.js';

/** The tracked words of a byte range behind a pointer, as offsets from it. */
export function wordsIn(context: KernelContext, pointer: Value | undefined, size: number) {
  const { map, offset } = pointerArg(context, pointer);
  return namedWords(context.layout, map.buffer, offset, size);
}

function shifted(context: KernelContext, pointer: Value | undefined, bytes: number) {
  const { map, offset } = pointerArg(context, pointer);
  return { map: map.id, offset: offset + bytes };
}

function patternOf(byte: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (byte & 0xff);
  return value;
}

/** All stores at once: they become visible one by one as they leave the store buffer (M7). */
export const memset: Effect = (context, args) => {
  unshare(context, shifted(context, args[0], 0));
  cutAt(context, args[0], int(args[2]));
  return context.layout.over(() => setWords(context, args));
};

/** What stands before and behind the range is treated differently. */
function cutAt(context: KernelContext, pointer: Value | undefined, size: number): void {
  const { map, offset } = pointerArg(context, pointer);
  context.layout.cut(map.buffer, offset);
  context.layout.cut(map.buffer, offset + size);
}

const setWords: Effect = (context, args) => {
  const words = wordsIn(context, args[0], int(args[2]));
  const reached = words.map((word) => ({
    size: word.size,
    to: cpuReach(context, shifted(context, args[0], word.byte), word.size),
  }));
  // A page fault with work to do comes before the first store, and the call begins again after it.
  if (reached.some(({ to }) => to.kind === 'again')) {
    context.again = true;
    return 0;
  }
  for (const { to, size } of reached) {
    if (to.kind === 'fault') accessFaults(context, to.why, 'memset');
    else if (to.kind === 'memory') {
      cpuStore(context, to.destination, to.attribute, patternOf(int(args[1]), size));
    }
  }
  return 0;
};

/** Words of both ranges exist in both: the layout learns of those that only one side names. */
function pairWords(context: KernelContext, args: readonly Value[]) {
  const size = int(args[2]);
  for (const [named, other] of [
    [args[0], args[1]],
    [args[1], args[0]],
  ]) {
    const { map, offset } = pointerArg(context, other);
    for (const word of wordsIn(context, named, size)) {
      context.layout.cell(map.buffer, offset + word.byte, word.size);
    }
  }
  return wordsIn(context, args[1], size);
}

/** One word a step: others may act between two words. */
const memcpy: Effect = (context, args) => {
  unshare(context, shifted(context, args[0], 0));
  cutAt(context, args[0], int(args[2]));
  cutAt(context, args[1], int(args[2]));
  return context.layout.over(() => copyWord(context, args));
};

const copyWord: Effect = (context, args) => {
  const words = pairWords(context, args);
  const word = words[context.step.copied];
  if (word === undefined) return 0;
  const source = cpuReach(context, shifted(context, args[1], word.byte), word.size);
  const to = cpuReach(context, shifted(context, args[0], word.byte), word.size);
  if (source.kind === 'again' || to.kind === 'again') {
    context.again = true;
    return 0;
  }
  if (source.kind === 'fault' || to.kind === 'fault') {
    accessFaults(
      context,
      source.kind === 'fault' ? source.why : 'no page is mapped there',
      'memcpy',
    );
  } else {
    const { destination, attribute, user } = source;
    context.recorder.copies?.(destination.cell, to.destination.cell);
    const early = context.takeEarly(destination.cell.id);
    if (early === null && loadMustWait(context, destination, attribute)) {
      context.blocked = true;
      return 0;
    }
    const value = early ?? cpuLoad(context, destination, attribute, user, false);
    cpuStore(context, to.destination, to.attribute, value);
  }
  context.step.copied++;
  context.again = context.step.copied < words.length;
  return 0;
};

/** The running call reads every line of bytes [from, to) of a buffer. */
export function goesOver(context: KernelContext, buffer: number, from: number, to: number): void {
  try {
    context.layout.range(buffer, from, to);
  } catch (error) {
    if (!(error instanceof TooManyLines)) throw error;
    fail(context, `a range of ${error.lines} lines, which cannot be explored apart (--stats)`);
  }
}

/** As memcpy without its stores: one word a step. */
const memchrInv: Effect = (context, args) => {
  const { map, offset } = pointerArg(context, args[0]);
  const size = int(args[2]);
  goesOver(context, map.buffer, Math.max(0, offset), Math.min(map.bytes, offset + size));
  return context.layout.over(() => readWord(context, args));
};

/** The words that memchr_inv goes over, one a step. */
export function wordsRead(context: KernelContext, pointer: Value | undefined, size: number) {
  const { map, offset } = pointerArg(context, pointer);
  return namedSteps(context.layout, map.buffer, offset, size);
}

const readWord: Effect = (context, args) => {
  const words = wordsRead(context, args[0], int(args[2]));
  const word = words[context.step.copied];
  // Beyond the mapping there are no words, but the first byte there is reached.
  const { map, offset } = pointerArg(context, args[0]);
  const beyond = offset + int(args[2]) > map.bytes;
  const last = { byte: Math.max(0, map.bytes - offset), size: 1 };
  const next = word ?? (beyond ? last : undefined);
  if (next === undefined) return 0;
  const source = cpuReach(context, shifted(context, args[0], next.byte), next.size);
  if (source.kind === 'again') {
    context.again = true;
    return 0;
  }
  if (source.kind === 'fault') accessFaults(context, source.why, 'memchr_inv');
  else {
    const { destination, attribute, user } = source;
    const early = context.takeEarly(destination.cell.id);
    if (early === null && loadMustWait(context, destination, attribute)) {
      context.blocked = true;
      return 0;
    }
    if (early === null) cpuLoad(context, destination, attribute, user, false);
  }
  context.step.copied++;
  context.again = context.step.copied < words.length + (beyond ? 1 : 0);
  return 0;
};

const bytes: readonly Param[] = [
  { name: 'dst', kinds: ['ptr'] },
  { name: 'value', kinds: ['int'] },
  { name: 'size', kinds: ['int'] },
];

function io(
  name: string,
  params: readonly Param[],
  doc: string,
  effect: Effect,
): Operation {
  return {
    name,
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['M5', 'M7'],
    params,
    doc: `${doc}; no barrier before or behind it`,
    source: `arch/arm64/kernel/io.c, lib/iomem_copy.c:${name}`,
    effect,
  };
}

const pointers: readonly Param[] = [
  { name: 'dst', kinds: ['ptr'] },
  { name: 'src', kinds: ['ptr'] },
  { name: 'count', kinds: ['int'] },
];

export const memoryOperations: readonly Operation[] = [
  io('memcpy_toio', pointers, 'copies to device memory, word by word', memcpy),
  io('memcpy_fromio', pointers, 'copies from device memory, word by word', memcpy),
  io('memset_io', bytes, 'stores to every word of device memory the scenario names', memset),
  {
    name: 'memset',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['M5'],
    params: bytes,
    doc: 'stores to every word of the range the scenario names',
    loadsPass: true,
    effect: memset,
    source: 'lib/string.c:memset',
  },
  {
    name: 'memcpy',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['M5'],
    params: [
      { name: 'dst', kinds: ['ptr'] },
      { name: 'src', kinds: ['ptr'] },
      { name: 'size', kinds: ['int'] },
    ],
    doc: 'loads and stores every word of the range the scenario names',
    loadsPass: true,
    effect: memcpy,
    source: 'lib/string.c:memcpy',
  },
  {
    name: 'memchr_inv',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['M5'],
    params: [{ name: 'start', kinds: ['ptr'] }, ...bytes.slice(1)],
    doc: 'loads every line of the range; what it returns is left out',
    loadsPass: true,
    effect: memchrInv,
    source: 'lib/string.c:memchr_inv',
  },
];
