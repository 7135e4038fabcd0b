/**
 * The machine block: which devices there are, and the settings of the machine itself. Without a
 * block it is an arm64 machine without devices.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import { nearestName } from '../diagnostics/nearest.js';
import type { Varying } from '../kernel/config.js';
import { constants } from '../kernel/constants.js';
import { GRANULE } from '../kernel/io-pgtable.js';
import type { MachineDeviceNode, MachineNode, OptionNode, SyntaxTree } from './ast.js';
import { kernelProfiles } from '../kernel/profile.js';
import { isProfile, type ProfileName, profileNames } from '../machine/profile.js';
import { deviceSettings, machineSettings, patchSettings } from './machine-settings.js';
import {
  booleanOf,
  countOf,
  hitOf,
  maskOf,
  nameOf,
  patchOf,
  powerOfTwo,
  swapOf,
  swiotlbOf,
} from './machine-values.js';
import type { DeviceConfig, MachineConfig } from './program.js';

const defaults: MachineConfig = {
  profile: 'arm64',
  devices: [],
  linearMapRemovable: false,
  svpbmt: true,
  swap: 'none',
  unexpectedHit: 'ignore',
  swiotlb: 'on',
  swiotlbSlots: null,
  iommuStrict: true,
  memoryAbove4G: false,
  zoneDma: 2 ** 32 - 1,
  dirtyAtBoot: false,
  allocationMayFail: false,
  strictAlias: false,
  lineSize: 64,
  helperLine: 64,
  pageSize: 4096,
  overrides: {},
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

/** Settings of a device that are true or false and nothing else. */
const deviceFlags: ReadonlyMap<string, keyof DeviceConfig> = new Map([
  ['write_back_cache', 'writeBackCache'],
  ['read_cache', 'readCache'],
  ['remoteproc', 'remoteproc'],
  ['rogue', 'rogue'],
  ['unordered_interrupt', 'unorderedInterrupt'],
  ['coherent_walk', 'coherentWalk'],
  ['caches_faults', 'cachesFaults'],
  ['mapping_may_fail', 'mappingMayFail'],
]);

/** The same of the machine. */
const machineFlags: ReadonlyMap<string, keyof MachineConfig> = new Map([
  ['linear_map_removable', 'linearMapRemovable'],
  ['iommu_strict', 'iommuStrict'],
  ['memory_above_4g', 'memoryAbove4G'],
  ['dirty_at_boot', 'dirtyAtBoot'],
  ['allocation_may_fail', 'allocationMayFail'],
  ['strict_alias', 'strictAlias'],
]);

function deviceByDefault(node: MachineDeviceNode, profile: ProfileName): DeviceConfig {
  const { coherentByDefault } = kernelProfiles[profile];
  return {
    name: node.name,
    coherent: coherentByDefault,
    snoops: false,
    writeBackCache: false,
    readCache: false,
    remoteproc: false,
    rogue: false,
    unorderedInterrupt: false,
    iommu: false,
    iommuUnit: '',
    coherentWalk: null,
    walkSnoops: false,
    cachesFaults: false,
    dmaMask: Number.MAX_SAFE_INTEGER,
    coherentDmaMask: -1,
    busDmaLimit: Number.MAX_SAFE_INTEGER,
    busPasses: -1,
    mappingMayFail: false,
    varies: [],
    at: node.at,
  };
}

