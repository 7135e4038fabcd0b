/**
 * Changing what the linear map says of pages, in place (M13, K3): the memory type on x86.
 * Sources (v6.12): arch/x86/mm/pat/set_memory.c (_set_pages_array: to UC- and from there to WC,
 * set_pages_array_wb), cpa_flush (TLB of every CPU, then CLFLUSHOPT by line between two mb(),
 * nothing for write-back).
 * Leaves out: memtype_reserve, which refuses pages that have a type already; large pages, which
 * are split; a TLB entry used between the page table's change and the flush.
 */
import type { Attribute } from '../machine/attributes.js';
import type { KernelContext } from './context.js';
import { dsb, maintain, type Range } from './maintenance.js';
import type { Frame } from './state.js';

/** The pages of a byte range get a memory type of their own, and lose what is cached of them. */
export function setLinearAttribute(
  context: KernelContext,
  range: Range,
  attribute: Attribute,
): void {
  const { pageSize } = context.machine;
  const buffer = context.buffer(range.buffer);
  buffer.pages.forEach((slot, i) => {
    const page = context.layout.pages(buffer.id)[i]?.page ?? 0;
    const inside = page * pageSize < range.from + range.size && range.from < (page + 1) * pageSize;
    if (slot.state !== 'resident' || !inside) return;
    const frame = context.frame(slot.frame);
    if (frame !== undefined) context.setFrame(slot.frame, withAttribute(frame, attribute));
  });
  context.say('M13', () => `the linear map of the pages is ${attribute} now`);
  // The interrupt that flushes the TLB of a CPU also empties its buffers.
  dsb(context);
  if (attribute !== 'WB') maintain(context, 'clean+invalidate', range);
}

function withAttribute({ linearAs: _, ...frame }: Frame, attribute: Attribute): Frame {
  return attribute === 'WB' ? frame : { ...frame, linearAs: attribute };
}
