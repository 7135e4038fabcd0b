/**
 * dmb(KIND) and dsb(KIND) as arm64 code writes them: each is one of the kernel's barriers, by the
 * domain and the accesses that its kind names (M7).
 * Sources: arch/arm64/include/asm/barrier.h (which kind each kernel barrier is), Arm ARM B2.3.12
 * (domains: who observes the order; a DSB completes maintenance for its domain only).
 * Leaves out: what a CPU's own table walks and instruction fetches see, for which nsh kinds are.
 */
import { findOperation, type Operation } from '../kernel/registry.js';
import type { CallNode } from './ast.js';
import type { ThreadContext } from './thread-context.js';
import { withoutParens } from './walk.js';

const dmbKinds: ReadonlyMap<string, string> = new Map([
  ['sy', 'dma_mb'],
  ['st', 'dma_wmb'],
  ['ld', 'dma_rmb'],
  ['osh', 'dma_mb'],
  ['oshst', 'dma_wmb'],
  ['oshld', 'dma_rmb'],
  ['ish', 'smp_mb'],
  ['ishst', 'smp_wmb'],
  ['ishld', 'smp_rmb'],
  ['nsh', 'barrier'],
  ['nshst', 'barrier'],
  ['nshld', 'barrier'],
]);

/** For devices a DSB also completes maintenance; for the inner domain it is no more than a DMB. */
const dsbKinds: ReadonlyMap<string, string> = new Map([
  ...dmbKinds,
  ['sy', 'mb'],
  ['st', 'wmb'],
  ['ld', 'rmb'],
  ['osh', 'mb'],
  ['oshst', 'wmb'],
  ['oshld', 'rmb'],
]);

/** The barrier that a call of dmb() or dsb() is; null after an error. */
export function barrierOf(context: ThreadContext, node: CallNode): Operation | null {
  const { callee, args, at } = node;
  const kinds = callee === 'dsb' ? dsbKinds : dmbKinds;
  const [given] = args;
  const kind = given === undefined ? null : withoutParens(given);
  const known = kind?.kind === 'name' ? kinds.get(kind.name) : undefined;
  const operation = known === undefined ? undefined : findOperation(known);
  if (operation === undefined) {
    context.diagnostics.error('L037', given?.at ?? at, `${callee}() needs a domain and accesses`, {
      expected: [...kinds.keys()].join(', '),
    });
    return null;
  }
  return { ...operation, name: callee, as: operation.name, profiles: ['arm64'] };
}