function buildDevice(
  node: MachineDeviceNode,
  profile: ProfileName,
  diagnostics: DiagnosticCollector,
): DeviceConfig {
  let device = deviceByDefault(node, profile);
  let isAny = false;
  let snoops: boolean | null = null;
  let walkSnoops: boolean | null = null;
  const settings = checkedSettings(
    node.settings,
    deviceSettings,
    `device '${node.name}'`,
    diagnostics,
  );
  for (const setting of settings) {
    const flag = deviceFlags.get(setting.name);
    if (flag !== undefined) device = { ...device, [flag]: booleanOf(setting, diagnostics) };
    switch (setting.name) {
      case 'coherent':
        device = { ...device, coherent: coherentOf(setting, profile, diagnostics) };
        break;
      case 'snoops':
        snoops = booleanOf(setting, diagnostics);
        break;
      case 'any':
        isAny = booleanOf(setting, diagnostics);
        break;
      case 'iommu':
        device = { ...device, ...iommuOf(setting, diagnostics) };
        break;
      case 'walk_snoops':
        walkSnoops = booleanOf(setting, diagnostics);
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
      case 'bus_passes':
        device = { ...device, busPasses: maskOf(setting, diagnostics) };
        break;
      default:
    }
  }
  const { coherentDmaMask, dmaMask, busPasses, busDmaLimit } = device;
  const given = new Set(settings.map(({ name }) => name));
  const caches = device.remoteproc ? { writeBackCache: true, readCache: true } : {};
  return {
    ...device,
    ...caches,
    varies: isAny ? varying.filter((name) => !given.has(name)) : [],
    snoops: snoops ?? device.coherent,
    walkSnoops: walkSnoops ?? device.coherentWalk ?? false,
    busPasses: busPasses < 0 ? busDmaLimit : busPasses,
    coherentDmaMask: coherentDmaMask < 0 ? dmaMask : coherentDmaMask,
  };
}

/** What stays open of `any` device is what its block does not say. */
const varying: readonly Varying[] = ['coherent', 'iommu', 'dma_mask'];
function iommuOf(
  setting: OptionNode,
  diagnostics: DiagnosticCollector,
): Pick<DeviceConfig, 'iommu' | 'iommuUnit'> {
  const name = nameOf(setting, diagnostics);
  return name === 'none' ? { iommu: false, iommuUnit: '' } : { iommu: true, iommuUnit: name };
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
  let granule = 0;
  for (const setting of checkedSettings(
    block.settings,
    machineSettings,
    'the machine',
    diagnostics,
  )) {
    if (patchSettings.some(([name]) => name === setting.name)) {
      const overrides = { ...machine.overrides, [setting.name]: patchOf(setting, diagnostics) };
      machine = { ...machine, overrides };
    }
    const flag = machineFlags.get(setting.name);
    if (flag !== undefined) machine = { ...machine, [flag]: booleanOf(setting, diagnostics) };
    switch (setting.name) {
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
      case 'swiotlb_slots':
        machine = { ...machine, swiotlbSlots: countOf(setting, diagnostics) };
        break;
      case 'zone_dma':
        machine = { ...machine, zoneDma: Math.min(maskOf(setting, diagnostics), 2 ** 32 - 1) };
        break;
      case 'cache_line':
        machine = { ...machine, helperLine: powerOfTwo(setting, 8, 4096, 64, diagnostics) };
        break;
      case 'writeback_granule':
        granule = powerOfTwo(setting, 8, 4096, 64, diagnostics);
        break;
      case 'page_size':
        machine = { ...machine, pageSize: powerOfTwo(setting, 64, 65536, 4096, diagnostics) };
        break;
      default:
    }
  }
  machine = { ...machine, lineSize: Math.max(granule, machine.helperLine) };
  checkSizes(machine, granule, block, diagnostics);
  return machine;
}

/** What lines, granules and pages have to be to each other. */
function checkSizes(
  machine: MachineConfig,
  granule: number,
  { at }: MachineNode,
  diagnostics: DiagnosticCollector,
): void {
  const { helperLine, lineSize, pageSize } = machine;
  const walked = machine.devices.find((each) => each.coherentWalk !== null);
  if (walked !== undefined && pageSize !== GRANULE) {
    const message = `page tables in memory ('${walked.name}') have pages of ${GRANULE} bytes`;
    diagnostics.error('L022', at, message, { expected: `.page_size = ${GRANULE}` });
  }
  if (granule > 0 && granule < helperLine) {
    const message = `a write-back granule of ${granule} bytes is less than a line`;
    diagnostics.error('L022', at, message, { expected: `at least ${helperLine}` });
  }
  if (lineSize > pageSize) {
    const message = `a cache line of ${lineSize} bytes does not fit a page`;
    diagnostics.error('L022', at, message, { expected: 'a page of at least one line' });
  }
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
