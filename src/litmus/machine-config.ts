/**
 * The machine block: which devices there are, and the settings of the machine itself. Without a
 * block it is an arm64 machine without devices.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import { nearestName } from '../diagnostics/nearest.js';
import { constants } from '../kernel/constants.js';
import type { MachineDeviceNode, MachineNode, OptionNode, SyntaxTree } from './ast.js';
import { constantOf } from './constant-expression.js';
import { kernelProfiles } from '../kernel/profile.js';
import { isProfile, type ProfileName, profileNames } from '../machine/profile.js';
import type { DeviceConfig, MachineConfig } from './program.js';

export const machineSettings: ReadonlyMap<string, string> = new Map([
  [
    'linear_map_removable',
    'true: set_direct_map_invalid_noflush() works (default true, except on arm64)',
  ],
  ['swap', 'none (default), zram, or a device that swaps by DMA'],
  [
    'unexpected_hit',
    'ignore (default), arch (arm64) or may_hit: whether an uncached access may hit (M6)',
  ],
  ['swiotlb', 'on (default), force or noforce: bounce buffers where needed, always, never (K9)'],
  ['iommu_strict', 'false: DMA API unmaps leave the IOTLB to a flush queue (default true)'],
  ['memory_above_4g', 'true: memory without a zone flag lies above 4 GiB (default false)'],
  ['zone_dma', 'highest address of ZONE_DMA: DMA_BIT_MASK(n) (default 32 bits)'],
  ['svpbmt', 'false: riscv without Svpbmt, where pages cannot be non-cacheable (default true)'],
  ['strict_alias', 'true: mismatched accesses are findings of their own, H5 (default false)'],
  ['cache_line', 'bytes in a cache line, a power of two (default 64)'],
  ['page_size', 'bytes in a page, a power of two (default 4096)'],
]);
export const deviceSettings: ReadonlyMap<string, string> = new Map([
  [
    'coherent',
    'true: it snoops the CPU caches, and the kernel knows (default true, except on arm64)',
  ],
  ['snoops', 'what it really does, where the kernel is wrong about it (default as .coherent)'],
  ['write_back_cache', 'true: what it writes stays in a cache of its own for a while (M11)'],
  ['iommu', 'the name of its IOMMU, or none (default): DMA API addresses are bus addresses'],
  ['mapping_may_fail', 'true: dma_map_* may fail, so dma_mapping_error() matters (default false)'],
  ['dma_mask', 'highest address it can emit: DMA_BIT_MASK(n) (default 64 bits)'],
  ['coherent_dma_mask', 'the same for dma_alloc_* (default: as dma_mask)'],
  ['bus_dma_limit', 'highest address its bus passes on: DMA_BIT_MASK(n) (default 64 bits)'],
]);

const defaults: MachineConfig = {
  profile: 'arm64',
  devices: [],
  linearMapRemovable: false,
  svpbmt: true,
  swap: 'none',
  unexpectedHit: 'ignore',
  swiotlb: 'on',
  iommuStrict: true,
  memoryAbove4G: false,
  zoneDma: 2 ** 32 - 1,
  strictAlias: false,
  lineSize: 64,
  pageSize: 4096,
};

export function buildMachine(tree: SyntaxTree, diagnostics: DiagnosticCollector): MachineConfig {
  const [block, ...more] = tree.items.flatMap((item) => (item.kind === 'machine' ? [item] : []));
  for (const { at } of more) {
    diagnostics.error('L014', at, 'a second machine block', { expected: 'one machine block' });
  }
  if (block === undefined) return defaults;
  const profile = isProfile(block.profile) ? block.profile : 'arm64';
  if (!isProfile(block.profile)) {
    diagnostics.error('L022', block.profileAt, `unknown machine profile '${block.profile}'`, {
      expected: profileNames.join(', '),
      suggestion: nearestName(block.profile, profileNames) ?? 'arm64',
    });
  }
  const devices = new Map<string, DeviceConfig>();
  for (const node of block.devices) {
    const why = devices.has(node.name)
      ? 'already a device'
      : constants.has(node.name)
        ? 'already a constant'
        : notADeviceName.has(node.name)
          ? 'no name for a device'
          : null;
    if (why !== null) diagnostics.error('L023', node.at, `'${node.name}' is ${why}`);
    devices.set(node.name, buildDevice(node, profile, diagnostics));
  }
  return applySettings(block, profile, [...devices.values()], diagnostics);
}

/** These mean something in the settings, or as the name of a thread. */
const notADeviceName: ReadonlySet<string> = new Set(['none', 'zram', 'init']);

