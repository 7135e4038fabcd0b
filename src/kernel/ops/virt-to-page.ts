/**
 * Operations: the page behind an address, where the address is no linear one (H15).
 * Sources: arch/arm64/include/asm/memory.h:virt_to_page, which computes and does not look;
 * mm/vmalloc.c:vmalloc_to_page, which walks the kernel's page tables.
 * Leaves out: an address whose result is no page at all.
 */
import { pointerArg } from '../args.js';
import { allocatePages } from '../pages.js';
import type { Effect, Operation } from '../registry.js';
import { newBuffer } from './pages.js';

const virtToPage: Effect = (context, args) => {
  const { map } = pointerArg(context, args[0]);
  if (map.kind === 'linear') return { kind: 'buffer', id: map.buffer };
  const size = context.machine.pageSize;
  const other = newBuffer(context, { kind: 'pages', size, contiguous: true });
  allocatePages(context, other.id, false);
  context.setBuffer({ ...context.buffer(other.id), standsFor: map.buffer });
  context.say('H15', () => 'the address is not in the linear map: this is some other page');
  return { kind: 'buffer', id: other.id };
};

const vmallocToPage: Effect = (context, args) => {
  const { map } = pointerArg(context, args[0]);
  if (map.user || map.kind === 'linear') {
    context.contract('vmalloc_to_page() of an address that vmalloc did not give');
  }
  return { kind: 'buffer', id: map.buffer };
};

export const virtToPageOperations: readonly Operation[] = [
  {
    name: 'virt_to_page',
    family: 'pages',
    where: 'cpu',
    returns: 'page',
    rules: ['M1', 'M13'],
    params: [{ name: 'address', kinds: ['ptr'] }],
    doc: 'the page behind a linear-map address; behind a remap or a vmap, another page',
    source: 'arch/arm64/include/asm/memory.h:virt_to_page',
    effect: virtToPage,
  },
  {
    name: 'vmalloc_to_page',
    family: 'pages',
    where: 'cpu',
    returns: 'page',
    rules: ['M1', 'M13'],
    params: [{ name: 'address', kinds: ['ptr'] }],
    doc: 'the page behind an address of vmap(), or of a remap by the DMA API',
    source: 'mm/vmalloc.c:vmalloc_to_page (is_vmalloc_or_module_addr)',
    effect: vmallocToPage,
  },
];
