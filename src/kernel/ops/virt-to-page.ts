/**
 * Operations: the page behind an address or a frame number that may be of another kind (H15).
 * Sources: arch/arm64/include/asm/memory.h:virt_to_page and
 * include/asm-generic/memory_model.h:pfn_to_page, which compute and do not look;
 * mm/vmalloc.c:vmalloc_to_page, which walks the kernel's page tables.
 * Leaves out: an address whose result is no page at all.
 */
import { fail, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { allocatePages } from '../pages.js';
import { physicalPlace } from '../dma-address.js';
import type { Effect, Operation } from '../registry.js';
import type { Value } from '../value.js';
import { newBuffer } from './pages.js';

const virtToPage: Effect = (context, args) => {
  const { map } = pointerArg(context, args[0]);
  if (map.kind === 'linear') return { kind: 'buffer', id: map.buffer };
  return otherPage(context, map.buffer, 'the address is not in the linear map');
};

/** Whose page it is nobody knows; who asks takes it for one of the buffer `meant`. */
function otherPage(context: KernelContext, meant: number, why: string): Value {
  const size = context.machine.pageSize;
  const other = newBuffer(context, { kind: 'pages', size, contiguous: true });
  allocatePages(context, other.id, false);
  context.setBuffer({ ...context.buffer(other.id), standsFor: meant });
  context.say('H15', () => `${why}: this is some other page`);
  return { kind: 'buffer', id: other.id };
}

/** A DMA address taken for a physical one is right only where they are the same. */
const pfnToPage: Effect = (context, args) => {
  const address = int(args[0]) * context.machine.pageSize;
  const place = physicalPlace(context, address);
  const mapped = context.kernel.mappings
    .flatMap(({ pieces }) => pieces)
    .find((piece) => piece.address <= address && address < piece.address + piece.size);
  if (mapped !== undefined && mapped.buffer !== place?.buffer) {
    return otherPage(context, mapped.buffer, 'a DMA address is no physical address here');
  }
  if (place === null) return fail(context, 'no page has this frame number');
  return { kind: 'buffer', id: place.buffer };
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
  {
    name: 'pfn_to_page',
    family: 'pages',
    where: 'cpu',
    returns: 'page',
    rules: ['M1'],
    params: [{ name: 'pfn', kinds: ['int'] }],
    doc: 'the memory with that frame (of several pages, all); out of a DMA address, another page',
    source: 'include/asm-generic/memory_model.h:__pfn_to_page',
    effect: pfnToPage,
  },
];
