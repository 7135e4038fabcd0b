/** Small scenarios for the tests of the command line. */

export const coherent = `// A device reads what the CPU wrote and handed over.
// Result: coherent   (dma_map_single cleans the line)
machine arm64 {
	device nic { .coherent = false, .iommu = none, .dma_mask = DMA_BIT_MASK(64) };
}
u32 *buf;
init {
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
cpu driver {
	buf[0] = 1;
	dma = dma_map_single(nic, buf, PAGE_SIZE, DMA_TO_DEVICE);
	submit(nic);
	wait(nic);
}
device nic {
	u32 x = dma_read(dma);
}
`;

/** The same without the hand-over: the device reads memory, the value is in the cache. */
export const hazard = coherent
  .replace('Result: coherent   (dma_map_single cleans the line)', 'Result: H2 H6   (never cleaned)')
  .replace('DMA_TO_DEVICE)', 'DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC)')
  .replace('dma_map_single(', 'dma_map_single_attrs(');

/** Stores that other threads wait to read: exploring takes much longer than any test waits. */
export const endless = `// Many stores of many threads.
machine arm64 {
	device nic { .coherent = false, .iommu = none, .dma_mask = DMA_BIT_MASK(64) };
}
u32 *buf;
init {
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
${['a', 'b', 'c', 'd']
  .map((name, i) => {
    const stores = Array.from({ length: 6 }, (_, k) => `\tbuf[${(i * 6 + k) * 16}] = ${k + 1};`);
    const next = ((i + 1) % 4) * 6;
    const reads = stores.map((_, k) => `\tu32 r${k} = READ_ONCE(buf[${(next + k) * 16}]);`);
    return `cpu ${name} {\n${[...stores, ...reads].join('\n')}\n}`;
  })
  .join('\n')}
`;
