/**
 * Operations: pools of small coherent blocks (K5).
 * Source: mm/dmapool.c. Leaves out: a second page of a pool.
 */
import { deviceArg, fail, handle as handleOf, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { mapOf, unmapMap } from '../cpu-maps.js';
import { endMapping } from '../dma.js';
import { withFailures } from '../failures.js';
import { releasePages } from '../pages.js';
import type { Effect, Operation } from '../registry.js';
import type { Pool } from '../state.js';
import { NULL, type Value } from '../value.js';
import { allocCoherent, zoneFor } from './coherent.js';
import { addr, cpuAddr, dev, gfp, handle, op, pool, size } from './dma-parts.js';
import { memset } from './memory.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

function createPool(context: KernelContext, args: Args): Value {
  const device = deviceArg(context, args[0]);
  const align = Math.max(1, int(args[2]));
  const bytes = Math.max(int(args[1]), context.machine.pageSize);
  const zone = zoneFor(context, device);
  const what = { kind: 'coherent', size: bytes, contiguous: true, zone, device } as const;
  const { id } = newBuffer(context, what);
  const step = Math.ceil(Math.max(int(args[1]), SMALLEST_BLOCK) / align) * align;
  const boundary = Math.min(int(args[3]) || bytes, Math.max(bytes, step));
  if (boundary < step) fail(context, 'a block is larger than the boundary: dma_pool_create fails');
  const made: Pool = { id, device, step, boundary, map: -1, used: [] };
  context.update({ pools: [...context.kernel.pools, made] });
  return { kind: 'buffer', id };
}

/** struct dma_block, which stands in a block while it is free. */
const SMALLEST_BLOCK = 16;

/** Where a block begins: as many as fit stand between two boundaries. */
function offsetOf({ step, boundary }: Pool, block: number): number {
  const each = Math.floor(boundary / step);
  return Math.floor(block / each) * boundary + (block % each) * step;
}

/** The first one that nobody has; undefined where the page is full. */
function freeBlockOf(pool: Pool, bytes: number): number | undefined {
  for (let block = 0; offsetOf(pool, block) + pool.step <= bytes; block++) {
    if (!pool.used.includes(block)) return block;
  }
  return undefined;
}

function poolArg(context: KernelContext, value: Value | undefined): Pool {
  const id = handleOf(context, value, 'buffer');
  const found = context.kernel.pools.find((each) => each.id === id);
  return found ?? fail(context, 'this pool was destroyed');
}

function setPool(context: KernelContext, next: Pool): void {
  const pools = context.kernel.pools;
  context.update({ pools: pools.map((each) => (each.id === next.id ? next : each)) });
}

/** The first block takes a page of coherent memory, with its clean; later ones only a number. */
function allocBlock(context: KernelContext, args: Args): Value {
  let mine = poolArg(context, args[0]);
  const buffer = context.buffer(mine.id);
  if (mine.map < 0) {
    const made = allocCoherent(context, mine.device, buffer, int(args[1]), 0);
    if (made === null || typeof made.pointer !== 'object' || made.pointer.kind !== 'ptr')
      return NULL;
    mine = { ...mine, map: made.pointer.map };
  }
  const block = freeBlockOf(mine, buffer.size);
  if (block === undefined) return fail(context, 'the page of this pool is full: use another pool');
  setPool(context, { ...mine, used: [...mine.used, block].sort((a, b) => a - b) });
  const offset = offsetOf(mine, block);
  const mapping = context.kernel.mappings.find((each) => each.pieces[0]?.buffer === mine.id);
  context.out(2, (mapping?.address ?? 0) + offset);
  return { kind: 'ptr', map: mine.map, offset };
}

/** The pool's page is there: pool_block_pop() gives a block without allocating (mm/dmapool.c). */
function hasFreeBlock(context: KernelContext, args: Args): boolean {
  return poolArg(context, args[0]).map >= 0;
}

/** With __GFP_ZERO: a memset of the block, through the address that is given back. */
const zeroedBlock: Effect = (context, args) => {
  const { step } = poolArg(context, args[0]);
  const pointer = allocBlock(context, args);
  if (typeof pointer === 'object') memset(context, [pointer, 0, step]);
  return pointer;
};

function freeBlock(context: KernelContext, args: Args): Value {
  const mine = poolArg(context, args[0]);
  const { map, offset } = pointerArg(context, args[1]);
  const block = mine.used.find((each) => offsetOf(mine, each) === offset);
  if (map.id !== mine.map || block === undefined) {
    context.contract('dma_pool_free of a block that is not allocated from this pool');
    return 0;
  }
  setPool(context, { ...mine, used: mine.used.filter((each) => each !== block) });
  return 0;
}

function destroyPool(context: KernelContext, args: Args): Value {
  const mine = poolArg(context, args[0]);
  if (mine.used.length > 0) context.contract('dma_pool_destroy of a pool with blocks in use');
  const map = mapOf(context, mine.map);
  if (map !== undefined) unmapMap(context, map);
  const mapping = context.kernel.mappings.find((each) => each.pieces[0]?.buffer === mine.id);
  if (mapping !== undefined) endMapping(context, mapping, mapping.size);
  releasePages(context, mine.id);
  context.setBuffer({ ...context.buffer(mine.id), gone: 'freed' });
  context.update({ pools: context.kernel.pools.filter((each) => each.id !== mine.id) });
  return 0;
}

const rows: readonly Operation[] = [
  op(
    'dma_pool_create',
    'pool',
    [
      dev,
      size,
      { name: 'align', kinds: ['int'] },
      { name: 'boundary', kinds: ['int'], optional: true },
    ],
    'blocks of coherent memory that cross no multiple of the boundary, without a page yet',
    createPool,
  ),
  op(
    'dma_pool_alloc',
    'ptr',
    [pool, gfp, handle],
    'a block; the first one takes a page as dma_alloc_coherent does, with its clean',
    allocBlock,
  ),
  op(
    'dma_pool_zalloc',
    'ptr',
    [pool, gfp, handle],
    'as dma_pool_alloc, and the block is cleared through its non-cacheable address',
    zeroedBlock,
  ),
  op(
    'dma_pool_free',
    'void',
    [pool, cpuAddr, addr],
    'gives the block back; the page stays with the pool',
    freeBlock,
  ),
  op('dma_pool_destroy', 'void', [pool], 'unmaps and frees the page', destroyPool),
];

const block = { returns: NULL, unless: hasFreeBlock };

export const dmaPoolOperations = withFailures(rows, {
  fails: { dma_pool_create: NULL, dma_pool_alloc: block, dma_pool_zalloc: block },
  takeNull: ['dma_pool_destroy'],
});
