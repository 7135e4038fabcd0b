/** What the scenarios for drivers' helpers share. */
import { behind, type Part, plain, type Scenarios, text } from './part.js';

export type { Part, Scenarios };
export { behind, plain };

export const names = 'u32 *p;\nu32 *q;\ndma_addr_t dma;\nstruct page *pg;\nstruct page *pg2;';

export const run = 'submit(nic);\n\twait(nic);';
export const write = 'dma_write(dma, 7);';
export const read = 'u32 x = dma_read(dma);';

export function all(scenarios: readonly (readonly [string, string, Part, string?])[]): Scenarios {
  return scenarios.map(([name, result, part, says]) => [
    name,
    text(result, { ...part, names: part.names ?? names }, says),
  ]);
}
