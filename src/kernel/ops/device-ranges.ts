/**
 * Operations: a device that reads or writes a range, one word a step. Reading a range names its
 * lines; writing one acts on the words that something reads.
 * Source: model.md M10, M12.
 * Leaves out: reads of a range before their turn, and later reads that pass it.
 */
import { int } from '../args.js';
import { IOMMU_READ, IOMMU_WRITE } from '../constants.js';
import type { KernelContext } from '../context.js';
import { readByDevice, writeByDevice } from '../device-cache.js';
import { deviceBytes } from '../named-words.js';
import type { Effect, Operation } from '../registry.js';
import type { Value } from '../value.js';
import { RANGE_WORD } from '../ranges.js';
import { address, deviceFaults, reach, snoops } from './device.js';
import { goesOver } from './memory.js';

type Args = readonly Value[];
type Access = 'read' | 'write';

/** The arguments with another address: it comes first, or second behind a domain. */
function moved(args: Args, count: number, bytes: number): Args {
  const at = args.length > count ? 1 : 0;
  return args.map((arg, i) => (i === at ? int(arg) + bytes : arg));
}

/** The words of the range as offsets from its address; the last one is always among them. */
function wordsOf(context: KernelContext, args: Args, count: number, access: Access) {
  const size = int(args.at(-1));
  const right = access === 'read' ? IOMMU_READ : IOMMU_WRITE;
  const first = reach(context, args, count, right);
  if (first.kind === 'fault' || size < RANGE_WORD) return [0];
  const { buffer, page, offset } = first.destination.cell;
  const { layout, machine } = context;
  const from = page * machine.pageSize + offset;
  const to = Math.min(from + size, context.buffer(buffer).size);
  if (access === 'read') goesOver(context, buffer, from, to);
  layout.cut(buffer, from);
  layout.cut(buffer, to);
  return deviceBytes(layout, buffer, from, size, to);
}

function rangeAccess(count: number, access: Access): Effect {
  return (context, args) =>
    context.layout.over(() => {
      const words = wordsOf(context, args, count, access);
      const byte = words[context.step.copied] ?? 0;
      const right = access === 'read' ? IOMMU_READ : IOMMU_WRITE;
      const reached = reach(context, moved(args, count, byte), count, right);
      if (reached.kind === 'fault') {
        deviceFaults(context, reached, access);
        return 0;
      }
      const { destination } = reached;
      const snooping = snoops(context, reached);
      if (access === 'read') readByDevice(context, destination, snooping, false);
      else writeByDevice(context, destination, snooping, int(args.at(-2)));
      context.step.copied++;
      context.again = context.step.copied < words.length;
      return 0;
    });
}

export const deviceRangeOperations: readonly Operation[] = [
  {
    name: 'dma_read_range',
    family: 'device',
    where: 'device',
    returns: 'void',
    rules: ['M10', 'M12'],
    params: [
      address,
      { name: 'iova or size', kinds: ['int', 'dma', 'phys'] },
      { name: 'size', kinds: ['int'], optional: true },
    ],
    doc: 'the device reads every line of a range: (domain, iova, size), or (address, size)',
    source: 'model.md M10',
    effect: rangeAccess(2, 'read'),
  },
  {
    name: 'dma_write_range',
    family: 'device',
    where: 'device',
    returns: 'void',
    rules: ['M10', 'M12'],
    params: [
      address,
      { name: 'iova or value', kinds: ['int', 'dma', 'phys'] },
      { name: 'value or size', kinds: ['int'] },
      { name: 'size', kinds: ['int'], optional: true },
    ],
    doc: 'the device writes one value to a range: (domain, iova, value, size), or (address, …)',
    source: 'model.md M10',
    effect: rangeAccess(3, 'write'),
  },
];
