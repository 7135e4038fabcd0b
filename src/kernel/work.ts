/** What calls leave to be done step by step after the kernel's books were changed. */
import type { Entry } from '../machine/store-buffer.js';
import type { Translation } from './state.js';
import type { Bounce } from './swiotlb.js';
import type { Saved } from './ttm.js';

/** What a thread still has to do for the call it is in, after the books were changed. */
export type Work =
  | { readonly do: 'enqueue'; readonly entries: readonly Entry[] }
  /** `dsb`: until the store buffer is empty. `stores`: maintenance may stay (M9). */
  | { readonly do: 'drained'; readonly what: 'all' | 'stores' }
  | PteWork
  /** TLBI of an IOMMU; `lazily`: it waits in a flush queue. */
  | {
      readonly do: 'iotlb';
      readonly domain: number;
      readonly iova: number;
      readonly size: number;
      readonly lazily: boolean;
    }
  | { readonly do: 'translate'; readonly domain: number; readonly entry: Translation }
  | {
      readonly do: 'untranslate';
      readonly domain: number;
      readonly iova: number;
      readonly size: number;
      readonly sync: boolean;
    }
  /** TLBI and DSB: until no CPU has a store under way to these frames. */
  | { readonly do: 'tlbi'; readonly frames: readonly number[] }
  /** The firmware gives pages to another world, or takes them back (M16). */
  | { readonly do: 'assign'; readonly frames: readonly number[]; readonly secure: boolean }
  /** Until what the device wrote is in memory: its interrupt comes behind. */
  | { readonly do: 'arrived' }
  | { readonly do: 'free'; readonly buffer: number }
  /** Until the device has done so many jobs. */
  | { readonly do: 'fence'; readonly device: number; readonly ticket: number }
  | { readonly do: 'swap-out' | 'migrate'; readonly buffer: number }
  /** ttm_tt_swapin() */
  | { readonly do: 'copy-back'; readonly buffer: number; readonly lines: Saved }
  | Bounce;

/** Stores to page tables in memory, and the change of the books that goes with them (M12). */
export interface PteWork {
  readonly do: 'pte';
  readonly stores: readonly { readonly cell: number; readonly value: number }[];
  readonly domain: number;
  readonly install?: Translation;
  readonly remove?: { readonly iova: number; readonly size: number };
}
