/**
 * Operations: cache helpers of other architectures, for bugs that hang on what those do (K4).
 * Source: arch/mips/mm/c-r4k.c (v6.12). Leaves out: everything that arm64's helpers already do
 * under another name.
 */
import type { Entry } from '../../machine/store-buffer.js';
import { rangeArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { dsb, issue, type Range } from '../maintenance.js';
import { pageLayouts } from '../pages.js';
import type { Operation } from '../registry.js';

/** Invalidates of every line a range touches; unlike arm64's, a line that it cuts is not cleaned. */
function invalidateWholeLines(context: KernelContext, range: Range): Entry[] {
  const { pageSize, lineSize } = context.machine;
  const { pages } = context.buffer(range.buffer);
  return pageLayouts(context, range.buffer).flatMap(({ page, lines }, i): Entry[] => {
    const slot = pages[i];
    if (slot?.state !== 'resident') return [];
    const { frame } = slot;
    const from = range.from - page * pageSize;
    const to = from + range.size;
    const at = context.step.site;
    return lines.flatMap((each, line): Entry[] => {
      const start = each.line * lineSize;
      if (start + lineSize <= from || to <= start) return [];
      return [{ kind: 'maintain', op: 'invalidate', frame, line, from, to, at }];
    });
  });
}

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
      const entries = invalidateWholeLines(context, range);
      if (entries.length > 0) {
        context.recorder.maintained(range.buffer, context.step.site);
        issue(context, entries);
      }
      dsb(context);
      return 0;
    },
  },
];
