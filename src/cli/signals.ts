/**
 * Ctrl-C during a long run: the first asks for what is known, the second ends at once. SIGTERM is
 * treated alike, since that is what a time limit around civac sends.
 */
import { exitCode } from './exit-codes.js';
import type { Interruption } from './runner.js';

export interface Signals extends Interruption {
  /** Gives the signals back their usual meaning. */
  release(): void;
}

export function watchSignals(): Signals {
  const handlers: (() => void)[] = [];
  let happened = false;
  const onSignal = () => {
    if (happened) process.exit(exitCode.interrupted);
    happened = true;
    for (const handler of handlers) handler();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    get happened() {
      return happened;
    },
    onInterrupt(handler) {
      if (happened) handler();
      else handlers.push(handler);
    },
    release() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