function buildDevice(
  node: MachineDeviceNode,
  profile: ProfileName,
  diagnostics: DiagnosticCollector,
): DeviceConfig {
  const { coherentByDefault } = kernelProfiles[profile];
  let device: DeviceConfig = {
    name: node.name,
    coherent: coherentByDefault,
    snoops: false,
    writeBackCache: false,
    iommu: false,
    dmaMask: Number.MAX_SAFE_INTEGER,
    coherentDmaMask: -1,
    busDmaLimit: Number.MAX_SAFE_INTEGER,
    mappingMayFail: false,
    at: node.at,
  };
  let snoops: boolean | null = null;
  const settings = checkedSettings(
    node.settings,
    deviceSettings,
    `device '${node.name}'`,
    diagnostics,
  );
  for (const setting of settings) {
    switch (setting.name) {
      case 'coherent':
        device = { ...device, coherent: coherentOf(setting, profile, diagnostics) };
        break;
      case 'snoops':
        snoops = booleanOf(setting, diagnostics);
        break;
      case 'write_back_cache':
        device = { ...device, writeBackCache: booleanOf(setting, diagnostics) };
        break;
      case 'iommu':
        device = { ...device, iommu: nameOf(setting, diagnostics) !== 'none' };
        break;
      case 'mapping_may_fail':
        device = { ...device, mappingMayFail: booleanOf(setting, diagnostics) };
        break;
      case 'dma_mask':
        device = { ...device, dmaMask: maskOf(setting, diagnostics) };
        break;
      case 'coherent_dma_mask':
        device = { ...device, coherentDmaMask: maskOf(setting, diagnostics) };
        break;
      case 'bus_dma_limit':
        device = { ...device, busDmaLimit: maskOf(setting, diagnostics) };
        break;
      default:
    }
  }
  const { coherentDmaMask, dmaMask } = device;
  return {
    ...device,
    snoops: snoops ?? device.coherent,
    coherentDmaMask: coherentDmaMask < 0 ? dmaMask : coherentDmaMask,
  };
}

/** x86 has no dev->dma_coherent: what does not snoop there, the DMA API does not know of. */
function coherentOf(
  setting: OptionNode,
  profile: ProfileName,
  diagnostics: DiagnosticCollector,
): boolean {
  const coherent = booleanOf(setting, diagnostics);
  if (!coherent && !kernelProfiles[profile].knowsNonCoherent) {
    const message = `on ${profile} the DMA API takes every device for coherent`;
    diagnostics.error('L028', setting.at, message, {
      expected: "'.snoops = false' for a device that does not snoop all the same",
    });
  }
  return coherent;
}

function applySettings(
  block: MachineNode,
  profile: ProfileName,
  devices: readonly DeviceConfig[],
  diagnostics: DiagnosticCollector,
): MachineConfig {
  const { linearMapRemovable } = kernelProfiles[profile];
  let machine: MachineConfig = { ...defaults, profile, devices, linearMapRemovable };
  for (const setting of checkedSettings(
    block.settings,
    machineSettings,
    'the machine',
    diagnostics,
  )) {
    switch (setting.name) {
      case 'linear_map_removable':
        machine = { ...machine, linearMapRemovable: booleanOf(setting, diagnostics) };
        break;
      case 'swap':
        machine = { ...machine, swap: swapOf(setting, devices, diagnostics) };
        break;
      case 'unexpected_hit':
        machine = { ...machine, unexpectedHit: hitOf(setting, profile, diagnostics) };
        break;
      case 'svpbmt':
        machine = { ...machine, svpbmt: svpbmtOf(setting, profile, diagnostics) };
        break;
      case 'swiotlb':
        machine = { ...machine, swiotlb: swiotlbOf(setting, diagnostics) };
        break;
      case 'iommu_strict':
        machine = { ...machine, iommuStrict: booleanOf(setting, diagnostics) };
        break;
      case 'memory_above_4g':
        machine = { ...machine, memoryAbove4G: booleanOf(setting, diagnostics) };
        break;
      case 'zone_dma':
        machine = { ...machine, zoneDma: Math.min(maskOf(setting, diagnostics), 2 ** 32 - 1) };
        break;
      case 'strict_alias':
        machine = { ...machine, strictAlias: booleanOf(setting, diagnostics) };
        break;
      case 'cache_line':
        machine = { ...machine, lineSize: powerOfTwo(setting, 8, 4096, 64, diagnostics) };
        break;
      case 'page_size':
        machine = { ...machine, pageSize: powerOfTwo(setting, 64, 65536, 4096, diagnostics) };
        break;
      default:
    }
  }
  if (machine.lineSize > machine.pageSize) {
    const message = `a cache line of ${machine.lineSize} bytes does not fit a page`;
    diagnostics.error('L022', block.at, message, { expected: 'a page of at least one line' });
  }
  return machine;
}

