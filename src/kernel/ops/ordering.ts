/**
 * Operations: barriers (M7, M8), locks and completions.
 * Sources: arch/{arm64,x86,riscv}/include/asm/barrier.h, Documentation/memory-barriers.txt. The
 * instructions named in the table are arm64's; machine/profile.ts has those of the others.
 * Leaves out: stores that overtake earlier loads (the second half of M8).
 */
import { join } from '../../ideal/word.js';
import { storesPending } from '../access.js';
import { fail, handle } from '../args.js';
import type { KernelContext } from '../context.js';
import { orderProfiles } from '../../machine/profile.js';
import { dsb, issue } from '../maintenance.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Lock } from '../state.js';
import type { Value } from '../value.js';

/** The barrier that the call is on this architecture; where there is none, the compiler's only. */
function barrier(call: 'dmaWmb' | 'wmb' | 'smpWmb' | 'smpMb'): Effect {
  return (context) => {
    const { profile } = context.machine;
    const scope = orderProfiles[profile][call];
    if (scope === 'dsb') dsb(context);
    else if (scope === 'none') context.noop(`a barrier for the compiler only on ${profile}`);
    else issue(context, [{ kind: 'barrier', scope, at: context.step.site }]);
    return 0;
  };
}

/** dmb osh: later loads wait as well, so the thread waits for its stores, not for maintenance. */
const fullBarrier: Effect = (context) => {
  context.queue({ do: 'drained', what: 'stores' });
  return 0;
};

const dsbEffect: Effect = (context) => {
  dsb(context);
  return 0;
};

/** No other agent sees an order: for the compiler, or for the CPU alone (dmb nsh). */
const ordersNothing: Effect = (context) => {
  context.noop('orders for nobody but this CPU');
  return 0;
};

/** Orders loads only: the lookahead of system/early.ts stops at it. */
const loadBarrier: Effect = () => 0;

function lockArg(context: KernelContext, value: Value | undefined, kind: Lock['kind']): Lock {
  const id = handle(context, value, kind);
  const found = context.kernel.locks.find((each) => each.id === id);
  return found ?? fail(context, `no such ${kind}`);
}

function setLock(context: KernelContext, next: Lock): void {
  context.update({
    locks: context.kernel.locks.map((each) => (each.id === next.id ? next : each)),
  });
}

const lock: Effect = (context, args) => {
  const mutex = lockArg(context, args[0], 'mutex');
  if (mutex.holder >= 0) context.blocked = true;
  else {
    context.learn(mutex.clock);
    setLock(context, { ...mutex, holder: context.step.agent });
  }
  return 0;
};

const unlock: Effect = (context, args) => {
  const mutex = lockArg(context, args[0], 'mutex');
  if (mutex.holder !== context.step.agent) {
    context.contract('unlocks a lock this thread does not hold');
  } else if (storesPending(context)) context.blocked = true;
  else setLock(context, { ...mutex, holder: -1, clock: join(mutex.clock, context.step.clock) });
  return 0;
};

const complete: Effect = (context, args) => {
  const done = lockArg(context, args[0], 'completion');
  if (storesPending(context)) context.blocked = true;
  else {
    const clock = join(done.clock, context.step.clock);
    setLock(context, { ...done, count: done.count + 1, clock });
  }
  return 0;
};

const waitForCompletion: Effect = (context, args) => {
  const done = lockArg(context, args[0], 'completion');
  if (done.count === 0) context.blocked = true;
  else {
    context.learn(done.clock);
    setLock(context, { ...done, count: done.count - 1 });
  }
  return 0;
};

function order(name: string, doc: string, source: string, effect: Effect): Operation {
  return {
    name,
    family: 'ordering',
    where: 'cpu',
    returns: 'void',
    params: [],
    rules: ['M7'],
    removable: 'drop',
    doc,
    source: `arch/arm64/include/asm/barrier.h: ${source}`,
    effect,
  };
}

const ordering: readonly Operation[] = [
  order('mb', 'everything before it is complete, maintenance included', 'dsb sy', dsbEffect),
  order('wmb', 'stores and maintenance before it are complete', 'dsb st', barrier('wmb')),
  order('rmb', 'orders loads', 'dsb ld', loadBarrier),
  order(
    'dma_mb',
    'orders earlier stores before later loads and stores, for devices',
    'dmb osh',
    fullBarrier,
  ),
  order(
    'dma_wmb',
    'orders earlier stores before later ones, for devices',
    'dmb oshst',
    barrier('dmaWmb'),
  ),
  order('dma_rmb', 'orders loads, for devices', 'dmb oshld', loadBarrier),
  order('smp_mb', 'orders for other CPUs only', 'dmb ish', barrier('smpMb')),
  order('smp_wmb', 'orders stores for other CPUs only', 'dmb ishst', barrier('smpWmb')),
  order('smp_rmb', 'orders loads for other CPUs only', 'dmb ishld', loadBarrier),
  {
    ...order('barrier', 'orders for the compiler only: nothing here', 'none', ordersNothing),
    source: 'include/linux/compiler.h:barrier',
    rules: ['M7', 'M17'],
  },
];

const mutexParam: Param = { name: 'lock', kinds: ['mutex'] };

const completionParam: Param = { name: 'done', kinds: ['completion'] };

function thread(name: string, param: Param, doc: string, effect: Effect): Operation {
  return {
    name,
    family: 'threads',
    where: 'cpu',
    returns: 'void',
    params: [param],
    rules: ['M7'],
    doc,
    source: 'model.md §1 (releases and acquires)',
    effect,
    blocks: true,
    // A release holds back what came before it, not what comes after.
    loadsPass: effect === unlock || effect === complete,
  };
}

const threads: readonly Operation[] = [
  thread('mutex_lock', mutexParam, 'waits for the lock, and for what its last holder did', lock),
  thread('mutex_unlock', mutexParam, 'releases it once earlier stores have drained', unlock),
  thread('spin_lock', mutexParam, 'as mutex_lock', lock),
  thread('spin_unlock', mutexParam, 'as mutex_unlock', unlock),
  thread('complete', completionParam, 'signals once earlier stores have drained', complete),
  thread('wait_for_completion', completionParam, 'waits for one complete()', waitForCompletion),
];

export const orderingOperations: readonly Operation[] = [...ordering, ...threads];
