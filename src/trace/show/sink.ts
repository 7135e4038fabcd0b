/** Where an exporter puts what it makes. Leaves out files, which the command line knows. */
import type { TraceObserver, TraceResult } from '../model.js';

export interface ByteSink {
  /** Takes the bytes before it returns: they are overwritten afterwards. */
  write(bytes: Uint8Array): void;
}

/** An export in the making: watches the trace go by, then gets the result. */
export interface Exporter {
  readonly observer: TraceObserver;
  /** Writes the rest. To be called once, after the last event. */
  finish(result: TraceResult): void;
}
