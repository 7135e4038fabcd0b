/**
 * mmu notifiers (K8): what is to be told before pages of user memory go, and what is done then.
 * The invalidate callback here is the right one: it waits for the device's jobs, takes the pages
 * out of the domain and invalidates the IOTLB. A driver's own is an override of invalidate(), whose
 * steps stand before the call that takes the pages (litmus/lower-call.ts).
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
export function isBusy(context: KernelContext, device: number): boolean {
  const port = context.kernel.ports[device];
  return port !== undefined && port.done < port.rung;
}

/** Takes the pages of a buffer out of a domain, and invalidates its IOTLB. */
export function takeFrom(context: KernelContext, domain: number, buffer: number): void {
  const entries = domainOf(context, domain)?.entries ?? [];
  for (const { iova, size } of entries.filter((each) => each.buffer === buffer)) {
    queueRemove(context, domain, iova, size, true);
  }
}

/** How often the pages of a buffer were taken away so far. */
export function invalidations(context: KernelContext, buffer: number): number {
  return context.kernel.invalidated.find(([id]) => id === buffer)?.[1] ?? 0;
}

/** The scenario's own callback is called, if somebody wants to know: whether that is so. */
export function invalidateStarts(context: KernelContext, buffer: number): boolean {
  if (notifiersOf(context, buffer).length === 0) return false;
  const { invalidating } = context.kernel;
  if (invalidating.some((each) => each.buffer === buffer)) {
    context.blocked = true;
    return false;
  }
  context.update({ invalidating: [...invalidating, { buffer, told: false }] });
  return true;
}

/** mmu_notifier_invalidate_range_end(): the driver's own callback has run before. */
export function invalidateEnds(context: KernelContext, buffer: number): void {
  const invalidating = context.kernel.invalidating.filter((each) => each.buffer !== buffer);
  if (invalidating.length < context.kernel.invalidating.length) context.update({ invalidating });
}

/** mmu_interval_set_seq(): who reads its sequence from now on waits, who has read it retries. */
export function setSequence(context: KernelContext, buffer: number): void {
  const { invalidating } = context.kernel;
  if (!invalidating.some((each) => each.buffer === buffer)) {
    context.contract('mmu_interval_set_seq outside the invalidate callback');
    return;
  }
  context.update({
    invalidating: invalidating.map((each) =>
      each.buffer === buffer ? { ...each, told: true } : each,
    ),
  });
  count(context, buffer);
}

export function isTold(context: KernelContext, buffer: number): boolean {
  return context.kernel.invalidating.some((each) => each.buffer === buffer && each.told);
}

function count(context: KernelContext, buffer: number): void {
  const others = context.kernel.invalidated.filter(([id]) => id !== buffer);
  const next: readonly [number, number] = [buffer, invalidations(context, buffer) + 1];
  context.update({ invalidated: [...others, next].sort((a, b) => a[0] - b[0]) });
}

/** False while a callback still waits for its device: the step does not happen now. */
export function invalidate(context: KernelContext, buffer: number): boolean {
  const mine = notifiersOf(context, buffer);
  if (context.overrides.has('invalidate')) {
    invalidateEnds(context, buffer);
    return true;
  }
  const held = (id: number): boolean =>
    context.kernel.locks.some((lock) => lock.id === id && lock.holder >= 0);
  if (mine.some((each) => held(each.lock) || isBusy(context, each.device))) return false;
  for (const { domain } of mine) takeFrom(context, domain, buffer);
  if (mine.length > 0) context.say('K8', () => 'the notifier has taken the pages from the device');
  count(context, buffer);
  return true;
}
