/**
 * Operations: udmabuf, a dma-buf over pages of a memfd (K8). It maps attachments once, with
 * maintenance; begin_cpu_access and end_cpu_access go by a table of its own, which is mapped for
 * the misc device at the first begin; importers' devices do not count.
 * Source: drivers/dma-buf/udmabuf.c (udmabuf_ops, get_sg_table, begin_cpu_udmabuf).
 * Leaves out: the memfd's own file; user space's mapping of either shows the same pages.
 */
import { deviceArg, int } from '../args.js';
import type { KernelContext } from '../context.js';
import { ENOMEM, withFailures } from '../failures.js';
import { allocatePages } from '../pages.js';
import { family, type Operation } from '../registry.js';
import type { Value } from '../value.js';
import { newBuffer } from './pages.js';

function create(context: KernelContext, args: readonly Value[]): Value {
  const device = deviceArg(context, args[0]);
  const { id } = newBuffer(context, { kind: 'udmabuf', size: int(args[1]), device });
  allocatePages(context, id, true);
  return { kind: 'buffer', id };
}

const op = family({ family: 'dma-buf', where: 'cpu', returns: 'dmabuf', rules: ['K8'] });

const rows: readonly Operation[] = [
  op(
    'udmabuf_create',
    [
      { name: 'dev', kinds: ['device'] },
      { name: 'size', kinds: ['int'] },
    ],
    "a dma-buf over a memfd's pages, which stay where they are: cached, zeroed through the " +
      'linear map; dev is the misc device that its begin/end_cpu_access sync for',
    'drivers/dma-buf/udmabuf.c:udmabuf_create',
    create,
  ),
];

export const udmabufOperations = withFailures(rows, { fails: { udmabuf_create: ENOMEM } });
