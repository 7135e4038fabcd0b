/** Device memory behind a BAR (M1): posted writes, who pushes them in, what reaches it and how. */
import { describe, expect, it } from 'vitest';
import { outcomeOnBoth } from './corpus-scenarios.js';

interface Scene {
  readonly map?: string;
  readonly init?: string;
  readonly cpu: string;
  readonly more?: string;
  readonly nic?: string;
  readonly nicIs?: string;
  readonly gpu?: string;
  readonly profile?: string;
}

function outcome(scene: Scene): string {
  const { map = 'ioremap_wc', nicIs = '', profile = 'arm64' } = scene;
  const program = (name: string, body: string | undefined): string =>
    body === undefined ? '' : `device ${name} {\n${body}\n}\n`;
  const text = `machine ${profile} {
	device gpu { };
	device nic { ${nicIs} };
}
u32 *p;
u32 *host;
phys_addr_t vram;
dma_addr_t peer;
struct completion done;
init {
	vram = pci_resource_start(gpu, 2);
	p = ${map}(vram, PAGE_SIZE);
	peer = dma_map_resource(nic, vram, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	host = kzalloc(64, GFP_KERNEL);
	${scene.init ?? ''}
}
cpu driver {
	${scene.cpu}
}
${scene.more ?? ''}
${program('nic', scene.nic)}${program('gpu', scene.gpu)}`;
  return outcomeOnBoth(text);
}

const peerReads = { nic: 'u32 x = dma_read(peer);' };

describe('a posted write', () => {
  it('is pushed in by a load through any mapping of the memory', () => {
    const read = { cpu: 'p[0] = 7; wmb(); u32 x = p[1]; mb(); writel(1, nic);', ...peerReads };
    expect(outcome(read)).toBe('coherent');
    const device = { map: 'ioremap', cpu: 'p[0] = 7; u32 x = p[0]; mb(); writel(1, nic);' };
    expect(outcome({ ...device, ...peerReads })).toBe('coherent');
  });

  it('is not pushed in by a barrier, nor by a read from another device', () => {
    for (const barrier of ['wmb();', 'mb();', 'dma_mb();', 'wmb(); readl(nic);']) {
      const cpu = `p[0] = 7; ${barrier} writel(1, nic);`;
      expect([barrier, outcome({ cpu, ...peerReads })]).toEqual([barrier, 'H2 H6']);
    }
  });

  it('comes before a doorbell to the same device, whoever rings it', () => {
    const hands = {
      cpu: 'p[0] = 7; wmb(); complete(&done);',
      more: 'cpu other { wait_for_completion(&done); writel(1, gpu); }',
      gpu: 'u32 x = dma_read(vram);',
    };
    expect(outcome(hands)).toBe('coherent');
  });

  it('is seen by the other CPUs, whose loads come behind it', () => {
    const hands = {
      cpu: 'p[0] = 7; complete(&done);',
      more: 'cpu other { wait_for_completion(&done); u32 x = p[0]; }',
    };
    expect(outcome(hands)).toBe('coherent');
  });

  it('is one of many: memcpy_toio and memset_io post word by word', () => {
    const copy = 'host[0] = 7; memcpy_toio(p, host, 64);';
    expect(outcome({ cpu: `${copy} readl(gpu); writel(1, nic);`, ...peerReads })).toBe('H2 H6');
    expect(outcome({ cpu: `${copy} wmb(); readl(gpu); writel(1, nic);`, ...peerReads })).toBe(
      'coherent',
    );
    const set = 'memset_io(p, 1, 64);';
    expect(outcome({ cpu: `${set} writel(1, gpu);`, gpu: 'u32 x = dma_read(vram);' })).toBe(
      'coherent',
    );
  });

  it('to a Device mapping keeps its order with doorbells', () => {
    const cpu = 'p[0] = 7; writel_relaxed(1, gpu);';
    const gpu = 'u32 x = dma_read(vram);';
    expect(outcome({ map: 'ioremap', cpu, gpu })).toBe('coherent');
    expect(outcome({ cpu, gpu })).toBe('H6 H13');
  });
});

describe('a store that is not posted', () => {
  it('is over when a barrier is', () => {
    const store = (map: string, barrier: string): string =>
      outcome({ map, cpu: `p[0] = 7; ${barrier} writel(1, nic);`, ...peerReads });
    expect(store('ioremap', 'wmb();')).toBe('H2 H6');
    expect(store('ioremap_np', 'wmb();')).toBe('coherent');
  });
});

describe('device memory', () => {
  it('is reached by a peer through its IOMMU, until it is unmapped', () => {
    const nicIs = '.iommu = smmu';
    const cpu = 'p[0] = 7; wmb(); readl(gpu); writel(1, nic); wait(nic);';
    expect(outcome({ nicIs, cpu, ...peerReads })).toBe('coherent');
    const unmap = 'dma_unmap_resource(nic, peer, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);';
    const late = { nicIs, cpu: `p[0] = 7; wmb(); readl(gpu); ${unmap} writel(1, nic);` };
    expect(outcome({ ...late, ...peerReads })).toBe('H14');
  });

  it('is reached by its own device without one', () => {
    const gpu = 'dma_write(vram, 3);';
    const cpu = 'submit(gpu); wait(gpu); u32 x = p[0];';
    expect(outcome({ cpu, gpu })).toBe('coherent');
  });

  it('is not snooped: a coherent peer reads past the cache', () => {
    const cpu = 'p[0] = 7; submit(nic);';
    const scene = { map: 'ioremap_cache', nicIs: '.coherent = true', cpu };
    expect(outcome({ ...scene, ...peerReads })).toBe('H2 H6');
  });

  it('cannot be mapped by dma_map_single, nor system memory by ioremap', () => {
    const cpu = 'dma_addr_t a = dma_map_single(nic, p, 64, DMA_TO_DEVICE);';
    expect(outcome({ cpu })).toBe('H11 H14');
    const ram = 'u32 *q = ioremap(virt_to_phys(host), 64);';
    expect(outcome({ cpu: ram })).toBe('H11');
  });

  it('waits in write-combining buffers on x86 too', () => {
    const gpu = 'u32 x = dma_read(vram);';
    expect(outcome({ profile: 'x86', cpu: 'p[0] = 7; writel(1, gpu);', gpu })).toBe('H6 H13');
    expect(outcome({ profile: 'x86', cpu: 'p[0] = 7; wmb(); writel(1, gpu);', gpu })).toBe(
      'coherent',
    );
  });
});
