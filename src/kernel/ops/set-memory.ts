/**
 * Operations: x86's in-place change of memory types, and its cache flushes (K3, K4, M13).
 * Sources (v6.12): arch/x86/mm/pat/set_memory.c, arch/x86/lib/cache-smp.c:wbinvd_on_all_cpus.
 * Leaves out: set_memory_*() of a vmap or module address; of write-through.
 */
import type { Attribute } from '../../machine/attributes.js';
import { bufferArg, fail, int, pointerArg, rangeArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { setLinearAttribute } from '../linear-map.js';
import { maintain, type Range, wholeBuffer } from '../maintenance.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Value } from '../value.js';

const count: Param = { name: 'numpages', kinds: ['int'] };

const types = [
  ['wc', 'NC', 'write-combining'],
  ['uc', 'DEV', 'uncached'],
  ['wb', 'WB', 'write-back'],
] as const;

/** What a change does, told once for both ways to name the pages. */
function docOf(attribute: Attribute, name: string): string {
  const flush =
    attribute === 'WB' ? 'nothing is cached that had to be flushed' : 'their lines are flushed';
  return `the pages become ${name} in the linear map; ${flush}`;
}

function row(name: string, attribute: Attribute, param: Param, doc: string): Operation {
  const byPointer = param.kinds.includes('ptr');
  return {
    name,
    profiles: ['x86'],
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'int',
    rules: ['K3', 'M13'],
    params: [param, count],
    doc,
    source: `arch/x86/mm/pat/set_memory.c:${name}`,
    removable: 'drop',
    effect: (context, args) => {
      const range = byPointer ? ofAddress(context, args) : ofPages(context, args);
      setLinearAttribute(context, range, attribute);
      return 0;
    },
  };
}

function ofAddress(context: KernelContext, args: readonly Value[]): Range {
  const { map } = pointerArg(context, args[0]);
  if (map.kind !== 'linear') fail(context, 'set_memory_*() takes a linear-map address here');
  const size = int(args[1]) * context.machine.pageSize;
  return { ...rangeArg(context, args[0], size) };
}

function ofPages(context: KernelContext, args: readonly Value[]): Range {
  const size = int(args[1]) * context.machine.pageSize;
  return { ...wholeBuffer(bufferArg(context, args[0])), size };
}

const flushRange: Effect = (context, args) => {
  maintain(context, 'clean+invalidate', rangeArg(context, args[0], args[1]));
  return 0;
};

const flushAll: Effect = (context) => {
  for (const buffer of context.kernel.buffers) {
    maintain(context, 'clean+invalidate', wholeBuffer(buffer));
  }
  return 0;
};

function flush(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  source: string,
  effect: Effect,
): Operation {
  return {
    name,
    profiles: ['x86'],
    family: 'cache helpers',
    where: 'cpu',
    returns,
    rules: ['K4', 'M9'],
    params,
    doc,
    source,
    removable: 'drop',
    effect,
  };
}

export const setMemoryOperations: readonly Operation[] = [
  ...types.flatMap(([short, attribute, name]) => [
    row(
      `set_memory_${short}`,
      attribute,
      { name: 'addr', kinds: ['ptr'] },
      docOf(attribute, name),
    ),
    row(
      `set_pages_array_${short}`,
      attribute,
      { name: 'pages', kinds: ['bo', 'page'] },
      docOf(attribute, name),
    ),
  ]),
  flush(
    'clflush_cache_range',
    'void',
    [
      { name: 'vaddr', kinds: ['ptr'] },
      { name: 'size', kinds: ['int'] },
    ],
    'writes back and invalidates every line the range touches, between two mb()',
    'arch/x86/mm/pat/set_memory.c:clflush_cache_range',
    flushRange,
  ),
  flush(
    'wbinvd_on_all_cpus',
    'int',
    [],
    'writes back and invalidates everything, on every CPU',
    'arch/x86/lib/cache-smp.c:wbinvd_on_all_cpus',
    flushAll,
  ),
];
