/** Scenarios for dma_iova_*. */
import { all, behind, names as known, run, type Scenarios, write } from './part-drivers.js';

export const names = `${known}\nstruct dma_iova_state state;\nstruct completion done;`;
const pages = 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);\n\tq = kzalloc(PAGE_SIZE, GFP_KERNEL);';
const take = 'dma_iova_try_alloc(nic, &state, 0, 2 * PAGE_SIZE);\n\tdma = dma_iova_addr(&state);';
export const first = (dir: string): string =>
  `dma_iova_link(nic, &state, virt_to_phys(p), 0, PAGE_SIZE, ${dir}, 0);`;
const second = (dir: string): string =>
  `dma_iova_link(nic, &state, virt_to_phys(q), PAGE_SIZE, PAGE_SIZE, ${dir}, 0);`;
export const both = (dir: string): string => `${first(dir)}\n\t${second(dir)}`;
export const taken = `${pages}\n\t${take}`;
export const destroy = 'dma_iova_destroy(nic, &state, 2 * PAGE_SIZE, DMA_FROM_DEVICE, 0);';
export const unlink = 'dma_iova_unlink(nic, &state, 0, 2 * PAGE_SIZE, DMA_FROM_DEVICE, 0);';
export const cached = { ...behind, names, device: `${behind.device}, .coherent_walk = true` };
export const faults = { ...cached, device: `${cached.device}, .caches_faults = true` };
export const relaxed = 'writel_relaxed(1, nic);';
export const reads = 'u32 x = dma_read(dma);';
export const small = `q = kzalloc(32, GFP_KERNEL);
	dma_iova_try_alloc(nic, &state, virt_to_phys(q), 32);
	dma = dma_iova_addr(&state);
	dma_iova_link(nic, &state, virt_to_phys(q), 0, 32, DMA_FROM_DEVICE, 0);`;

/** What a device finds that runs once `end` was called, and the pages are somebody else's. */
export function after(end: string, settings = ''): Scenarios[number][] {
  const name = end.replace(/\(.*/u, '');
  const init = `${taken}\n\t${both('DMA_FROM_DEVICE')}`;
  const nic = 'dma_write(dma + PAGE_SIZE, 7);';
  const cpu = `u32 before = q[0];\n\tmb();\n\twritel(1, nic);\n\twait(nic);\n\t${end}\n\tcomplete(&done);`;
  const reader = 'wait_for_completion(&done);\n\tu32 x = q[0];';
  const how = settings === '' ? '' : ` with ${settings}`;
  const late = { ...behind, names, settings, init, cpu: `${end}\n\tkfree(p);\n\t${run}` };
  const lazily = settings !== '' && name === 'dma_iova_destroy';
  return [
    ...all([
      [
        `${name}: before another CPU reads${how}`,
        'coherent',
        { ...behind, names, settings, init, cpu, reader, nic },
      ],
      [
        `${name}: the device is out${how}`,
        lazily ? 'H8 H14' : 'H14',
        { ...late, nic: 'dma_write(dma, 7);' },
      ],
    ]),
  ];
}

export const iova = all([
  [
    'dma_iova_link: done before a relaxed doorbell',
    'coherent',
    {
      ...behind,
      names,
      init: taken,
      cpu: `p[0] = 5;\n\t${first('DMA_TO_DEVICE')}\n\twritel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    },
  ],
  [
    'dma_iova_link: with the rights of the direction',
    'H14',
    { ...behind, names, init: `${taken}\n\t${first('DMA_TO_DEVICE')}`, cpu: run, nic: write },
  ],
  [
    'dma_iova_link: a small area through a bounce buffer',
    'coherent',
    {
      ...behind,
      names,
      init: small,
      cpu: `${run}\n\tdma_iova_destroy(nic, &state, 32, DMA_FROM_DEVICE, 0);\n\tu32 x = q[0];`,
      nic: write,
    },
  ],
  [
    'dma_iova_link: not without a range',
    'H11',
    { ...behind, names, init: pages, cpu: first('DMA_TO_DEVICE') },
    'dma_iova_link without a range: dma_iova_try_alloc has to be first',
  ],
  [
    'dma_iova_link: not more than there is',
    'H11',
    {
      ...behind,
      names,
      init: taken,
      cpu: second('DMA_TO_DEVICE').replace(', PAGE_SIZE, DMA', ', 2 * PAGE_SIZE, DMA'),
    },
    'dma_iova_link of more than was allocated',
  ],
  [
    'dma_iova_link: later pieces begin with a page',
    'H11',
    {
      ...behind,
      names,
      init: taken,
      cpu: second('DMA_TO_DEVICE').replace('(q), PAGE_SIZE, PAGE_SIZE', '(q) + 64, PAGE_SIZE, 64'),
    },
    'dma_iova_link: only the first piece may begin inside a page',
  ],
  [
    'dma_iova_sync: before a relaxed doorbell',
    'coherent',
    {
      ...faults,
      init: taken,
      cpu: `${first('DMA_TO_DEVICE')}\n\tdma_iova_sync(nic, &state, 0, PAGE_SIZE);\n\t${relaxed}`,
      nic: 'u32 x = dma_read(dma);',
    },
  ],
  [
    'dma_iova_sync: left out',
    'H14',
    {
      ...faults,
      init: taken,
      cpu: `p[0] = 5;\n\t${first('DMA_TO_DEVICE')}\n\twritel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    },
  ],
  [
    'dma_iova_try_alloc: once',
    'H11',
    { ...behind, names, init: taken, cpu: take },
    'dma_iova_try_alloc of a state that is in use: its range is never freed',
  ],
  [
    'dma_iova_destroy: all of it',
    'H11',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: destroy.replace('2 * PAGE_SIZE', 'PAGE_SIZE'),
    },
    'frees a range of which a part is still linked',
  ],
  [
    'dma_iova_destroy: of what is linked',
    'H11',
    { ...behind, names, init: `${taken}\n\t${first('DMA_FROM_DEVICE')}`, cpu: destroy },
    'unlinks 8192 bytes of which 4096 are linked',
  ],
  [
    'dma_iova_destroy: then the state may have another range',
    'coherent',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: `${destroy}\n\t${take}`,
    },
  ],
  [
    'dma_iova_unlink: once',
    'H11',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: `${unlink}\n\t${unlink}`,
    },
    'unlinks 8192 bytes of which 0 are linked',
  ],
  [
    'dma_iova_free: of what was unlinked, and the state may have another range',
    'coherent',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: `${unlink}\n\tdma_iova_free(nic, &state);\n\t${take}`,
    },
  ],
  [
    'dma_iova_free: not of what is linked',
    'H11',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: 'dma_iova_free(nic, &state);',
    },
    'frees a range of which a part is still linked',
  ],
]);
