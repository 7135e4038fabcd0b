/** Facts gathered beside the states: they never change what is explored. */
import type { Cell } from './layout.js';

export type NoteKind = 'no-op' | 'warning';

/** What a kernel function does to a byte range of a buffer, on its own account. */
export interface Operated {
  readonly site: number;
  readonly op: 'clean' | 'invalidate' | 'clean+invalidate' | 'copy in' | 'copy out';
  readonly buffer: number;
  readonly from: number;
  readonly size: number;
}

/** A CPU mapping in a report: its name, and the instruction that made it (-1: the linear map). */
export interface Named {
  readonly name: string;
  readonly site: number;
}

/** An access to a word that this exploration leaves out (Layout.hide). */
export interface Passed {
  readonly site: number;
  readonly kind: 'load' | 'store';
  readonly cell: Cell;
  /** It synchronises, so that what it reads decides what comes after. */
  readonly sync: boolean;
  /** The ideal memory refuses it, or another word stands where it arrives. */
  readonly astray: boolean;
  /** Getting there changed nothing: no page fault, no translation used for the first time. */
  readonly quiet: boolean;
}

export interface Recorder {
  readonly tracing: boolean;
  /** Nobody will ask which mappings there were at once, and what maintenance kept them apart. */
  readonly quiet?: boolean;
  note(kind: NoteKind, rule: string, site: number, message: string): void;
  /** A mapping came; `beside`: the other mappings of the buffer that were live at that moment. */
  mapped(buffer: number, mapping: Named, beside: readonly Named[]): void;
  /** Maintenance reached a buffer: its mappings at that moment, and those that had been. */
  maintained(buffer: number, site: number, live: readonly Named[], gone: readonly Named[]): void;
  /** A row of the cache table came up that is open under this liberty only. */
  met?(liberty: string): void;
  /** Bytes a call maintains or bounces, whether or not the scenario names a word there. */
  operated?(what: Operated): void;
  passed?(what: Passed): void;
  /** An access to a word that is not left out. */
  reached?(site: number, kind: 'load' | 'store'): void;
  /** A read of a word was judged; `cell`: the word's id. */
  read?(site: number, cell: number): void;
  /** The ideal memory took a store to a word. */
  wrote?(site: number, cell: number): void;
  /** The newest value of a word is nowhere any more; `site` -1: the cache did it by itself. */
  lost?(site: number): void;
  /** Lines of different words act on each other here: a page, a slot, a place in two hands. */
  couples?(why: string): void;
  /** An access had nowhere to arrive, or took a page fault first. */
  faulted?(site: number): void;
  /** A value goes from one word to another without passing through a local. */
  copies?(from: Cell, to: Cell): void;
  /** A TLB invalidation waits for the stores of every CPU. */
  waitsForStores?(): void;
}
