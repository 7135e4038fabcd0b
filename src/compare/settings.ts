/**
 * Settings of the machine that may decide a cell: each is tried alone, and those that make an
 * unsafe one safe, or a safe one unsafe, are named. They are changed in the text of the expanded
 * scenario, in its line, so that every place stays where it was and anyone can do the same by hand.
 * Leaves out: combinations (matrix/pairs.ts has them), settings that no operation looks at.
 */
import type { DeviceConfig, Program } from '../litmus/program.js';
import { importerLabel, importersOf } from '../verdict/importers.js';

export interface Setting {
  /** As it reads in the machine block: `.swap = none`, `gpu .iommu = smmu`. */
  readonly label: string;
  readonly change: (text: string) => string;
  /** What it writes, with a space behind each: `.swap `, `gpu .iommu `; `gpu `: all of gpu's. */
  readonly writes: readonly string[];
  /** No machine of the architecture is like that (M6, `may_hit`). */
  readonly isOutside?: boolean;
}

/** Beside dma_map_*, the calls that come to dma_map_* inside: with swiotlb=force they bounce. */
const mapInside: ReadonlySet<string> = new Set([
  // Where either side of an attachment cannot move the buffer, joining it maps.
  'dma_buf_attach',
  'dma_buf_dynamic_attach',
  'dma_buf_map_attachment',
  'dma_iova_link',
  'drm_gem_prime_import',
  'drm_gem_shmem_get_pages_sgt',
  // Its get_pages maps, whoever calls it: a pin, a fault, a vmap.
  'msm_gem_new',
  'page_pool_dev_alloc_pages',
  // A fault populates, too.
  'ttm_sg_tt_init',
  // Its first begin_cpu_access maps.
  'udmabuf_create',
  'vb2_dc_get_userptr',
  'vb2_dma_sg_alloc',
  'vb2_dma_sg_get_userptr',
]);
const unmapInside: ReadonlySet<string> = new Set([
  'device_release_driver',
  'dma_buf_detach',
  'dma_buf_move_notify',
  'dma_buf_unmap_attachment',
  'dma_iova_destroy',
  'dma_pool_destroy',
  'dmam_free_coherent',
  'drm_gem_object_put',
  'drm_gem_shmem_purge',
  'msm_gem_new',
  'page_pool_destroy',
  'ttm_bo_swapout',
  'ttm_tt_unpopulate',
  'vb2_dc_put',
  'vb2_dc_put_userptr',
  'vb2_dma_sg_put',
  'vb2_dma_sg_put_userptr',
]);

/** The call makes a streaming mapping, itself or inside: what can bounce (K5, K9). */
export function mapsByDma(call: string): boolean {
  return call.startsWith('dma_map_') || mapInside.has(call);
}

/** The call may end a mapping of the DMA API: what a flush queue can delay (M12). */
export function unmapsByDma(call: string): boolean {
  return call.startsWith('dma_unmap_') || call.startsWith('dma_free_') || unmapInside.has(call);
}

/** Names of the operations that any thread of the scenario calls. */
export function callsOf(program: Program): ReadonlySet<string> {
  const code = [program.init, ...program.threads].flatMap((thread) => thread.code);
  return new Set(code.flatMap((each) => (each.op === 'call' ? [each.operation.name] : [])));
}

/** Every importer that an `any` device may turn out to be (M15), as settings of its block. */
export function importerSettings(program: Program): readonly Setting[] {
  return importersOf(program.machine).map((importers) => {
    const parts = importers.flatMap(({ device, settings }) => [
      deviceSetting(device, 'any', 'false'),
      ...settings.map(([name, value]) => deviceSetting(device, name, value)),
    ]);
    return {
      label: importerLabel(importers),
      writes: importers.map(({ device }) => `${device} `),
      change: (text) => parts.reduce((changed, { change }) => change(changed), text),
    };
  });
}

/** A core where uncached accesses may hit, as far as the architecture allows it (M6). */
export function otherCores({ machine }: Program): Setting {
  return machineSetting('unexpected_hit', machine.profile === 'arm64' ? 'arch' : 'may_hit');
}

/** What is worth trying on this scenario. */
export function settingsFor(program: Program): readonly Setting[] {
  const { machine } = program;
  const calls = callsOf(program);
  const settings: Setting[] = [];
  if (!machine.linearMapRemovable && calls.has('set_direct_map_invalid_noflush')) {
    settings.push(machineSetting('linear_map_removable', 'true'));
  }
  if (machine.swap === 'zram' && calls.has('shmem_writepage')) {
    settings.push(swapsByDma);
  }
  if (machine.memoryAbove4G) settings.push(machineSetting('memory_above_4g', 'false'));
  if (machine.swiotlb === 'on' && [...calls].some(mapsByDma)) {
    settings.push(machineSetting('swiotlb', 'force'));
  }
  const uses = new Set(program.threads.map(({ device }) => device));
  machine.devices.forEach((device, index) => {
    if (uses.has(index) && device.varies.length === 0) settings.push(...deviceSettings(device));
  });
  return settings;
}

/** Block devices read and write memory by DMA, after the clean and invalidate of their own map. */
const swapsByDma: Setting = {
  label: '.swap = a block device',
  writes: ['.swap '],
  change: (text) =>
    text.replace(/\.swap\s*=\s*\w+;/u, '.swap = disk; device disk { .coherent = false };'),
};

function deviceSettings(device: DeviceConfig): readonly Setting[] {
  const { name, coherent, iommu } = device;
  const snoops = deviceSetting(name, 'coherent', coherent ? 'false' : 'true');
  return [
    coherent ? snoops : { ...snoops, change: (text) => withCacheBit(snoops.change(text)) },
    deviceSetting(name, 'iommu', iommu ? 'none' : 'smmu'),
  ];
}

/** A driver maps for a device that snoops with IOMMU_CACHE; else it would not snoop (M10). */
function withCacheBit(text: string): string {
  return text.replace(
    /^(.*\biommu_map\w*\(.*?)(\bIOMMU_\w+(?:\s*\|\s*IOMMU_\w+)*)/gmu,
    (whole, head: string, flags: string) =>
      flags.includes('IOMMU_CACHE') ? whole : `${head}${flags} | IOMMU_CACHE`,
  );
}

export function machineSetting(name: string, value: string): Setting {
  const given = new RegExp(`(\\.${name}\\s*=\\s*)[^;]*;`, 'u');
  return {
    label: `.${name} = ${value}`,
    writes: [`.${name} `],
    change: (text) =>
      given.test(text)
        ? text.replace(given, `$1${value};`)
        : text.replace(/\bmachine\s+\w+\s*\{/u, (open) => `${open} .${name} = ${value};`),
  };
}

export function deviceSetting(device: string, name: string, value: string): Setting {
  const block = new RegExp(`(\\bdevice\\s+${device}\\s*\\{)([^}]*)(\\}\\s*;)`, 'u');
  const given = new RegExp(`(\\.${name}\\s*=\\s*)[^,}]*?(\\s*)(?=,|$)`, 'u');
  return {
    label: `${device} .${name} = ${value}`,
    writes: [`${device} .${name} `],
    change: (text) =>
      text.replace(block, (_, open: string, inner: string, close: string) => {
        if (given.test(inner)) return open + inner.replace(given, `$1${value}$2`) + close;
        const comma = inner.trim() === '' ? '' : ',';
        return `${open} .${name} = ${value}${comma}${inner === '' ? ' ' : inner}${close}`;
      }),
  };
}