function checkedSettings(
  nodes: readonly OptionNode[],
  known: ReadonlyMap<string, string>,
  owner: string,
  diagnostics: DiagnosticCollector,
): readonly OptionNode[] {
  const seen = new Set<string>();
  return nodes.filter(({ name, at }) => {
    if (!known.has(name)) {
      diagnostics.error('L022', at, `${owner} has no setting '.${name}'`, {
        expected: [...known.keys()].map((each) => `.${each}`).join(', '),
        suggestion: nearestName(name, known.keys()),
      });
      return false;
    }
    if (seen.has(name)) diagnostics.error('L014', at, `'.${name}' is set twice`);
    seen.add(name);
    return true;
  });
}

function svpbmtOf(
  setting: OptionNode,
  profile: ProfileName,
  diagnostics: DiagnosticCollector,
): boolean {
  if (profile !== 'riscv') {
    diagnostics.error('L028', setting.at, `'.svpbmt' is a setting of riscv, not of ${profile}`);
  }
  return booleanOf(setting, diagnostics);
}

function hitOf(
  setting: OptionNode,
  profile: ProfileName,
  diagnostics: DiagnosticCollector,
): MachineConfig['unexpectedHit'] {
  const name = nameOf(setting, diagnostics);
  if (name === 'arch' && profile !== 'arm64') {
    diagnostics.error('L028', setting.at, `what Arm allows says nothing about ${profile}`, {
      expected: 'ignore or may_hit',
    });
  }
  if (name === 'arch' || name === 'ignore') return name;
  if (name === 'may_hit') return 'may-hit';
  diagnostics.error('L022', setting.at, `'.${setting.name}' cannot be '${name}'`, {
    expected: 'ignore, arch or may_hit',
  });
  return 'ignore';
}

function swiotlbOf(
  setting: OptionNode,
  diagnostics: DiagnosticCollector,
): MachineConfig['swiotlb'] {
  const name = nameOf(setting, diagnostics);
  if (name === 'on' || name === 'force' || name === 'noforce') return name;
  diagnostics.error('L022', setting.at, `'.${setting.name}' cannot be '${name}'`, {
    expected: 'on, force or noforce',
  });
  return 'on';
}

function booleanOf({ name, value }: OptionNode, diagnostics: DiagnosticCollector): boolean {
  const constant = constantOf(value)?.value;
  if (constant === 0 || constant === 1) return constant === 1;
  diagnostics.error('L037', value.at, `'.${name}' is true or false`, { expected: 'true or false' });
  return false;
}

function nameOf({ name, value }: OptionNode, diagnostics: DiagnosticCollector): string {
  if (value.kind === 'name' && !constants.has(value.name)) return value.name;
  diagnostics.error('L037', value.at, `'.${name}' needs a name`, { expected: 'a name, or none' });
  return 'none';
}

function maskOf({ name, value }: OptionNode, diagnostics: DiagnosticCollector): number {
  const mask = constantOf(value)?.value;
  if (mask !== undefined && mask > 0) return mask;
  diagnostics.error('L037', value.at, `'.${name}' needs a constant`, {
    expected: 'DMA_BIT_MASK(n) with n from 1 to 64',
  });
  return Number.MAX_SAFE_INTEGER;
}

function swapOf(
  setting: OptionNode,
  devices: readonly DeviceConfig[],
  diagnostics: DiagnosticCollector,
): MachineConfig['swap'] {
  const name = nameOf(setting, diagnostics);
  if (name === 'none' || name === 'zram') return name;
  const device = devices.findIndex((candidate) => candidate.name === name);
  if (device >= 0) return { device };
  diagnostics.error('L022', setting.value.at, `cannot swap to '${name}'`, {
    expected: 'none, zram, or a device of this block',
    suggestion: nearestName(name, ['none', 'zram', ...devices.map((each) => each.name)]),
  });
  return 'none';
}

function powerOfTwo(
  { name, value }: OptionNode,
  least: number,
  most: number,
  fallback: number,
  diagnostics: DiagnosticCollector,
): number {
  const size = constantOf(value)?.value;
  if (size !== undefined && size >= least && size <= most && Number.isInteger(Math.log2(size))) {
    return size;
  }
  diagnostics.error('L037', value.at, `'.${name}' is a power of two`, {
    expected: `a power of two from ${least} to ${most}`,
  });
  return fallback;
}
