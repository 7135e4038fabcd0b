/** The hooks of all rules, by moment, so that the hot loop calls just those that exist. */
import type { Hooks, Rule } from '../judge/rule.js';

type Bound = { readonly [K in keyof Hooks]-?: readonly NonNullable<Hooks[K]>[] };

export function bindHooks(rules: readonly Rule[]): Bound {
  const of = <K extends keyof Hooks>(name: K): NonNullable<Hooks[K]>[] =>
    rules.flatMap((rule) => {
      const hook = rule[name];
      return hook === undefined ? [] : [hook as NonNullable<Hooks[K]>];
    });
  return {
    mapped: of('mapped'),
    overlapped: of('overlapped'),
    unmapped: of('unmapped'),
    unmapMissed: of('unmapMissed'),
    synced: of('synced'),
    syncMissed: of('syncMissed'),
    pageFreed: of('pageFreed'),
    pageAllocated: of('pageAllocated'),
    pageWrittenOut: of('pageWrittenOut'),
    faulted: of('faulted'),
    ended: of('ended'),
  };
}

export type BoundHooks = Bound;
