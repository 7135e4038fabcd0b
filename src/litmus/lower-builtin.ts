/**
 * The calls that are part of the language and no operations: READ_ONCE and friends are loads and
 * stores, DMA_BIT_MASK and pgprot_* are constants.
 */
import { PROT_DEVICE, PROT_EXEC, PROT_WC } from '../kernel/constants.js';
import { kthreadStop } from '../kernel/ops/kthread.js';
import { findOperation } from '../kernel/registry.js';
import type { CallNode, Expression } from './ast.js';
import { barrierOf } from './barriers.js';
import { bitMask } from './constant-expression.js';
import { isMemory, lowerLoad, lowerPlace, unknownValue, writeStore } from './lower-memory.js';
import type { Destination, Lowered, ThreadContext } from './thread-context.js';
import { describeType, int32, int64 } from './types.js';
import { withoutParens } from './walk.js';

interface Builtin {
  readonly params: string;
  readonly arity: readonly [number, number];
  readonly doc: string;
  readonly lower: (context: ThreadContext, node: CallNode, into?: Destination) => Lowered;
  readonly returnsVoid?: boolean;
}

/** The functions that are part of the language. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [
    'READ_ONCE',
    {
      params: 'p[i]',
      arity: [1, 1],
      lower: lowerReadOnce,
      doc: 'a synchronising read: it is ordered after the write it returns',
    },
  ],
  [
    'WRITE_ONCE',
    {
      params: 'p[i], value',
      arity: [2, 2],
      lower: lowerWriteOnce,
      returnsVoid: true,
      doc: 'a plain store that is not torn or repeated',
    },
  ],
  [
    'smp_load_acquire',
    {
      params: '&p[i]',
      arity: [1, 1],
      lower: lowerReadOnce,
      doc: 'a synchronising read; later accesses come after it',
    },
  ],
  [
    'smp_store_release',
    {
      params: '&p[i], value',
      arity: [2, 2],
      lower: lowerWriteOnce,
      returnsVoid: true,
      doc: 'a store that comes after all accesses before it; later ones need not wait for it',
    },
  ],
  [
    'dmb',
    {
      params: 'sy | st | ld | osh[st|ld] | ish[st|ld] | nsh[st|ld]',
      arity: [1, 1],
      lower: lowerBarrier,
      returnsVoid: true,
      doc: 'arm64: orders for a domain: sy and osh as dma_mb(), ish as smp_mb(), and so on',
    },
  ],
  [
    'dsb',
    {
      params: 'sy | st | ld | osh[st|ld] | ish[st|ld] | nsh[st|ld]',
      arity: [1, 1],
      lower: lowerBarrier,
      returnsVoid: true,
      doc: 'arm64: sy and osh as mb(), st as wmb(), ld as rmb(); ish completes nothing for devices',
    },
  ],
  [
    'kthread_stop',
    {
      params: 'cpu thread',
      arity: [1, 1],
      lower: lowerStop,
      returnsVoid: true,
      doc: 'waits for the end of another thread, and for what its CPU stored before',
    },
  ],
  [
    'DMA_BIT_MASK',
    {
      params: 'bits',
      arity: [1, 1],
      lower: lowerBitMask,
      doc: 'a constant with so many low bits set',
    },
  ],
  ['pgprot_writecombine', pgprot(PROT_WC, 'Normal non-cacheable')],
  ['pgprot_dmacoherent', pgprot(PROT_WC, 'Normal non-cacheable on arm64')],
  ['pgprot_noncached', pgprot(PROT_DEVICE, 'Device-nGnRnE')],
  ['pgprot_device', pgprot(PROT_DEVICE, 'Device-nGnRE')],
]);

function pgprot(value: number, doc: string): Builtin {
  const lower = (context: ThreadContext, node: CallNode): Lowered => {
    const [base] = node.args;
    const given = base === undefined ? null : context.lower(base);
    if (given !== null && given.type.kind !== 'pgprot' && given.type.kind !== 'unknown') {
      const message = `${node.callee}() cannot change ${describeType(given.type)}`;
      context.diagnostics.error('L032', base?.at ?? node.at, message, { expected: 'PAGE_KERNEL' });
    }
    const bits = given?.expr.kind === 'const' ? given.expr.value : 0;
    const executable = typeof bits === 'number' && bits >= PROT_EXEC ? PROT_EXEC : 0;
    const expr = { kind: 'const', value: value + executable } as const;
    return { expr, type: { kind: 'pgprot' }, zero: false };
  };
  return { params: '[PAGE_KERNEL]', arity: [0, 1], doc: `page attributes: ${doc}`, lower };
}

export function lowerBuiltin(
  context: ThreadContext,
  node: CallNode,
  builtin: Builtin,
  into: Destination | undefined,
  used: boolean,
): Lowered {
  const [least, most] = builtin.arity;
  const given = node.args.length;
  if (given < least || given > most) {
    const count = `${least} argument${least === 1 ? '' : 's'}`;
    const message = `${node.callee}() takes ${count}, not ${given}`;
    context.diagnostics.error('L031', node.at, message, {
      expected: `${node.callee}(${builtin.params})`,
    });
    return unknownValue;
  }
  for (const { name, at } of node.options) {
    context.diagnostics.error('L022', at, `${node.callee}() has no option '.${name}'`);
  }
  if (used && builtin.returnsVoid === true) {
    context.diagnostics.error('L033', node.at, `${node.callee}() returns nothing`);
  }
  return builtin.lower(context, node, into);
}

/** The element that READ_ONCE(p[i]) or smp_load_acquire(&p[i]) is about; null after an error. */
function accessed(context: ThreadContext, node: CallNode): Expression | null {
  const given = node.args[0];
  if (given === undefined) return null;
  const first = withoutParens(given);
  const byAddress = node.callee.startsWith('smp_');
  if (!byAddress && isMemory(first)) return first;
  if (byAddress && first.kind === 'unary' && first.operator === '&') {
    const element = withoutParens(first.operand);
    if (isMemory(element)) return element;
  }
  // `smp_load_acquire(p)` and `(p + 1)`: the pointer itself, as C has it.
  if (byAddress && first.kind !== 'unary')
    return { kind: 'unary', operator: '*', operand: first, at: first.at };
  context.diagnostics.error('L036', first.at, `${node.callee}() is about an element of memory`, {
    expected: byAddress ? "'&p[i]'" : "'p[i]' or '*p'",
  });
  return null;
}

