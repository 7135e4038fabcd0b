/**
 * One line for each rule of the model, for the legend under a trace: a number alone helps nobody
 * who does not know docs/model.md by heart. The full wording stands there.
 */
const titles: Readonly<Record<string, string>> = {
  M1: 'memory: pages of lines; dram holds the value at the Point of Coherency',
  M2: 'one cached copy of a line for all CPUs; a dirty line is written back whole',
  M3: 'eviction: at any moment a dirty line may be written back, a clean one dropped',
  M4: 'speculation: while a cacheable mapping exists, an absent line may be filled at any moment',
  M5: 'attributes: WB goes through the cache, NC (write-combine) and Device go to memory',
  M6: 'unexpected hit: what an NC or Device access does when the line is cached',
  M7: 'store buffer: every store waits there; without a barrier lines drain in any order',
  M8: 'load order: without a barrier or an address dependency a later load may go first',
  M9: 'cache maintenance to the Point of Coherency by address; complete only after dsb',
  M10: 'device: a non-coherent one reads and writes memory only, a coherent one snoops',
  M11: 'device cache: what a device wrote may stay there until it is flushed',
  M12: 'IOMMU: translations stay in the IOTLB until invalidated and synced',
  M13: 'linear map: a cacheable kernel mapping of every page',
  M14: "a free page holds its previous owner's data, cached in any state",
  M15: 'what the kernel believes of a device and what the hardware does may differ',
  M16: 'protected memory: an access from this world is a fault',
  M17: 'an operation that did nothing is noted',
  M18: 'CPU TLB: entries persist until TLBI and DSB',
  K1: 'page sources; zeroing goes through the linear map',
  K2: 'shmem and swap',
  K3: 'CPU mappings: vmap, mmap, linear map',
  K4: 'cache helpers',
  K5: 'DMA mapping API',
  K6: 'IOMMU API',
  K7: 'GEM objects',
  K8: 'dma-buf and user pages',
  K9: 'addressability: masks, zones, bounce buffers',
};

export function ruleTitle(rule: string): string | undefined {
  return titles[rule];
}

/** The rule numbers in texts such as `M3`, `M5 M7`, `M6 ignore`, each once, in model order. */
export function citedRules(texts: readonly string[]): string[] {
  const order = Object.keys(titles);
  const found = new Set(texts.flatMap((text) => text.match(/\b[MK]\d+\b/g) ?? []));
  return [...found]
    .filter((rule) => rule in titles)
    .sort((a, b) => order.indexOf(a) - order.indexOf(b));
}
