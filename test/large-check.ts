/**
 * A scenario of thousands of states, checked by threads of the command line with all its lines
 * together. Leaves out: whose threads, and what they are told, which its users say.
 */
import type { Outcome, Settings } from '../src/cli/check-one.js';
import { Pool } from '../src/cli/pool.js';
import { checkWork } from '../src/cli/work.js';

/** `ends`: what the CPU does between its wait and its loads. */
export function large(ends: string): string {
  const lines = (text: string): string =>
    [0, 1, 2].map((i) => `\t${text.replaceAll('#', String(i))}`).join('\n');
  return `machine arm64 { device nic { .coherent = false }; }
u32 *buf;
dma_addr_t bus;
init {
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
cpu a {
${lines('buf[16 * #] = 1;')}
	bus = dma_map_single(nic, buf, 256, DMA_BIDIRECTIONAL);
	submit(nic);
	wait(nic);
	${ends}
${lines('u32 v# = buf[16 * #];')}
}
device nic {
${lines('u32 r# = dma_read(bus + 64 * #);')}
${lines('dma_write(bus + 64 * #, 9);')}
}
`;
}

/** Without it there is a finding, which has needs to ask for. */
export const unmap = 'dma_unmap_single(nic, bus, 192, DMA_BIDIRECTIONAL);';

export async function byPool(text: string, more: Settings): Promise<Outcome> {
  const pool = new Pool(checkWork, 1, { projection: false, ...more }, () => {});
  const outcome = await pool.submit({ file: 'large.litmus', text });
  await pool.close();
  return outcome;
}

/** What a check says, and how it was come by. */
export function resultOf(outcome: Outcome): { said: string; how: string } {
  if (outcome.kind !== 'result') throw new Error(JSON.stringify(outcome));
  const { reduction = [], ...said } = outcome.result;
  return { said: JSON.stringify({ ...said, seconds: 0 }, null, 1), how: reduction.join('\n') };
}
