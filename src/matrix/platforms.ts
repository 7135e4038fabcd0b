/**
 * The platforms of `check --matrix`: the scenario as written, and each setting of its machine that
 * could change the verdict, changed alone. The change is made in the text, so that anyone can do
 * the same by hand and check it.
 * Leaves out: combinations of settings, and settings that no operation of the scenario looks at.
 */
import {
  callsOf,
  deviceSetting,
  importerSettings,
  machineSetting,
  mapsByDma,
  type Setting,
  settingsFor,
  unmapsByDma,
} from '../compare/settings.js';
import type { DeviceConfig, Program } from '../litmus/program.js';

/** Masks below this leave memory that the device cannot reach. */
const ALL_ADDRESSES = Number.MAX_SAFE_INTEGER;

/** Bytes: of a line where it is 64 as written, and what arm64 kernels align to (K9). */
const LONG_LINE = 128;

/** Calls that make objects smaller than a page, or maintain any bytes. */
const cutsLines = /^(?:kmalloc|kzalloc|dcache_\w+)$/u;

/** What may differ between platforms, beyond what makes or breaks a cell of `compare`. */
export function platformsOf(program: Program): readonly Setting[] {
  const { machine } = program;
  const calls = callsOf(program);
  const found: Setting[] = [...importerSettings(program)];
  for (const hit of ['ignore', 'arch', 'may-hit'] as const) {
    if (hit === machine.unexpectedHit) continue;
    const setting = machineSetting('unexpected_hit', hit.replace('-', '_'));
    found.push(hit === 'may-hit' ? { ...setting, isOutside: true } : setting);
  }
  found.push(...lineSettings(program, calls));
  if (machine.linearMapRemovable && calls.has('set_direct_map_invalid_noflush')) {
    found.push(machineSetting('linear_map_removable', 'false'));
  }
  if (machine.devices.some((device) => device.iommu) && [...calls].some(unmapsByDma)) {
    found.push(machineSetting('iommu_strict', machine.iommuStrict ? 'false' : 'true'));
  }
  const short = machine.devices.some((each) => each.dmaMask < ALL_ADDRESSES);
  if (short && !machine.memoryAbove4G) found.push(machineSetting('memory_above_4g', 'true'));
  if (machine.swiotlb !== 'noforce' && [...calls].some(mapsByDma)) {
    found.push(machineSetting('swiotlb', 'noforce'));
  }
  for (const device of machine.devices) {
    found.push(...walkSettings(device));
    if (device.snoops !== device.coherent && device.varies.length === 0) {
      found.push(deviceSetting(device.name, 'snoops', device.coherent ? 'true' : 'false'));
    }
  }
  return [...found, ...settingsFor(program)];
}

/**
 * A longer line, or a shorter one; and lines that caches fetch and write back two at once, where
 * the end of a range or of an object may lie between the two (M1): kmalloc() puts objects side by
 * side, and cache helpers take any range.
 */
function lineSettings(
  { machine: { helperLine, lineSize } }: Program,
  calls: ReadonlySet<string>,
): readonly Setting[] {
  const line = machineSetting('cache_line', helperLine === LONG_LINE ? '64' : String(LONG_LINE));
  if (lineSize > helperLine) {
    return [line, machineSetting('writeback_granule', String(helperLine))];
  }
  const mayDepend = [...calls].some((call) => cutsLines.test(call));
  if (!mayDepend || helperLine >= LONG_LINE) return [line];
  return [line, machineSetting('writeback_granule', String(LONG_LINE))];
}

/** What the kernel takes walks of page tables in memory for, and what they really are (M12). */
function walkSettings({ name, coherentWalk, walkSnoops }: DeviceConfig): readonly Setting[] {
  if (coherentWalk === null) return [];
  const other = deviceSetting(name, 'coherent_walk', coherentWalk ? 'false' : 'true');
  if (walkSnoops === coherentWalk) return [other];
  return [other, deviceSetting(name, 'walk_snoops', coherentWalk ? 'true' : 'false')];
}
