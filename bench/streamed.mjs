/**
 * A streaming buffer of so many lines, a statement for each, for benches that explore all lines
 * together. `unmaps`: the mapping ends before the CPU reads; `beside`: more program text.
 */
export function streamed(lines, { unmaps, beside = '' }) {
  const each = (text) => Array.from({ length: lines }, (_, i) => text(i)).join('\n');
  const unmap = `\n\tdma_unmap_single(nic, bus, ${64 * lines}, DMA_BIDIRECTIONAL);`;
  return `machine arm64 { device nic { .coherent = false }; }
u32 *buf;
dma_addr_t bus;
init { buf = kzalloc(PAGE_SIZE, GFP_KERNEL); }
cpu driver {
${each((i) => `\tbuf[${16 * i}] = 1;`)}
	bus = dma_map_single(nic, buf, ${64 * lines}, DMA_BIDIRECTIONAL);
	submit(nic);
	wait(nic);${unmaps ? unmap : ''}
${each((i) => `\tu32 v${i} = buf[${16 * i}];`)}
}
${beside}device nic {
${each((i) => `\tu32 r${i} = dma_read(bus + ${64 * i});\n\tdma_write(bus + ${64 * i}, 9);`)}
}
`;
}
