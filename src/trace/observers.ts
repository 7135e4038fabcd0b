/** Several observers of one trace as one; a moment that nobody watches costs nothing. */
import type { TraceObserver } from './model.js';

export function everyObserver(observers: readonly TraceObserver[]): TraceObserver {
  const [only] = observers;
  if (only === undefined) return {};
  if (observers.length === 1) return only;
  const has = (name: keyof TraceObserver) => observers.some((each) => each[name] !== undefined);
  return {
    ...(has('opened') && {
      opened: (mapping) => {
        for (const each of observers) each.opened?.(mapping);
      },
    }),
    ...(has('closed') && {
      closed: (mapping) => {
        for (const each of observers) each.closed?.(mapping);
      },
    }),
    ...(has('synced') && {
      synced: (mapping, at, forCpu, offset, size) => {
        for (const each of observers) each.synced?.(mapping, at, forCpu, offset, size);
      },
    }),
    ...(has('matched') && {
      matched: (rule, at, detail, mappings) => {
        for (const each of observers) each.matched?.(rule, at, detail, mappings);
      },
    }),
  };
}
