/**
 * What the settings of a machine block may be: names, flags, masks, powers of two. A value that is
 * none of these is told, and a default goes on.
 * Leaves out: which settings there are (machine-config.ts).
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import { nearestName } from '../diagnostics/nearest.js';
import { constants } from '../kernel/constants.js';
import type { ProfileName } from '../machine/profile.js';
import type { Maintenance } from '../machine/store-buffer.js';
import type { OptionNode } from './ast.js';
import { constantOf } from './constant-expression.js';
import type { DeviceConfig, MachineConfig } from './program.js';

const patches = new Map<string, Maintenance | 'none'>([
  ['clean', 'clean'],
  ['inval', 'invalidate'],
  ['clean_inval', 'clean+invalidate'],
  ['none', 'none'],
]);

export function patchOf(
  setting: OptionNode,
  diagnostics: DiagnosticCollector,
): Maintenance | 'none' {
  const name = nameOf(setting, diagnostics);
  const found = patches.get(name);
  if (found !== undefined) return found;
  diagnostics.error('L022', setting.at, `'.${setting.name}' cannot be '${name}'`, {
    expected: [...patches.keys()].join(', '),
  });
  return 'none';
}

export function hitOf(
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

export function swiotlbOf(
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

export function booleanOf({ name, value }: OptionNode, diagnostics: DiagnosticCollector): boolean {
  const constant = constantOf(value)?.value;
  if (constant === 0 || constant === 1) return constant === 1;
  diagnostics.error('L037', value.at, `'.${name}' is true or false`, { expected: 'true or false' });
  return false;
}

export function nameOf({ name, value }: OptionNode, diagnostics: DiagnosticCollector): string {
  if (value.kind === 'name' && !constants.has(value.name)) return value.name;
  diagnostics.error('L037', value.at, `'.${name}' needs a name`, { expected: 'a name, or none' });
  return 'none';
}

export function maskOf({ name, value }: OptionNode, diagnostics: DiagnosticCollector): number {
  const mask = constantOf(value)?.value;
  if (mask !== undefined && mask > 0) return mask;
  diagnostics.error('L037', value.at, `'.${name}' needs a constant`, {
    expected: 'DMA_BIT_MASK(n) with n from 1 to 64',
  });
  return Number.MAX_SAFE_INTEGER;
}

export function swapOf(
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

export function powerOfTwo(
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

/** How many of something; at most what a kernel parameter would take. */
export function countOf({ name, value }: OptionNode, diagnostics: DiagnosticCollector): number {
  const count = constantOf(value)?.value;
  if (count !== undefined && count <= COUNT_MOST) return count;
  diagnostics.error('L037', value.at, `'.${name}' is a number`, {
    expected: `a constant up to ${COUNT_MOST}`,
  });
  return 0;
}

const COUNT_MOST = 2 ** 20;
