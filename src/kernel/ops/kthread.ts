/**
 * The end of a thread, as another one waits for it (model.md §1: thread start and end). The
 * language names the thread (lower-builtin.ts), so that this is no operation of the registry.
 * Source: kernel/kthread.c (kthread_stop waits for to_kthread(k)->exited, which kthread_exit
 * completes).
 * Leaves out: kthread_should_stop(), and what the thread returns.
 */
import { int } from '../args.js';
import type { Operation } from '../registry.js';

export const kthreadStop: Operation = {
  name: 'kthread_stop',
  family: 'threads',
  where: 'cpu',
  returns: 'void',
  params: [{ name: 'k', kinds: ['int'] }],
  rules: ['M7'],
  doc: 'waits for the end of another thread, and for what its CPU stored before',
  source: 'kernel/kthread.c:kthread_stop',
  blocks: true,
  effect: (context, args) => {
    const clock = context.step.endOf(int(args[0]));
    if (clock === null) context.blocked = true;
    else context.learn(clock);
    return 0;
  },
};
