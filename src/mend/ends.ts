/**
 * Insertions that end or flush something other than a CPU's cache: translations of a device or a
 * CPU, a device's own cache, what a bus still holds; and waits for a device.
 */
import type { CallNode } from '../litmus/ast.js';
import { text } from './arguments.js';
import { isVisible, type Recipe, type Scene } from './scene.js';
import type { Gap } from './source.js';

export function endings(scene: Scene, gap: Gap): readonly Recipe[] {
  return distinct([
    ...iotlbSyncs(scene, gap),
    ...unmaps(scene, gap),
    ...waits(scene, gap),
    ...readBacks(scene, gap),
    ...deviceFlushes(scene, gap),
    ...tlbFlushes(scene, gap),
  ]);
}

function distinct(recipes: readonly Recipe[]): readonly Recipe[] {
  return [...new Map(recipes.map((recipe) => [recipe.text, recipe])).values()];
}

function callsOf(scene: Scene, pattern: RegExp): readonly CallNode[] {
  const calls = scene.source.statements.flatMap((statement) => statement.calls);
  return calls.filter(({ callee }) => pattern.test(callee));
}

/** Calls that the thread has made when it comes to the gap. */
function callsBefore(scene: Scene, gap: Gap): readonly CallNode[] {
  return scene.source.statements.flatMap((statement) =>
    statement.thread === gap.thread && statement.to <= gap.at ? statement.calls : [],
  );
}

/** For a device whose doorbell the thread rang, and did not wait for since. */
function waits(scene: Scene, gap: Gap): readonly Recipe[] {
  const rung = new Set<string>();
  for (const call of callsBefore(scene, gap)) {
    const device = text(scene, call, 'dev');
    if (/^(submit|writel|writel_relaxed)$/u.test(call.callee)) rung.add(device);
    if (call.callee === 'wait') rung.delete(device);
  }
  return [...rung].map((device) => ({ operation: 'wait', text: `wait(${device});` }));
}

/**
 * For a device that the thread wrote a register of, or that has memory behind a BAR: the write has
 * arrived. For one whose interrupt may overtake its writes: these have.
 */
function readBacks(scene: Scene, gap: Gap): readonly Recipe[] {
  const { devices } = scene.machine;
  const overtakes = (name: string): boolean =>
    devices.some((each) => each.name === name && each.unorderedInterrupt);
  const written = new Set<string>();
  for (const call of callsBefore(scene, gap)) {
    const device = text(scene, call, 'dev');
    if (/^writel(_relaxed)?$/u.test(call.callee)) written.add(device);
    if (call.callee === 'submit' && overtakes(device)) written.add(device);
    if (call.callee === 'readl') written.delete(device);
  }
  const bars = callsOf(scene, /^pci_resource_start$/u).map((call) => text(scene, call, 'dev'));
  const operation = 'readl';
  return [...new Set([...written, ...bars])].map((device) => ({
    operation,
    text: `readl(${device});`,
  }));
}

/** For devices with a cache of their own that the thread has given work. */
function deviceFlushes(scene: Scene, gap: Gap): readonly Recipe[] {
  const used = new Set(
    callsBefore(scene, gap)
      .filter(({ callee }) => /^(submit|writel\w*)$/u.test(callee))
      .map((call) => text(scene, call, 'dev')),
  );
  const operation = 'panthor_gpu_flush_caches';
  return scene.machine.devices
    .filter(({ name, writeBackCache }) => writeBackCache && used.has(name))
    .map(({ name }) => ({ operation, text: `${operation}(${name});` }));
}

/** Between the steps of an munmap, and before a block takes a page table's place. */
function tlbFlushes(scene: Scene, gap: Gap): readonly Recipe[] {
  const before = callsBefore(scene, gap);
  const flushes = (given: RegExp, operation: string): readonly Recipe[] => {
    const names = before
      .filter(({ callee }) => given.test(callee))
      .map((call) => text(scene, call, 'address'))
      .filter((name) => isNamed(scene, name, gap));
    return names.map((name) => ({ operation, text: `${operation}(${name});` }));
  };
  const hasBlocks = callsOf(scene, /^pmd_set_huge$/u).length > 0;
  return [
    ...flushes(/^unmap_vmas$/u, 'tlb_flush_mmu'),
    ...(hasBlocks ? flushes(/^vunmap$/u, 'pmd_free_pte_page') : []),
    ...kernelTlbFlushes(scene, gap),
  ];
}

/** Behind the removal of a linear-map page, which flushes no TLB itself. */
function kernelTlbFlushes(scene: Scene, gap: Gap): readonly Recipe[] {
  const removed = callsBefore(scene, gap).some(
    ({ callee }) => callee === 'set_direct_map_invalid_noflush',
  );
  if (!removed || !scene.machine.linearMapRemovable) return [];
  return [{ operation: 'flush_tlb_all', text: 'flush_tlb_all();' }];
}

/** For domains that something was unmapped from without a sync. */
function iotlbSyncs(scene: Scene, gap: Gap): readonly Recipe[] {
  const domains = callsOf(scene, /^iommu_unmap_fast$/u).map((call) => text(scene, call, 'domain'));
  const operation = 'iommu_iotlb_sync';
  return domains
    .filter((domain) => isNamed(scene, domain, gap))
    .map((domain) => ({ operation, text: `${operation}(${domain});` }));
}

function isNamed(scene: Scene, name: string, gap: Gap): boolean {
  return scene.names.all.some((each) => each.name === name && isVisible(each, gap));
}

/** Ends a device mapping that nothing ends: before the pages go, say. */
function unmaps(scene: Scene, gap: Gap): readonly Recipe[] {
  const ended = callsOf(scene, /^iommu_unmap/u).map((call) => text(scene, call, 'domain'));
  return callsOf(scene, /^iommu_map(_sgtable)?$/u).flatMap((call): Recipe[] => {
    const domain = text(scene, call, 'domain');
    if (ended.includes(domain) || !isNamed(scene, domain, gap)) return [];
    const size = text(scene, call, 'size') || scene.names.rootOf(call)?.sizeText || 'PAGE_SIZE';
    const operation = 'iommu_unmap';
    const args = [domain, text(scene, call, 'iova'), size];
    return [{ operation, text: `${operation}(${args.join(', ')});`, extra: scene.costs.giveUp }];
  });
}
