/**
 * Operations: device registers and device memory as the CPU maps them, and a register whose
 * reading has a side effect (M4). CPUs fetch instructions speculatively from wherever nothing
 * forbids execution.
 * Sources: arch/arm64/include/asm/io.h (ioremap: nGnRE, execute-never), drivers/irqchip/irq-gic.c
 * (gic_handle_irq: reading GIC_CPU_INTACK acknowledges), arch/arm commit b6ccb9803e90.
 * Leaves out: other registers that change when they are read; resizable BARs.
 */

import type { Attribute } from '../../machine/attributes.js';
import { rowsFor } from '../../machine/cache-rules.js';
import { cpuLoad } from '../access.js';
import { deviceArg, fail, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { changeMap, cpuReach, makeExecutable, mapBuffer, unmapMap } from '../cpu-maps.js';
import { mayFetchInstructions } from '../kernel-tlb.js';
import { physicalPlace } from '../dma-address.js';
import { allocatePages, physicalAddress } from '../pages.js';
import { uncachedAttribute } from '../profile.js';
import { withFailures } from '../failures.js';
import { type Effect, family, type Operation, type Param } from '../registry.js';
import type { Buffer } from '../state.js';
import { NULL, type Value } from '../value.js';
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

function remap(context: KernelContext, args: readonly Value[], attribute: Attribute): Value {
  const place = physicalPlace(context, int(args[0]));
  if (place === null) return fail(context, 'ioremap() of an address where nothing is');
  const buffer = context.buffer(place.buffer);
  // arch/arm64/mm/ioremap.c:ioremap_prot: "Don't allow RAM to be mapped."
  if (!isDeviceMemory(context, buffer)) {
    context.contract('ioremap() of system memory: a warning, and no mapping');
    return NULL;
  }
  const { map } = pointerArg(context, mapBuffer(context, buffer, 'vmap', attribute));
  const pointer: Value = { kind: 'ptr', map: map.id, offset: place.offset };
  if (context.option('executable') !== 0) makeExecutable(context, pointer);
  return pointer;
}

function isDeviceMemory(context: KernelContext, buffer: Buffer): boolean {
  return buffer.pages.every(
    (slot) => slot.state === 'resident' && context.frame(slot.frame)?.linear === false,
  );
}

const iounmap: Effect = (context, args) => {
  const { map } = pointerArg(context, args[0]);
  if (!map.live) context.contract('iounmap of a mapping that is gone');
  else unmapMap(context, map);
  return 0;
};

/** Memory on the device's side; nothing is known of what stands there. */
const resourceStart: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const bar = int(args[1]);
  context.recorder.couples?.('device memory behind a BAR');
  const known = context.kernel.buffers.find(
    (each) => each.kind === 'bar' && each.device === device && each.bar === bar,
  );
  if (known !== undefined) return physicalAddress(context, known, 0);
  const asked = context.option('size');
  const size = asked > 0 ? asked : context.machine.pageSize;
  const made = newBuffer(context, { kind: 'bar', size, contiguous: true, device });
  context.setBuffer({ ...context.buffer(made.id), bar });
  allocatePages(context, made.id, false, true);
  for (const slot of context.buffer(made.id).pages) {
    const frame = slot.state === 'resident' ? context.frame(slot.frame) : undefined;
    if (slot.state === 'resident' && frame !== undefined) {
      context.setFrame(slot.frame, { ...frame, linear: false, bar: device });
    }
  }
  return physicalAddress(context, context.buffer(made.id), 0);
};

/** Reads the pending interrupt; a fetch that came first has acknowledged it already. */
const readIar: Effect = (context, args) => {
  const { map, offset } = pointerArg(context, args[0]);
  const reached = cpuReach(context, { map: map.id, offset }, 4);
  if (reached.kind !== 'memory') return fail(context, 'this is no mapping of ioremap()');
  const { destination, attribute } = reached;
  const { line, word } = context.layout.position(destination.cell);
  const mayFetch = mayFetchInstructions(context.kernel, destination.frame);
  const fetches = mayFetch && context.liberties.has('speculation');
  const [row] = rowsFor('absent', 'device write');
  if (fetches && row !== undefined && context.choose(2) === 1) {
    context.tookLiberty = true;
    context.apply(destination.frame, line, row, { word, value: SPURIOUS });
    context.say('M4', () => 'a speculative instruction fetch has read the register before');
  }
  return cpuLoad(context, destination, attribute, false, false);
};

const phys: Param = { name: 'phys', kinds: ['phys'] };
const size: Param = { name: 'size', kinds: ['int'] };

const op = family({
  family: 'CPU mappings',
  where: 'cpu',
  returns: 'ptr',
  rules: ['K3', 'M1', 'M5'],
});

const barOperations: readonly Operation[] = [
  op(
    'pci_resource_start',
    [
      { name: 'dev', kinds: ['device'] },
      { name: 'bar', kinds: ['int'] },
    ],
    "the physical address of the device's own memory, as it stands behind a BAR: what its last " +
      'user left, never in the linear map',
    'include/linux/pci.h:pci_resource_start',
    resourceStart,
    {
      returns: 'phys',
      family: 'device',
      rules: ['M1', 'M7', 'M14'],
      options: [{ name: 'size', kind: 'int', doc: 'bytes of it (default a page)' }],
    },
  ),
  op(
    'ioremap_wc',
    [phys, size],
    'maps device memory write-combined: Normal non-cacheable',
    'arch/arm64/include/asm/io.h:ioremap_wc',
    (context, args) => remap(context, args, uncachedAttribute(context)),
  ),
  op(
    'ioremap_np',
    [phys, size],
    'maps device memory Device-nGnRnE: a dsb waits until the device has what was stored',
    'arch/arm64/include/asm/io.h:ioremap_np',
    (context, args) => {
      const pointer = remap(context, args, 'DEV');
      if (pointer === NULL) return pointer;
      const { map } = pointerArg(context, pointer);
      changeMap(context, { ...map, nonPosted: true });
      return pointer;
    },
    { profiles: ['arm64'] },
  ),
  op(
    'ioremap_cache',
    [phys, size],
    'maps device memory write-back cacheable: nothing but the CPU keeps such lines coherent',
    'arch/arm64/include/asm/io.h:ioremap_cache',
    (context, args) => remap(context, args, 'WB'),
    { profiles: ['arm64', 'x86'] },
  ),
  op(
    'iounmap',
    [{ name: 'addr', kinds: ['ptr'] }],
    'ends a mapping of ioremap*()',
    'arch/arm64/mm/ioremap.c, mm/ioremap.c:generic_iounmap',
    iounmap,
    { returns: 'void' },
  ),
];

const rows: readonly Operation[] = [
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
    doc: 'maps device registers or memory: Device-nGnRE, execute-never',
    source: 'arch/arm64/include/asm/io.h:ioremap',
    effect: (context, args) => remap(context, args, 'DEV'),
  },
  ...barOperations,
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

export const ioremapOperations = withFailures(rows, {
  fails: { ioremap: NULL, ioremap_wc: NULL, ioremap_np: NULL, ioremap_cache: NULL },
  takeNull: ['iounmap'],
});
