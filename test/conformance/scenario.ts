/**
 * Writes recorded calls as scenarios: one call a line, so that what a line does can be compared
 * with what the kernel did. Knows how the recording driver came by each kind of buffer.
 */
export interface Call {
  readonly id: number;
  readonly group: string;
  readonly api: string;
  readonly dir: string;
  readonly attrs: string;
  readonly size: number;
  readonly offset: number;
  readonly syncOffset: string;
  readonly syncLength: string;
  readonly kind: string;
  /** What the kernel did, under the setting that the scenario is for. */
  readonly did: string;
}

export interface Written {
  readonly text: string;
  /** The call that stands on a line. */
  readonly calls: ReadonlyMap<number, Call>;
}

export const settings: Readonly<Record<string, { machine: string; device: string }>> = {
  'iommu-strict': { machine: '', device: '.iommu = smmu' },
  'iommu-lazy': { machine: '.iommu_strict = false;', device: '.iommu = smmu' },
  'iommu-strict+swiotlb-noforce': { machine: '.swiotlb = noforce;', device: '.iommu = smmu' },
  direct: { machine: '', device: '.iommu = none' },
  'direct+swiotlb-force': { machine: '.swiotlb = force;', device: '.iommu = none' },
  'direct+swiotlb-noforce': { machine: '.swiotlb = noforce;', device: '.iommu = none' },
  coherent: { machine: '', device: '.coherent = true, .iommu = smmu' },
  'coherent-direct': { machine: '', device: '.coherent = true' },
  'coherent-direct+swiotlb-force': { machine: '.swiotlb = force;', device: '.coherent = true' },
};

/** Entries of the recorded scatterlists: every second page, [offset in the page, length]. */
export const entries: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  'sg3-aligned': [
    [0, 4096],
    [0, 4096],
    [0, 4096],
  ],
  'sg3-ragged': [
    [8, 1000],
    [8, 1000],
    [8, 1000],
  ],
  'sg3-small-mixed': [
    [8, 96],
    [16, 40],
    [0, 2048],
  ],
  'sg3-concat': [
    [1024, 3072],
    [0, 4096],
    [0, 300],
  ],
};

/** The three mapped pages of the shmem file have a group each. */
function shmemPage({ group }: Call): number {
  return Number(group) - 3005;
}

/** Where in its buffer each part of a call begins, and how long it is. */
export function runs(call: Call): readonly (readonly [number, number])[] {
  const { kind, offset, size } = call;
  const list = entries[kind];
  if (kind === 'shmem') return [[shmemPage(call) * 4096, size]];
  if (list === undefined) return [[offset, size]];
  return list.map(([at, length], i) => [2 * i * 4096 + at, length] as const);
}

function attributes(attrs: string): string {
  return attrs === '0' ? '0' : attrs.replaceAll('+', ' | ').replaceAll(/\w+/g, 'DMA_ATTR_$&');
}

class Writer {
  private readonly lines: string[] = [];
  readonly calls = new Map<number, Call>();
  private userObject = '';

  constructor(head: readonly string[]) {
    this.lines.push(...head);
  }

  private put(line: string, call?: Call): void {
    this.lines.push(`\t${line}`);
    if (call !== undefined) this.calls.set(this.lines.length, call);
  }

  text(): string {
    return [...this.lines, '}', ''].join('\n');
  }

  call(call: Call): void {
    const { api } = call;
    if (api.startsWith('dma_map_single') || api === 'dma_map_page') this.map(call);
    else if (/^dma_(un)?map_sg|^dma_sync_sg/.test(api)) this.scatter(call);
    else if (/^dma_(sync|unmap)_(single|page)/.test(api)) this.whileMapped(call);
    else if (/^dma_pool/.test(api)) this.pool(call);
    else if (/^dma_(un)?map_resource/.test(api)) this.resource(call);
    else if (/noncontiguous$/.test(api)) this.noncontiguous(call);
    else if (/^dma_(alloc|free)/.test(api)) this.allocation(call);
    else this.memory(call);
  }

