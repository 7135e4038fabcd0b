/**
 * mmu notifiers (K8): what is to be told before pages of user memory go, and what is done then.
 * The invalidate callback here is the right one: it waits for the device's jobs, takes the pages
 * out of the domain and invalidates the IOTLB. A driver's own, wrong one is written out in calls.
 * Source: mm/mmu_notifier.c (mmu_interval_notifier_insert, mmu_interval_read_retry, mn_itree_*).
 */
import type { KernelContext } from './context.js';
import { domainOf } from './iommu.js';
import { queueRemove } from './io-tables.js';
import type { Notifier } from './state.js';

function notifiersOf(context: KernelContext, buffer: number): readonly Notifier[] {
  return context.kernel.notifiers.filter((each) => each.buffer === buffer);
}

/** A job of the device is under way: rung for and not yet done. */
function busy(context: KernelContext, device: number): boolean {
  const port = context.kernel.ports[device];
  return port !== undefined && port.done < port.rung;
}

/** How often the pages of a buffer were taken away so far. */
export function invalidations(context: KernelContext, buffer: number): number {
  return context.kernel.invalidated.find(([id]) => id === buffer)?.[1] ?? 0;
}

/** False while a callback still waits for its device: the step does not happen now. */
export function invalidate(context: KernelContext, buffer: number): boolean {
  const mine = notifiersOf(context, buffer);
  const held = (id: number): boolean =>
    context.kernel.locks.some((lock) => lock.id === id && lock.holder >= 0);
  if (mine.some((each) => held(each.lock) || busy(context, each.device))) return false;
  for (const { domain } of mine) {
    const entries = domainOf(context, domain)?.entries ?? [];
    for (const entry of entries.filter((each) => each.buffer === buffer)) {
      const { iova, size } = entry;
      queueRemove(context, domain, iova, size, true);
    }
  }
  if (mine.length > 0) context.say('K8', () => 'the notifier has taken the pages from the device');
  const others = context.kernel.invalidated.filter(([id]) => id !== buffer);
  const next: readonly [number, number] = [buffer, invalidations(context, buffer) + 1];
  context.update({ invalidated: [...others, next].sort((a, b) => a[0] - b[0]) });
  return true;
}
