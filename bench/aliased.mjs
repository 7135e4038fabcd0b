/**
 * wcbuf as a scenario, a statement for each of so many lines, for benches that explore all lines
 * together: written through a cacheable and a write-combine alias, cleaned and invalidated between.
 */
export function aliased(lines) {
  const each = (text) => Array.from({ length: lines }, (_, i) => text(i)).join('\n');
  return `machine arm64 { device dev { .coherent = false }; }
u32 *wb;
u32 *wc;
dma_addr_t bus;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	wb = page_address(page);
	bus = dma_map_single(dev, wb, ${64 * lines}, DMA_BIDIRECTIONAL);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
}
cpu driver {
${each(
  (i) => `\twb[${16 * i}] = 1;\n\tdcache_clean_inval_poc(wb + ${16 * i}, wb + ${16 * i + 1});
\twc[${16 * i}] = 2;`,
)}
	submit(dev);
	wait(dev);
${each((i) => `\tu32 v${i} = wc[${16 * i}];`)}
}
device dev {
${each((i) => `\tu32 r${i} = dma_read(bus + ${64 * i});\n\tdma_write(bus + ${64 * i}, 3);`)}
}
`;
}