  private map(call: Call): void {
    const { group: g, kind, offset, size, dir, attrs } = call;
    const area = /^kmalloc-(\d+)/.exec(kind)?.[1];
    const skip = attributes(attrs);
    if (call.api === 'dma_map_page') {
      const page = kind === 'page-hi' ? 'hi' : 'lo';
      const args = `edu, ${page}, ${offset}, ${size}, DMA_${dir}`;
      const more = attrs === '0' ? '' : `, ${skip}`;
      this.put(`d${g} = dma_map_page${more && '_attrs'}(${args}${more});`, call);
      return;
    }
    if (area !== undefined) this.put(`u8 *k${g} = kmalloc(${area}, GFP_KERNEL);`);
    const start = area !== undefined ? `k${g}` : kind.startsWith('page-hi') ? 'hi_va' : 'lo_va';
    const args = `edu, ${start} + ${offset}, ${size}, DMA_${dir}`;
    const more = attrs === '0' ? '' : `, ${skip}`;
    this.put(`d${g} = dma_map_single${more && '_attrs'}(${args}${more});`, call);
  }

  private whileMapped(call: Call): void {
    const { group: g, api, size, dir, attrs, syncOffset, syncLength } = call;
    const range = api.includes('_range_') ? `${syncOffset}, ` : '';
    const length = api.startsWith('dma_sync') ? syncLength : size;
    const more = attrs === '0' ? '' : `, ${attributes(attrs)}`;
    this.put(`${api}${more && '_attrs'}(edu, d${g}, ${range}${length}, DMA_${dir}${more});`, call);
  }

  private table(call: Call): void {
    const { group: g, kind } = call;
    const list = entries[kind];
    this.put(`s${g} = sg_alloc_table(${list?.length ?? 1});`);
    list?.forEach(([at, length], i) => {
      this.put(`sg_set_page(s${g}, ${i}, big, ${length}, ${2 * i * 4096 + at});`);
    });
    if (list !== undefined) return;
    const user = kind.startsWith('user');
    const page = user ? this.userObject : kind === 'shmem' ? 'bo' : 'zeroed';
    const at = kind === 'shmem' ? shmemPage(call) * 4096 : 0;
    this.put(`sg_set_page(s${g}, 0, ${page}, 4096, ${at});`);
  }

  private scatter(call: Call): void {
    const { group: g, api, dir, attrs, kind } = call;
    if (/^dma_map_sg/.test(api)) this.table(call);
    const nents = /table/.test(api) ? '' : `${entries[kind]?.length ?? 1}, `;
    const more = attrs === '0' ? '' : `, ${attributes(attrs)}`;
    const name = nents !== '' && more !== '' ? `${api}_attrs` : api;
    this.put(`${name}(edu, s${g}, ${nents}DMA_${dir}${more});`, call);
  }

  private allocation(call: Call): void {
    const { group: g, api, size, attrs, kind, dir } = call;
    const flags =
      kind === 'alloc-zero'
        ? 'GFP_KERNEL | __GFP_ZERO'
        : kind === 'alloc-atomic-pool'
          ? 'GFP_ATOMIC'
          : 'GFP_KERNEL';
    const memory = api.endsWith('_pages') ? `g${g}` : `p${g}`;
    const more = api.endsWith('_attrs') ? `, ${attributes(attrs)}` : '';
    if (dir !== '-') {
      const made = api.endsWith('_pages') ? memory : `u8 *${memory}`;
      if (api.startsWith('dma_alloc')) {
        this.put(`${made} = ${api}(edu, ${size}, &d${g}, DMA_${dir}, ${flags});`, call);
      } else this.put(`${api}(edu, ${size}, ${memory}, d${g}, DMA_${dir});`, call);
    } else if (api.startsWith('dma_alloc')) {
      this.put(`u8 *${memory} = ${api}(edu, ${size}, &d${g}, ${flags}${more});`, call);
    } else this.put(`${api}(edu, ${size}, ${memory}, d${g}${more});`, call);
  }

  private noncontiguous(call: Call): void {
    const { group: g, api, size, attrs, dir } = call;
    if (api.startsWith('dma_alloc')) {
      this.put(`s${g} = ${api}(edu, ${size}, DMA_${dir}, GFP_KERNEL, ${attributes(attrs)});`, call);
    } else if (api.startsWith('dma_vmap')) {
      this.put(`u8 *v${g} = ${api}(edu, ${size}, s${g});`, call);
    } else if (api.startsWith('dma_vunmap')) this.put(`${api}(edu, v${g});`, call);
    else this.put(`${api}(edu, ${size}, s${g}, DMA_${dir});`, call);
  }

