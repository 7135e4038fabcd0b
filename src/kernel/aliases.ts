/**
 * Which CPU mappings of a buffer are live at once, for the alias facts of a report (model.md H5).
 * Leaves out: what differing attributes lead to; that is the machine's.
 */
import type { Attribute } from '../machine/attributes.js';
import { attributes } from '../machine/attributes.js';
import type { KernelContext, Named } from './context.js';
import type { Buffer, CpuMap } from './state.js';

export function mapName(kind: CpuMap['kind'], attribute: Attribute): string {
  const names = { linear: 'linear map', vmap: 'vmap', mmap: 'mmap', remap: 'dma_alloc mapping' };
  return `${names[kind]} (${attributes[attribute].name})`;
}

/** What maps the buffer now, the linear map first unless a page was taken out of it. */
export function liveMappings(context: KernelContext, buffer: Buffer): readonly Named[] {
  const frames = buffer.pages.flatMap((slot) => (slot.state === 'resident' ? [slot.frame] : []));
  const removed = frames.some((frame) => context.frame(frame)?.linear === false);
  const others = mappings(context, buffer, true);
  const [first = -1] = frames;
  const attribute = context.frame(first)?.linearAs ?? 'WB';
  return removed ? others : [{ name: mapName('linear', attribute), site: -1 }, ...others];
}

/** Mappings of the buffer that were there and are gone. */
export function goneMappings(context: KernelContext, buffer: Buffer): readonly Named[] {
  return mappings(context, buffer, false);
}

function mappings(context: KernelContext, buffer: Buffer, live: boolean): readonly Named[] {
  return context.kernel.maps
    .filter((each) => each.buffer === buffer.id && each.live === live && each.kind !== 'linear')
    .map((each) => ({ name: mapName(each.kind, each.attribute), site: each.id }));
}
