/**
 * Operations: device registers as memory, and one whose reading has a side effect (M4). CPUs fetch
 * instructions speculatively from wherever nothing forbids execution.
 * Sources: arch/arm64/include/asm/io.h (ioremap: nGnRE, execute-never), drivers/irqchip/irq-gic.c
 * (gic_handle_irq: reading GIC_CPU_INTACK acknowledges), arch/arm commit b6ccb9803e90.
 * Leaves out: other registers that change when they are read.
 */
import { cpuLoad } from '../access.js';
import { deviceArg, fail, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { changeMap, cpuReach, mapBuffer } from '../cpu-maps.js';
import { physicalPlace } from '../dma-address.js';
import { allocatePages, physicalAddress } from '../pages.js';
import { rowsFor } from '../../machine/cache-rules.js';
import type { Effect, Operation } from '../registry.js';
import type { Value } from '../value.js';
import { newBuffer } from './pages.js';

/** What GIC_CPU_INTACK reads when no interrupt is pending. */
const SPURIOUS = 1023;

/** A page of registers: no linear map, and every register reads as `spurious` to begin with. */
function resource(context: KernelContext, args: readonly Value[]): Value {
  const device = deviceArg(context, args[0]);
  const size = context.machine.pageSize;
  const made = newBuffer(context, { kind: 'pages', size, contiguous: true, device });
  allocatePages(context, made.id, false);
  const buffer = context.buffer(made.id);
  for (const slot of buffer.pages) {
    const frame = slot.state === 'resident' ? context.frame(slot.frame) : undefined;
    if (slot.state !== 'resident' || frame === undefined) continue;
    const lines = frame.lines.map((line) => ({
      ...line,
      state: 'absent' as const,
      dram: line.dram.map(() => SPURIOUS),
      copy: line.dram.map(() => SPURIOUS),
      written: 0,
    }));
    context.setFrame(slot.frame, { ...frame, lines, linear: false });
  }
  return physicalAddress(context, buffer, 0);
}

const ioremap: Effect = (context, args) => {
  const place = physicalPlace(context, int(args[0]));
  if (place === null) return fail(context, 'ioremap() of an address where nothing is');
  const pointer = mapBuffer(context, context.buffer(place.buffer), 'vmap', 'DEV');
  const { map } = pointerArg(context, pointer);
  if (context.option('executable') !== 0) changeMap(context, { ...map, executable: true });
  return pointer;
};

/** Reads the pending interrupt; a fetch that came first has acknowledged it already. */
const readIar: Effect = (context, args) => {
  const { map, offset } = pointerArg(context, args[0]);
  const reached = cpuReach(context, { map: map.id, offset }, 4);
  if (reached.kind !== 'memory') return fail(context, 'this is no mapping of ioremap()');
  const { destination, attribute } = reached;
  const { line, word } = context.layout.position(destination.cell);
  const fetches = map.executable === true && context.liberties.has('speculation');
  const [row] = rowsFor('absent', 'device write');
  if (fetches && row !== undefined && context.choose(2) === 1) {
    context.tookLiberty = true;
    context.apply(destination.frame, line, row, { word, value: SPURIOUS });
    context.say('M4', () => 'a speculative instruction fetch has read the register before');
  }
  return cpuLoad(context, destination, attribute, false, false);
};

export const ioremapOperations: readonly Operation[] = [
  {
    name: 'platform_get_resource',
    family: 'device',
    where: 'cpu',
    returns: 'phys',
    rules: ['M1'],
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: "the physical address of a page of the device's registers, each 1023 at first",
    source: 'drivers/base/platform.c:platform_get_resource',
    effect: resource,
  },
  {
    name: 'ioremap',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'ptr',
    rules: ['K3', 'M4', 'M5'],
    params: [
      { name: 'phys', kinds: ['phys'] },
      { name: 'size', kinds: ['int'] },
    ],
    options: [
      {
        name: 'executable',
        kind: 'bool',
        doc: 'nothing keeps instruction fetches out (ARM with domains); else execute-never',
      },
    ],
    doc: 'maps device registers: Device-nGnRE, execute-never',
    source: 'arch/arm64/include/asm/io.h:ioremap',
    effect: ioremap,
  },
  {
    name: 'gic_read_iar',
    family: 'device',
    where: 'cpu',
    returns: 'int',
    rules: ['M4'],
    params: [{ name: 'iar', kinds: ['ptr'] }],
    doc: 'reads and acknowledges the pending interrupt; any earlier read of it has done so already',
    source: 'drivers/irqchip/irq-gic.c:gic_handle_irq',
    effect: readIar,
  },
];