function lowerReadOnce(context: ThreadContext, node: CallNode, into?: Destination): Lowered {
  const element = accessed(context, node);
  if (element === null) return unknownValue;
  const acquires = node.callee === 'smp_load_acquire';
  const loaded = lowerLoad(context, element, true, into, acquires);
  if (acquires) writeAcquire(context, node);
  return loaded;
}

/**
 * What keeps later accesses behind it: ldar is not bound to a shareability domain, as dmb ishld is,
 * and RISC-V's fence r,rw holds stores, which its load barriers do not. It is part of the access;
 * no test may take it away on its own.
 */
function writeAcquire(context: ThreadContext, node: CallNode): void {
  const barrier = findOperation('dma_rmb');
  if (barrier === undefined) return;
  const { removable: _part, ...plain } = barrier;
  const operation = { ...plain, as: 'smp_load_acquire' };
  context.code.write({ op: 'call', operation, args: [], options: {}, sync: false, at: node.at });
}

function lowerBarrier(context: ThreadContext, node: CallNode): Lowered {
  const operation = barrierOf(context, node);
  if (operation !== null) {
    context.code.write({ op: 'call', operation, args: [], options: {}, sync: false, at: node.at });
  }
  return unknownValue;
}

function lowerStop(context: ThreadContext, node: CallNode): Lowered {
  const [given] = node.args;
  const name = given === undefined ? null : withoutParens(given);
  const { cpuThreads } = context.symbols;
  const agent = name?.kind === 'name' ? cpuThreads.get(name.name) : undefined;
  const { role, name: own } = context.thread;
  if (agent === undefined || agent === cpuThreads.get(own)) {
    const others = [...cpuThreads.keys()].filter((each) => each !== own);
    context.diagnostics.error('L032', given?.at ?? node.at, 'kthread_stop() waits for a thread', {
      expected: others.length > 0 ? others.join(', ') : 'another cpu thread',
    });
    return unknownValue;
  }
  if (role !== 'cpu') {
    const message = `kthread_stop() waits, and that in a cpu thread, not in ${role}`;
    context.diagnostics.error('L035', node.at, message);
    return unknownValue;
  }
  const value = { kind: 'const', value: agent } as const;
  const args = [{ kind: 'value', value }] as const;
  const call = { op: 'call', operation: kthreadStop, args, options: {}, sync: false } as const;
  context.code.write({ ...call, at: node.at });
  return unknownValue;
}

function lowerWriteOnce(context: ThreadContext, node: CallNode): Lowered {
  const element = accessed(context, node);
  const place = element === null ? null : lowerPlace(context, element);
  const written = node.args[1];
  const value = written === undefined ? unknownValue : context.lower(written);
  if (place === null) return unknownValue;
  writeStore(context, place, value, node.at, node.callee === 'smp_store_release');
  return unknownValue;
}

function lowerBitMask(context: ThreadContext, node: CallNode): Lowered {
  const value = bitMask(node, (name) => context.known(name));
  if (value === null) {
    const at = node.args[0]?.at ?? node.at;
    context.diagnostics.error('L037', at, 'DMA_BIT_MASK() needs a number of bits', {
      expected: '1 to 64',
    });
    return unknownValue;
  }
  const type = value < 2 ** 32 ? int32 : int64;
  return { expr: { kind: 'const', value }, type, zero: false };
}