  private pool(call: Call): void {
    const { group: g, api, kind } = call;
    const n = kind === 'pool-first' ? 1 : 2;
    if (api === 'dma_pool_alloc') {
      if (n === 1) this.put(`pool${g} = dma_pool_create(edu, 96, 32);`);
      this.put(`u8 *b${n}_${g} = dma_pool_alloc(pool${g}, GFP_KERNEL, &d${n}_${g});`, call);
    } else if (api === 'dma_pool_free') {
      this.put(`dma_pool_free(pool${g}, b${n}_${g}, d${n}_${g});`, call);
    } else this.put(`dma_pool_destroy(pool${g});`, call);
  }

  private resource(call: Call): void {
    const { group: g, api, dir, attrs } = call;
    const more = attrs === '0' ? '' : `, ${attributes(attrs)}`;
    if (api === 'dma_map_resource') {
      this.put(`d${g} = ${api}(edu, 0x10000000, 4096, DMA_${dir}${more});`, call);
    } else this.put(`${api}(edu, d${g}, 4096, DMA_${dir}${more});`, call);
  }

  private memory(call: Call): void {
    const { api, kind } = call;
    const object = kind.replaceAll('-', '_');
    if (api === 'user_first_touch') {
      this.userObject = object;
      this.put(`${object} = drm_gem_object_init(edu, 65536);`);
      this.put(`u32 *u_${object} = mmap(${object});`);
    }
    // Reclaim takes the pages out of the page tables first.
    if (api === 'madvise_MADV_PAGEOUT') this.put(`drm_vma_node_unmap(${object});`);
    this.put(memoryCall(call, object), call);
  }
}

const wc = 'pgprot_writecombine(PAGE_KERNEL)';

function memoryCall({ api, kind, group: g, id }: Call, object: string): string {
  switch (api) {
    case 'shmem_read_mapping_page':
      return 'shmem_read_mapping_page(bo);';
    case 'vmap_writecombine':
      return `u8 *v${g} = vmap(${kind === 'page' ? 'zeroed' : 'bo'}, ${wc});`;
    case 'memset_via_wc_vmap':
      return `memset(v${g}, 0x5a, 16384);`;
    case 'vunmap':
      return `vunmap(v${g});`;
    case 'put_page+fput':
      return 'drm_gem_object_put(bo);';
    case 'alloc_page_zero':
      return 'zeroed = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);';
    case 'user_first_touch':
      return `u_${object}[0] = 1;`;
    case 'madvise_MADV_PAGEOUT':
      return `shmem_writepage(${object});`;
    case 'user_touch_after_swapout':
      return `u32 t${id} = u_${object}[0];`;
    case 'user_write_after_swapin':
      return `u_${object}[0] = 2;`;
    default:
      throw new Error(`do not know ${api}`);
  }
}

/** A scenario that makes the calls in order, with the masks the driver had asked for by then. */
export function write(setting: string, calls: readonly Call[]): Written {
  const { machine = '', device = '' } = settings[setting] ?? {};
  const id = calls[0]?.id ?? 0;
  const masks = id < 4000 || id >= 8000 ? [64] : id < 6000 ? [32] : [32, 30];
  const writer = new Writer([
    'machine arm64 {',
    `\t.swap = zram; .memory_above_4g = true; ${machine}`,
    `\tdevice edu { ${device} };`,
    '}',
    'u8 *hi_va;',
    'u8 *lo_va;',
    'init {',
    '\thi = alloc_pages(GFP_KERNEL, 2);',
    '\tlo = alloc_pages(GFP_KERNEL | __GFP_DMA32, 2);',
    '\tbig = alloc_pages(GFP_KERNEL, 3);',
    '\tbo = drm_gem_object_init(edu, 65536);',
    '\thi_va = page_address(hi);',
    '\tlo_va = page_address(lo);',
    ...masks.map((bits) => `\tdma_set_mask_and_coherent(edu, DMA_BIT_MASK(${bits}));`),
    '}',
    'cpu driver {',
  ]);
  for (const call of calls) if (call.did !== 'SKIPPED') writer.call(call);
  return { text: writer.text(), calls: writer.calls };
}
