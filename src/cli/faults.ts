/**
 * Faults on order, for tests: CIVAC_FAULT=helper:throw, helper:exit or helper:memory makes every
 * helper thread (helpers.ts) fail that way when it begins a task; worker:... the same for threads
 * that check scenarios; member:... in a helper that has joined in an exploration, after some pieces
 * of it. Nothing happens without it.
 */

/** Pieces that a thread does before it fails. */
const PIECES = 20;
let pieces = 0;

/** Fails here if that was ordered for this kind of thread. */
export function faultOnOrder(thread: 'helper' | 'worker' | 'member'): void {
  const order = process.env.CIVAC_FAULT;
  if (order === undefined || !order.startsWith(`${thread}:`)) return;
  if (thread === 'member' && ++pieces < PIECES) return;
  switch (order.slice(thread.length + 1)) {
    case 'throw':
      throw new Error('a fault on order');
    case 'exit':
      // Of a thread: it is gone, and the program goes on.
      process.exit(0);
      break;
    case 'memory': {
      const kept: number[][] = [];
      for (;;) kept.push(new Array<number>(1000).fill(kept.length + 0.5));
    }
  }
}
