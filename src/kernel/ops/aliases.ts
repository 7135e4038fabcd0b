/**
 * Other names that Linux has for operations: the same to caches, mappings and pages. The compiler
 * takes one for the other.
 * Leaves out: names that differ by what they lock where the difference could be seen, and helpers
 * that take other arguments (litmus/spellings.ts).
 */
import type { Alias } from '../registry.js';

const GUP = 'mm/gup.c';
const SHMEM = 'drivers/gpu/drm/drm_gem_shmem_helper.c';

function same(to: string, name: string, source: string): Alias {
  return { name, to, source: `${source}:${name}` };
}

/** Since 6.2 importers that do not hold the reservation lock call these. */
const unlocked: readonly Alias[] = [
  'dma_buf_map_attachment',
  'dma_buf_unmap_attachment',
  'dma_buf_vmap',
  'dma_buf_vunmap',
].map((name) => same(name, `${name}_unlocked`, 'drivers/dma-buf/dma-buf.c'));

/** Named so since 6.15 or 6.16; callers hold the reservation lock. */
const locked: readonly Alias[] = [
  'drm_gem_shmem_get_pages',
  'drm_gem_shmem_put_pages',
  'drm_gem_shmem_get_pages_sgt',
  'drm_gem_shmem_pin',
  'drm_gem_shmem_unpin',
  'drm_gem_shmem_vmap',
  'drm_gem_shmem_vunmap',
  'drm_gem_shmem_madvise',
  'drm_gem_shmem_purge',
].map((name) => same(name, `${name}_locked`, SHMEM));

export const aliases: readonly Alias[] = [
  ...unlocked,
  ...locked,
  { ...same('alloc_pages', 'alloc_page', 'include/linux/gfp.h'), takes: 1 },
  { ...same('__free_pages', '__free_page', 'include/linux/gfp.h'), takes: 1 },
  // Without highmem these are the linear map (include/linux/highmem-internal.h).
  same('page_address', 'kmap_local_page', 'include/linux/highmem-internal.h'),
  same('page_address', 'kmap', 'include/linux/highmem-internal.h'),
  same('kmalloc', 'kvmalloc', 'mm/slub.c'),
  same('kzalloc', 'kvzalloc', 'include/linux/slab.h'),
  same('kfree', 'kvfree', 'mm/slub.c'),
  same('pin_user_pages_fast', 'pin_user_pages_unlocked', GUP),
  same('unpin_user_pages', 'unpin_user_pages_dirty_lock', GUP),
];
