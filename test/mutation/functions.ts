/**
 * Scenarios for the functions that the corpus does not exercise in every respect: one use for each
 * thing a function does, so that something goes wrong, or goes no longer wrong, without it.
 * The families of the DMA API do the same thing under many names; their scenarios are made here.
 */

import { cacheScenarios } from './functions-caches.js';
import { dmaBufScenarios } from './functions-dma-buf.js';
import { importScenarios } from './functions-imports.js';
import { moveScenarios } from './functions-moves.js';
import { segmentScenarios } from './functions-segments.js';
import { driverScenarios } from './functions-drivers.js';
import { lifeScenarios } from './functions-life.js';
import { machineScenarios } from './functions-machine.js';
import { iovaScenarios } from './functions-managed.js';
import { moreScenarios } from './functions-more.js';
import { msmScenarios } from './functions-msm.js';
import { objectScenarios } from './functions-objects.js';
import { orderScenarios } from './functions-order.js';
import { ownerScenarios } from './functions-owners.js';
import { restScenarios } from './functions-rest.js';
import { sourceScenarios } from './functions-sources.js';
import { tableScenarios } from './functions-tables.js';
import { userScenarios } from './functions-user.js';
import { type Part, text } from './part.js';

/** One way to map memory for streaming DMA, with its unmap. */
interface Flavour {
  readonly name: string;
  /** Statements of init that the call needs. */
  readonly init?: string;
  readonly map: (dir: string) => string;
  readonly unmap: (dir: string) => string;
}

const table = `pg = virt_to_page(p);
	sgt = drm_prime_pages_to_sg(pg);`;

const flavours: readonly Flavour[] = [
  {
    name: 'dma_map_single',
    map: (dir) => `dma = dma_map_single(nic, p, PAGE_SIZE, ${dir});`,
    unmap: (dir) => `dma_unmap_single(nic, dma, PAGE_SIZE, ${dir});`,
  },
  {
    name: 'dma_map_single_attrs',
    map: (dir) => `dma = dma_map_single_attrs(nic, p, PAGE_SIZE, ${dir}, 0);`,
    unmap: (dir) => `dma_unmap_single_attrs(nic, dma, PAGE_SIZE, ${dir}, 0);`,
  },
  {
    name: 'dma_map_page',
    init: 'pg = virt_to_page(p);',
    map: (dir) => `dma = dma_map_page(nic, pg, 0, PAGE_SIZE, ${dir});`,
    unmap: (dir) => `dma_unmap_page(nic, dma, PAGE_SIZE, ${dir});`,
  },
  {
    name: 'dma_map_page_attrs',
    init: 'pg = virt_to_page(p);',
    map: (dir) => `dma = dma_map_page_attrs(nic, pg, 0, PAGE_SIZE, ${dir}, 0);`,
    unmap: (dir) => `dma_unmap_page_attrs(nic, dma, PAGE_SIZE, ${dir}, 0);`,
  },
  {
    name: 'dma_map_phys',
    init: 'pg = virt_to_page(p);',
    map: (dir) => `dma = dma_map_phys(nic, page_to_phys(pg), PAGE_SIZE, ${dir}, 0);`,
    unmap: (dir) => `dma_unmap_phys(nic, dma, PAGE_SIZE, ${dir}, 0);`,
  },
  {
    name: 'dma_map_sg',
    init: table,
    map: (dir) => `dma_map_sg(nic, sgt, 1, ${dir});\n\tdma = sg_dma_address(sgt);`,
    unmap: (dir) => `dma_unmap_sg(nic, sgt, 1, ${dir});`,
  },
  {
    name: 'dma_map_sg_attrs',
    init: table,
    map: (dir) => `dma_map_sg_attrs(nic, sgt, 1, ${dir}, 0);\n\tdma = sg_dma_address(sgt);`,
    unmap: (dir) => `dma_unmap_sg_attrs(nic, sgt, 1, ${dir}, 0);`,
  },
  {
    name: 'dma_map_sgtable',
    init: table,
    map: (dir) => `dma_map_sgtable(nic, sgt, ${dir});\n\tdma = sg_dma_address(sgt);`,
    unmap: (dir) => `dma_unmap_sgtable(nic, sgt, ${dir});`,
  },
];

interface Sync {
  readonly name: string;
  readonly of: string;
  readonly call: (what: 'for_cpu' | 'for_device', dir: string) => string;
}

const syncs: readonly Sync[] = [
  {
    name: 'dma_sync_single',
    of: 'dma_map_single',
    call: (what, dir) => `dma_sync_single_${what}(nic, dma, PAGE_SIZE, ${dir});`,
  },
  {
    name: 'dma_sync_single_range',
    of: 'dma_map_single',
    call: (what, dir) => `dma_sync_single_range_${what}(nic, dma, 0, PAGE_SIZE, ${dir});`,
  },
  {
    name: 'dma_sync_sg',
    of: 'dma_map_sg',
    call: (what, dir) => `dma_sync_sg_${what}(nic, sgt, 1, ${dir});`,
  },
  {
    name: 'dma_sync_sgtable',
    of: 'dma_map_sgtable',
    call: (what, dir) => `dma_sync_sgtable_${what}(nic, sgt, ${dir});`,
  },
];

/** The machines on which a mapping does something of its own. */
const machines = {
  direct: { device: '.coherent = false', settings: '' },
  iommu: { device: '.coherent = false, .iommu = smmu', settings: '' },
  bounced: { device: '.coherent = false', settings: '.swiotlb = force;' },
} as const;

