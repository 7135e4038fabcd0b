/** Operations: memset and memcpy over the words that the scenario names. Source: lib/string.c. */
import { cpuLoad, cpuStore, loadMustWait } from '../access.js';
import { int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { cpuReach } from '../cpu-maps.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Value } from '../value.js';

function fault(context: KernelContext, why: string, what: string): void {
  context.find('H14', true, -1, () => ({
    message: `${what} faults: ${why}`,
    expected: 'a mapped page',
    actual: why,
  }));
  context.say('H14', () => `${what} faults: ${why}`);
}

/** The tracked words of a byte range behind a pointer, as offsets from it. */
function wordsIn(context: KernelContext, pointer: Value | undefined, size: number) {
  const { map, offset } = pointerArg(context, pointer);
  const bytes = context.machine.pageSize;
  return context.layout.cells
    .filter((cell) => cell.buffer === map.buffer)
    .map((cell) => ({ byte: cell.page * bytes + cell.offset - offset, size: cell.size }))
    .filter((word) => word.byte >= 0 && word.byte < size)
    .sort((a, b) => a.byte - b.byte);
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

/** Takes the page faults of a range before anything is stored; false when one queued work. */
function present(context: KernelContext, pointer: Value | undefined, size: number): boolean {
  for (const word of wordsIn(context, pointer, size)) {
    const reached = cpuReach(context, shifted(context, pointer, word.byte), word.size);
    if (reached.kind !== 'again') continue;
    context.again = true;
    return false;
  }
  return true;
}

const memset: Effect = (context, args) => {
  if (!present(context, args[0], int(args[2]))) return 0;
  for (const word of wordsIn(context, args[0], int(args[2]))) {
    const to = cpuReach(context, shifted(context, args[0], word.byte), word.size);
    if (to.kind === 'fault') fault(context, to.why, 'memset');
    if (to.kind !== 'memory') continue;
    const value = patternOf(int(args[1]), word.size);
    cpuStore(context, to.destination, to.attribute, value);
  }
  return 0;
};

const memcpy: Effect = (context, args) => {
  const size = int(args[2]);
  const from = wordsIn(context, args[1], size);
  const target = pointerArg(context, args[0]);
  for (const word of wordsIn(context, args[0], size)) {
    const source = pointerArg(context, args[1]);
    context.layout.cell(source.map.buffer, source.offset + word.byte, word.size);
  }
  if (!present(context, args[1], size) || !present(context, args[0], size)) return 0;
  for (const word of from) {
    context.layout.cell(target.map.buffer, target.offset + word.byte, word.size);
    const source = cpuReach(context, shifted(context, args[1], word.byte), word.size);
    const to = cpuReach(context, shifted(context, args[0], word.byte), word.size);
    if (source.kind !== 'memory' || to.kind !== 'memory') {
      fault(context, source.kind === 'fault' ? source.why : 'no page is mapped there', 'memcpy');
      continue;
    }
    if (loadMustWait(context, source.destination, source.attribute)) {
      context.blocked = true;
      return 0;
    }
    const value = cpuLoad(context, source.destination, source.attribute, source.user, false);
    cpuStore(context, to.destination, to.attribute, value);
  }
  return 0;
};

const bytes: readonly Param[] = [
  { name: 'dst', kinds: ['ptr'] },
  { name: 'value', kinds: ['int'] },
  { name: 'size', kinds: ['int'] },
];

export const memoryOperations: readonly Operation[] = [
  {
    name: 'memset',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['M5'],
    params: bytes,
    doc: 'stores to every word of the range the scenario names',
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
    effect: memcpy,
    source: 'lib/string.c:memcpy',
  },
];
