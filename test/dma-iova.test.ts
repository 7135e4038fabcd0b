/** dma_iova_*: mappings made piece by piece; dmam_alloc_*: memory that goes with the driver. */
import { describe, expect, it } from 'vitest';
import { outcomeOnBoth } from './corpus-scenarios.js';

interface Scene {
  readonly machine?: string;
  readonly device?: string;
  readonly init?: string;
  readonly cpu: string;
  readonly nic?: string;
}

function outcome({
  machine = '',
  device = ', .iommu = smmu',
  init = '',
  cpu,
  nic = '',
}: Scene): string {
  const text = `machine arm64 {
	${machine}
	device nic { .coherent = false${device} };
}
u32 *p;
u32 *q;
dma_addr_t addr;
struct dma_iova_state state;
init {
	p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	q = kzalloc(PAGE_SIZE, GFP_KERNEL);
	${init}
}
cpu driver {
	${cpu}
}
device nic {
	${nic}
}
`;
  return outcomeOnBoth(text);
}

const take = 'dma_iova_try_alloc(nic, &state, 0, 2 * PAGE_SIZE);\n\taddr = dma_iova_addr(&state);';
const linked = (dir: string, attrs = '0'): string =>
  `dma_iova_link(nic, &state, virt_to_phys(p), 0, PAGE_SIZE, ${dir}, ${attrs});
	dma_iova_link(nic, &state, virt_to_phys(q), PAGE_SIZE, PAGE_SIZE, ${dir}, ${attrs});
	dma_iova_sync(nic, &state, 0, 2 * PAGE_SIZE);`;
const run = 'submit(nic);\n\twait(nic);';
const destroy = 'dma_iova_destroy(nic, &state, 2 * PAGE_SIZE, DMA_FROM_DEVICE, 0);';