/** What an access after the unmap comes to: memory still, a fault, or what is left in the slot. */
const afterUnmap = { direct: 'coherent', iommu: 'H14', bounced: 'H6 H8' } as const;

type Machine = keyof typeof machines;

function page(machine: Machine, flavour: Flavour, rest: Partial<Part>): Part {
  return {
    ...machines[machine],
    names: 'u32 *p;\ndma_addr_t dma;\nstruct completion done;',
    init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);\n\t${flavour.init ?? ''}`,
    ...rest,
  };
}

function mapped(machine: Machine, flavour: Flavour): readonly (readonly [string, string])[] {
  const { name, map, unmap } = flavour;
  const on = `${name} ${machine}`;
  const read = 'u32 x = dma_read(dma);';
  const write = 'dma_write(dma, 7);';
  const to = page(machine, flavour, {
    cpu: `p[0] = 1;
	${map('DMA_TO_DEVICE')}
	writel_relaxed(1, nic);
	wait(nic);
	${unmap('DMA_TO_DEVICE')}`,
    nic: read,
  });
  const from = page(machine, flavour, {
    cpu: `${map('DMA_FROM_DEVICE')}
	writel_relaxed(1, nic);
	wait(nic);
	${unmap('DMA_FROM_DEVICE')}
	complete(&done);`,
    reader: 'wait_for_completion(&done);\n\tu32 got = p[0];',
    nic: write,
  });
  const again = page(machine, flavour, {
    cpu: `${map('DMA_TO_DEVICE')}
	${unmap('DMA_TO_DEVICE')}
	${map('DMA_TO_DEVICE')}
	writel(1, nic);
	wait(nic);
	${unmap('DMA_TO_DEVICE')}`,
    nic: read,
  });
  const twice = page(machine, flavour, {
    cpu: `${map('DMA_TO_DEVICE')}
	${unmap('DMA_TO_DEVICE')}
	${unmap('DMA_TO_DEVICE')}`,
  });
  const late = page(machine, flavour, {
    cpu: `${map('DMA_TO_DEVICE')}
	${unmap('DMA_TO_DEVICE')}
	writel(1, nic);
	wait(nic);`,
    nic: read,
  });
  return [
    [`${on}: store, map, ring`, text('coherent', to)],
    [`${on}: unmap, another CPU reads`, text('coherent', from)],
    [`${on}: mapped again`, text('coherent', again)],
    [`${on}: unmapped twice`, text('H11', twice)],
    [`${on}: used after unmap`, text(afterUnmap[machine], late)],
  ];
}

const wrongWay = 'device driver syncs DMA memory with different direction';

function synced(machine: Machine, sync: Sync): readonly (readonly [string, string])[] {
  const flavour = flavours.find(({ name }) => name === sync.of);
  if (flavour === undefined) throw new Error(sync.of);
  const to = page(machine, flavour, {
    cpu: `${flavour.map('DMA_TO_DEVICE')}
	${sync.call('for_cpu', 'DMA_TO_DEVICE')}
	p[0] = 1;
	${sync.call('for_device', 'DMA_TO_DEVICE')}
	writel_relaxed(1, nic);
	wait(nic);`,
    nic: 'u32 x = dma_read(dma);',
  });
  const from = page(machine, flavour, {
    cpu: `${flavour.map('DMA_FROM_DEVICE')}
	writel_relaxed(1, nic);
	wait(nic);
	${sync.call('for_cpu', 'DMA_FROM_DEVICE')}
	complete(&done);`,
    reader: 'wait_for_completion(&done);\n\tu32 got = p[0];',
    nic: 'dma_write(dma, 7);',
  });
  const device = page(machine, flavour, {
    cpu: `${flavour.map('DMA_TO_DEVICE')}\n\t${sync.call('for_device', 'DMA_FROM_DEVICE')}`,
  });
  const cpu = page(machine, flavour, {
    cpu: `${flavour.map('DMA_FROM_DEVICE')}\n\t${sync.call('for_cpu', 'DMA_TO_DEVICE')}`,
  });
  const on = `${sync.name} ${machine}`;
  return [
    [`${on}: for_device, ring`, text('coherent', to)],
    [`${on}: for_cpu, another CPU reads`, text('coherent', from)],
    [`${on}: for_device, wrong direction`, text('H11', device, wrongWay)],
    [`${on}: for_cpu, wrong direction`, text('H11', cpu, wrongWay)],
  ];
}

/** All of them, as [name, text of the scenario]. */
export function functionScenarios(): readonly (readonly [string, string])[] {
  const all = Object.keys(machines).filter((each): each is Machine => each in machines);
  return [
    ...all.flatMap((machine) => flavours.flatMap((flavour) => mapped(machine, flavour))),
    ...all.flatMap((machine) => syncs.flatMap((sync) => synced(machine, sync))),
    ...lifeScenarios(),
    ...orderScenarios(),
    ...restScenarios(),
    ...objectScenarios(),
    ...msmScenarios(),
    ...driverScenarios,
    ...iovaScenarios,
    ...userScenarios(),
    ...dmaBufScenarios(),
    ...importScenarios(),
    ...moveScenarios(),
    ...segmentScenarios(),
    ...cacheScenarios(),
    ...machineScenarios(),
    ...ownerScenarios,
    ...moreScenarios(),
    ...tableScenarios(),
    ...sourceScenarios,
  ];
}
