/**
 * Operations: GEM objects of drm/msm, whose get_pages dma-maps for the clean (K7).
 * Source: drivers/gpu/drm/msm/msm_gem.c (v6.12).
 */
import { bufferArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { zapUserMaps } from '../cpu-maps.js';
import { msmPutPages } from '../msm.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Operation } from '../registry.js';
import type { Buffer } from '../state.js';
import type { Value } from '../value.js';
import {
  type Args,
  create,
  checkPurgeable,
  holdRow,
  isPurgeable,
  madviseRow,
  truncate,
  unmapIova,
  deviceParam,
  sizeParam,
  boParam,
  vaddrRow,
  wcOption,
} from './gem-parts.js';

function msmEvict(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.pins > 0 || buffer.vmaps > 0) {
    context.noop('the object is pinned or vmapped: not evicted');
    return 0;
  }
  evict(context, buffer);
  return 0;
}

function evict(context: KernelContext, buffer: Buffer): void {
  unmapIova(context, buffer);
  zapUserMaps(context, buffer.id);
  msmPutPages(context, context.buffer(buffer.id));
}

/**
 * msm_gem_shrinker_scan: first purges what is not needed, then evicts what is idle if there is
 * swap, each in the order of use, until so many pages are free.
 */
function shrink(context: KernelContext): Value {
  const most = context.option('nr_to_scan') || Number.MAX_SAFE_INTEGER;
  let pages = 0;
  let freed = 0;
  const take = (unused: (buffer: Buffer) => boolean, how: typeof purge): void => {
    for (const id of context.kernel.lru) {
      const buffer = context.buffer(id);
      if (pages >= most || buffer.gone !== 'no' || !buffer.held || !unused(buffer)) continue;
      how(context, buffer);
      pages += buffer.size / context.machine.pageSize;
      freed++;
    }
  };
  take((buffer) => isPurgeable(buffer) && buffer.vmaps === 0, purge);
  if (context.machine.swap !== 'none') {
    take((each) => !isPurgeable(each) && each.pins === 0 && each.vmaps === 0, evict);
  }
  if (freed === 0) context.noop('every object is in use: nothing is purged or evicted');
  return freed;
}

function msmPurge(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  checkPurgeable(context, buffer);
  purge(context, buffer);
  return 0;
}

function purge(context: KernelContext, buffer: Buffer): void {
  unmapIova(context, buffer);
  msmPutPages(context, context.buffer(buffer.id));
  truncate(context, buffer, 'purged');
}

const rows: readonly Operation[] = [
  {
    name: 'msm_gem_new',
    family: 'GEM',
    where: 'cpu',
    returns: 'bo',
    rules: ['K7'],
    params: [deviceParam, sizeParam],
    options: [wcOption],
    doc: 'an object of drm/msm; with map_wc (MSM_BO_WC) its get_pages dma-maps it for the clean',
    effect: create('msm', (wc) => wc),
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_new',
  },
  vaddrRow(
    'msm_gem_get_vaddr',
    false,
    'drivers/gpu/drm/msm/msm_gem.c:get_vaddr',
    "gets the pages (with their clean) and vmaps them with the object's attribute",
  ),
  vaddrRow(
    'msm_gem_put_vaddr',
    true,
    'drivers/gpu/drm/msm/msm_gem.c:msm_gem_put_vaddr_locked',
    'ends the vmap',
  ),
  holdRow(
    'msm_gem_pin_pages_locked',
    false,
    'drivers/gpu/drm/msm/msm_gem.c:msm_gem_pin_pages_locked',
    'get_pages and a pin: for MSM_BO_WC a dma_map_sgtable(BIDIRECTIONAL) cleans new pages',
  ),
  holdRow(
    'msm_gem_unpin_pages_locked',
    true,
    'drivers/gpu/drm/msm/msm_gem.c:msm_gem_unpin_pages_locked',
    'takes the pin back; the pages stay until evicted',
  ),
  madviseRow('msm_gem_madvise', 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_madvise'),
  {
    name: 'msm_gem_evict',
    family: 'GEM',
    where: 'cpu',
    returns: 'void',
    rules: ['K2', 'K7', 'M17'],
    params: [boParam],
    doc: 'the shrinker unmaps the object from every domain and from user space, then put_pages; nothing while pinned or vmapped',
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_evict',
    effect: msmEvict,
  },
  {
    name: 'msm_gem_shrinker_scan',
    family: 'GEM',
    where: 'cpu',
    returns: 'int',
    rules: ['K2', 'K7', 'M17'],
    params: [],
    options: [
      {
        name: 'nr_to_scan',
        kind: 'int',
        doc: 'stops when so many pages are free; those used longest ago go first (0: all)',
      },
    ],
    doc: 'memory is short: objects that may be purged are, and then with swap idle ones are evicted, in the order of use; how many',
    source: 'drivers/gpu/drm/msm/msm_gem_shrinker.c:msm_gem_shrinker_scan',
    effect: shrink,
  },
  {
    name: 'msm_gem_purge',
    family: 'GEM',
    where: 'cpu',
    returns: 'void',
    rules: ['K2', 'K7'],
    params: [boParam],
    doc: 'as evict, and the contents are thrown away',
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_purge',
    effect: msmPurge,
  },
];

export const msmOperations = withFailures(rows, { fails: { msm_gem_new: ENOMEM, msm_gem_get_vaddr: ENOMEM, msm_gem_pin_pages_locked: ENOMEM } });
