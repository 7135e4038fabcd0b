/** The machine a result is about, in words: what a report says it assumes. */
import { orderProfiles } from '../machine/profile.js';
import type { Program } from '../litmus/program.js';
import type { CheckResult } from './result.js';

export function assumptionsOf(program: Program): CheckResult['assumptions'] {
  const { machine } = program;
  const swap =
    typeof machine.swap === 'object'
      ? (machine.devices[machine.swap.device]?.name ?? 'device')
      : machine.swap;
  return {
    profile: machine.profile,
    unexpectedHit: machine.unexpectedHit,
    loadOrder: orderProfiles[machine.profile].totalStoreOrder
      ? 'total store order'
      : 'early loads; stores may overtake loads',
    lineSize: machine.helperLine,
    ...(machine.lineSize > machine.helperLine ? { writebackGranule: machine.lineSize } : {}),
    pageSize: machine.pageSize,
    linearMapRemovable: machine.linearMapRemovable,
    ...(machine.allocationMayFail ? { allocations: 'may fail' } : {}),
    ...(machine.strictAlias ? { strictAlias: true } : {}),
    swap,
    iommu: machine.iommuStrict ? 'strict' : 'lazy',
    ...addressing(machine),
    ...overrideTexts(program),
    devices: machine.devices.map((device) => deviceText(device)).join('; '),
  };
}

/** Functions of the kernel that are not Linux'. */
function overrideTexts({ overrides }: Program): Readonly<Record<string, string>> {
  if (overrides.length === 0) return {};
  return { overrides: overrides.map(({ name, at }) => `${name} (line ${at.line})`).join(', ') };
}

/** What matters only where it is not as usual: zones and bounce buffers (K9). */
function addressing(machine: Program['machine']): Readonly<Record<string, string>> {
  const { swiotlb, swiotlbSlots, memoryAbove4G, zoneDma } = machine;
  return {
    ...(memoryAbove4G ? { memory: 'above 4 GiB but for ZONE_DMA32 and ZONE_DMA' } : {}),
    ...(zoneDma < 2 ** 32 - 1 ? { zoneDma: `up to 0x${zoneDma.toString(16)}` } : {}),
    ...(swiotlb === 'on' ? {} : { swiotlb }),
    ...(swiotlbSlots === null ? {} : { swiotlbSlots: String(swiotlbSlots) }),
  };
}

/** `, 32-bit addresses`; nothing where the device reaches everything. */
function reachText({ dmaMask, busPasses }: Program['machine']['devices'][number]): string {
  const limit = Math.min(dmaMask, busPasses);
  if (limit === Number.MAX_SAFE_INTEGER) return '';
  const bits = Math.log2(limit + 1);
  const text = Number.isInteger(bits) ? `${bits}-bit addresses` : `up to 0x${limit.toString(16)}`;
  return `, ${text}`;
}

function deviceText(device: Program['machine']['devices'][number]): string {
  if (device.varies.length > 0) return `${device.name}: any`;
  const believed = device.coherent ? 'coherent' : 'non-coherent';
  const real = device.snoops ? 'snoops' : 'does not snoop';
  const kind = device.coherent === device.snoops ? believed : `${believed} but ${real}`;
  const fails = device.mappingMayFail ? ', mappings may fail' : '';
  const ops = device.iommu ? 'dma-iommu' : 'dma-direct';
  return `${device.name}: ${kind}, ${ops}${reachText(device)}${fails}`;
}