describe('dma_iova_*', () => {
  it('cleans what it links, page by page, at addresses one behind the other', () => {
    const read = 'u32 x = dma_read(addr);\n\tu32 y = dma_read(addr + PAGE_SIZE);';
    const to = (attrs: string): Scene => ({
      init: take,
      cpu: `p[0] = 1;\n\tq[0] = 2;\n\t${linked('DMA_TO_DEVICE', attrs)}\n\tsubmit(nic);`,
      nic: read,
    });
    expect(outcome(to('0'))).toBe('coherent');
    expect(outcome(to('DMA_ATTR_SKIP_CPU_SYNC'))).toBe('H2 H6');
    const one = 'dma_iova_link(nic, &state, virt_to_phys(p), 0, PAGE_SIZE, DMA_TO_DEVICE, 0);';
    expect(outcome({ init: take, cpu: `${one}\n\tsubmit(nic);`, nic: read })).toBe('H14');
  });

  it('invalidates when it ends; unlink ends a part', () => {
    const write = 'dma_write(addr + PAGE_SIZE, 7);';
    const from = (end: string, attrs = '0'): Scene => ({
      init: `${take}\n\t${linked('DMA_FROM_DEVICE')}`,
      cpu: `u32 before = q[0];\n\t${run}\n\t${end.replace(', 0)', `, ${attrs})`)}\n\tu32 x = q[0];`,
      nic: write,
    });
    expect(outcome(from(destroy))).toBe('coherent');
    expect(outcome(from(destroy, 'DMA_ATTR_SKIP_CPU_SYNC'))).toBe('H1');
    const part = (at: string): string =>
      `dma_iova_unlink(nic, &state, ${at}, PAGE_SIZE, DMA_FROM_DEVICE, 0);`;
    expect(outcome(from(part('PAGE_SIZE')))).toBe('coherent');
    expect(outcome(from(part('0')))).toBe('H1');
  });

  it('takes the translations away: at once, or destroyed with the flush queue', () => {
    const gone = (end: string, strict = true): Scene => ({
      machine: `.iommu_strict = ${strict};`,
      init: `${take}\n\t${linked('DMA_FROM_DEVICE')}`,
      cpu: `${end}\n\tkfree(p);\n\tsubmit(nic);`,
      nic: 'dma_write(addr, 7);',
    });
    const unlink = 'dma_iova_unlink(nic, &state, 0, 2 * PAGE_SIZE, DMA_FROM_DEVICE, 0);';
    expect(outcome(gone(destroy))).toBe('H14');
    expect(outcome(gone(unlink, false))).toBe('H14');
    expect(outcome(gone(destroy, false))).toBe('H8 H14');
  });

  it('needs dma_iova_sync where the IOTLB keeps that nothing is mapped', () => {
    const read = (sync: boolean): Scene => ({
      device: ', .iommu = smmu, .coherent_walk = true, .caches_faults = true',
      init: take,
      cpu: `${linked('DMA_TO_DEVICE').replace(sync ? '' : /dma_iova_sync.*/u, '')}\n\tsubmit(nic);`,
      nic: 'u32 x = dma_read(addr);',
    });
    expect(outcome(read(true))).toBe('coherent');
    expect(outcome(read(false))).toBe('H14');
  });

  it('is not for a device without an IOMMU', () => {
    const cpu = `${take.replace(/\n.*/u, '')}
	if (dma_use_iova(&state) == 0) {
		p[0] = 1;
		addr = dma_map_single(nic, p, 64, DMA_TO_DEVICE);
		submit(nic);
	}`;
    expect(outcome({ device: '', cpu, nic: 'u32 x = dma_read(addr);' })).toBe('coherent');
  });

  it('bounces an area that may share a line', () => {
    const small = `q = kzalloc(32, GFP_KERNEL);
	dma_iova_try_alloc(nic, &state, virt_to_phys(q), 32);
	addr = dma_iova_addr(&state);
	dma_iova_link(nic, &state, virt_to_phys(q), 0, 32, DMA_FROM_DEVICE, 0);`;
    const end = 'dma_iova_destroy(nic, &state, 32, DMA_FROM_DEVICE, 0);';
    const cpu = (after: string): string => `${run}\n\t${after}\n\tu32 x = q[0];`;
    const nic = 'dma_write(addr, 7);';
    expect(outcome({ init: small, cpu: cpu(end), nic })).toBe('coherent');
    expect(outcome({ init: small, cpu: cpu(''), nic })).toBe('H1');
  });

  it('has contracts of its own', () => {
    const link = linked('DMA_TO_DEVICE');
    expect(outcome({ cpu: link.split('\n')[0] ?? '' })).toBe('H11');
    const ends = (end: string): Scene => ({ init: `${take}\n\t${link}`, cpu: end });
    expect(outcome(ends(destroy))).toBe('coherent');
    expect(outcome(ends(destroy.replace('2 * PAGE_SIZE', 'PAGE_SIZE')))).toBe('H11');
    expect(outcome(ends('dma_iova_free(nic, &state);'))).toBe('H11');
    expect(outcome(ends(take))).toBe('H11');
    const unlink = 'dma_iova_unlink(nic, &state, 0, 2 * PAGE_SIZE, DMA_TO_DEVICE, 0);';
    expect(outcome(ends(`${unlink}\n\tdma_iova_free(nic, &state);`))).toBe('coherent');
    expect(outcome(ends(`${unlink}\n\t${unlink}`))).toBe('H11');
    const longer =
      'dma_iova_link(nic, &state, virt_to_phys(p), PAGE_SIZE, 2 * PAGE_SIZE, DMA_TO_DEVICE, 0);';
    expect(outcome({ init: take, cpu: longer })).toBe('H11');
    const inside =
      'dma_iova_link(nic, &state, virt_to_phys(p) + 64, PAGE_SIZE, 64, DMA_TO_DEVICE, 0);';
    expect(outcome({ init: take, cpu: inside })).toBe('H11');
    // dma-debug knows nothing of it, so that a sync is one of what was never mapped.
    expect(outcome(ends('dma_sync_single_for_cpu(nic, addr, 64, DMA_TO_DEVICE);'))).toBe('H11');
  });
});

describe('dmam_alloc_coherent', () => {
  const managed = (call: string, more = ''): Scene => ({
    init: `p = ${call}(nic, PAGE_SIZE, &addr, GFP_KERNEL);`,
    cpu: `${more}\n\tdevice_release_driver(nic);`,
  });

  it('is freed when the driver goes', () => {
    expect(outcome(managed('dmam_alloc_coherent'))).toBe('coherent');
    expect(outcome(managed('dma_alloc_coherent'))).toBe('H11');
    const early = 'dmam_free_coherent(nic, PAGE_SIZE, p, addr);';
    expect(outcome(managed('dmam_alloc_coherent', early))).toBe('coherent');
  });

  it('is gone then', () => {
    const scene = managed('dmam_alloc_coherent');
    const late = { ...scene, cpu: `${scene.cpu}\n\tsubmit(nic);`, nic: 'dma_write(addr, 7);' };
    expect(outcome(late)).toBe('H14');
    expect(outcome({ ...scene, cpu: `${scene.cpu}\n\tp[0] = 1;` })).toBe('H8 H14');
  });
});
