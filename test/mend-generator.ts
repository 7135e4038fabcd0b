/**
 * Small random scenarios for mend, from a seed: one buffer, one device, a driver that writes, maps,
 * rings, waits and reads in some order, with some of the syncs it needs and some it does not.
 */

/** A small generator of numbers (xorshift32): the same seed gives the same scenarios everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = (seed * 2654435761) >>> 0 || 1;
  }

  below(n: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state % n;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }
}

interface Buffer {
  readonly declare: string;
  readonly make: readonly string[];
  /** Lines that give the CPU its pointer `p`. */
  readonly pointer: readonly string[];
  readonly syncs: readonly string[];
  readonly address: string;
}

const direct: Buffer = {
  declare: 'u32 *p;\ndma_addr_t dma;\n',
  make: ['p = kzalloc(64, GFP_KERNEL);', 'dma = dma_map_single(dev, p, 64, DMA_BIDIRECTIONAL);'],
  pointer: [],
  syncs: [
    'dma_sync_single_for_cpu(dev, dma, 64, DMA_BIDIRECTIONAL);',
    'dma_sync_single_for_device(dev, dma, 64, DMA_BIDIRECTIONAL);',
  ],
  address: 'dma',
};

const byHand: Buffer = {
  declare: 'u32 *p;\n',
  make: ['p = kzalloc(64, GFP_KERNEL);', 'phys = virt_to_phys(p);'],
  pointer: [],
  syncs: ['dcache_clean_poc(p, p + 16);', 'dcache_inval_poc(p, p + 16);', 'dma_wmb();'],
  address: 'phys',
};

const shmem: Buffer = {
  declare: '',
  make: [
    'bo = drm_gem_shmem_create(dev, PAGE_SIZE, .map_wc = true);',
    'sgt = drm_gem_shmem_get_pages_sgt(bo);',
    'dma = sg_dma_address(sgt);',
  ],
  pointer: ['u32 *p = mmap(bo);'],
  syncs: ['dma_sync_sgtable_for_device(dev, sgt, DMA_BIDIRECTIONAL);', 'dma_rmb();'],
  address: 'dma',
};

/** A scenario that compiles; whether it is coherent is open. */
export function randomScenario(seed: number): string {
  const random = new Random(seed);
  const buffer = random.pick([direct, direct, byHand, shmem]);
  const ring = random.pick(['submit(dev);', 'submit(dev);', 'writel_relaxed(1, dev);']);
  const body: string[] = [...buffer.pointer];
  let reads = 0;
  const rounds = 1 + random.below(2);
  for (let round = 0; round < rounds; round++) {
    if (random.below(3) > 0) body.push(`p[0] = ${10 + round};`);
    if (random.below(3) === 0) body.push(random.pick(buffer.syncs));
    body.push(ring, 'wait(dev);');
    if (random.below(3) === 0) body.push(random.pick(buffer.syncs));
    if (random.below(3) > 0) body.push(`u32 x${reads++} = p[0];`);
  }
  const device = random.pick([
    ['dma_write(ADDRESS, 7);'],
    ['u32 y = dma_read(ADDRESS);'],
    ['u32 y = dma_read(ADDRESS);', 'dma_write(ADDRESS, y + 1);'],
  ]);
  const lines = (list: readonly string[]): string => list.map((line) => `\t${line}\n`).join('');
  const program = lines(device).replaceAll('ADDRESS', buffer.address);
  return (
    `machine arm64 {\n\tdevice dev { .coherent = ${random.below(8) === 0} };\n}\n` +
    `${buffer.declare}\ninit {\n${lines(buffer.make)}}\n` +
    `cpu driver {\n${lines(body)}}\ndevice dev {\n${program}}\n`
  );
}
