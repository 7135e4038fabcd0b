/**
 * Operations: cache helpers of other architectures, for bugs that hang on what those do (K4).
 * Source: arch/mips/mm/c-r4k.c (v6.12). Leaves out: everything that arm64's helpers already do
 * under another name.
 */
import { rangeArg } from '../args.js';
import { maintain } from '../maintenance.js';
import type { Operation } from '../registry.js';

export const otherArchOperations: readonly Operation[] = [
  {
    name: 'dma_cache_inv',
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['M9', 'K4'],
    params: [
      { name: 'start', kinds: ['ptr'] },
      { name: 'size', kinds: ['int'] },
    ],
    doc: 'MIPS: invalidates every line the range touches; what else is in those lines is lost',
    source: 'arch/mips/mm/c-r4k.c:r4k_dma_cache_inv (blast_inv_dcache_range)',
    removable: 'drop',
    effect: (context, args) => {
      const range = rangeArg(context, args[0], args[1]);
      maintain(context, 'invalidate', { ...range, cutsDropped: true });
      return 0;
    },
  },
];
