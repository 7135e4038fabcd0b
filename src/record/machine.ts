/**
 * Facts about this machine that no trace event carries, for the sidecar: devices with their masks,
 * IOMMU groups and whether their DMA is coherent. Read from sysfs and procfs under a root that a
 * test may choose. Leaves out: what sysfs does not show (masks of other buses, ACPI's _CCA).
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Sidecar, SidecarDevice } from '../trace/sidecar.js';

/** Buses whose devices do DMA under their own name. USB, I2C and the like do it by their host. */
const buses = ['pci', 'platform', 'amba', 'fsl-mc', 'cdx', 'host1x', 'virtio', 'vmbus', 'vio'];

export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').replace(/[\n\0]+$/, '');
  } catch {
    return null;
  }
}

function readNumber(path: string): number | null {
  const text = readText(path);
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

function linkName(path: string): string | null {
  try {
    return basename(realpathSync(path));
  } catch {
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

export interface Coherence {
  readonly coherent: boolean | null;
  readonly coherentFrom: string;
}

/** Architectures on which DMA snoops, whatever firmware says. */
const alwaysCoherent = ['x86_64', 'i686', 'i386', 's390x'];
/** Architectures that take a device as non-coherent unless firmware says otherwise. */
const defaultNonCoherent = ['aarch64', 'arm64', 'armv7l', 'armv8l'];

/**
 * The device tree node that decides for a device: its own, or for PCI that of the host bridge's
 * parent, for virtio that of the device below. Source: pci_dma_configure() in
 * drivers/pci/pci-driver.c, platform_dma_configure() in drivers/base/platform.c.
 */
function decidingNode(device: string, bus: string): string | null {
  let at = device;
  if (bus === 'virtio') at = dirname(at);
  if (/^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.\d$/.test(basename(at))) {
    while (at !== dirname(at) && !/^pci[0-9a-f]+:[0-9a-f]+$/.test(basename(at))) at = dirname(at);
    at = dirname(at);
  }
  try {
    return realpathSync(join(at, 'of_node'));
  } catch {
    return null;
  }
}

/** Up the tree to the first word about it. Source: of_dma_is_coherent() in drivers/of/address.c. */
function wordOfTree(node: string, top: string): Coherence | null {
  for (let at = node; at.startsWith(top); at = dirname(at)) {
    const where = at.slice(top.length) || '/';
    if (existsSync(join(at, 'dma-coherent'))) {
      return { coherent: true, coherentFrom: `device tree: dma-coherent at ${where}` };
    }
    if (existsSync(join(at, 'dma-noncoherent'))) {
      return { coherent: false, coherentFrom: `device tree: dma-noncoherent at ${where}` };
    }
    if ((readText(join(at, 'interconnect-names')) ?? '').split('\0').includes('dma-mem')) {
      return {
        coherent: null,
        coherentFrom: `device tree: ${where} names its DMA parent by interconnects; not followed`,
      };
    }
  }
  return null;
}

/** Whether a device's DMA snoops, as its kernel was told, and where that is from. */
export function coherenceOf(device: string, bus: string, arch: string, root: string): Coherence {
  if (alwaysCoherent.includes(arch)) {
    return { coherent: true, coherentFrom: `${arch}: DMA snoops the caches` };
  }
  const node = decidingNode(device, bus);
  if (node === null) {
    const acpi = existsSync(join(root, 'sys/firmware/acpi/tables'));
    const why = acpi ? 'ACPI: sysfs does not show _CCA' : 'no device tree node';
    return { coherent: null, coherentFrom: why };
  }
  const top = join(realpathSync(root), 'sys/firmware/devicetree/base');
  const word = wordOfTree(node, top);
  if (word !== null) return word;
  const path = node.startsWith(top) ? node.slice(top.length) || '/' : node;
  if (!defaultNonCoherent.includes(arch)) {
    return { coherent: null, coherentFrom: `device tree: no word at ${path} or above` };
  }
  return { coherent: false, coherentFrom: `device tree: no dma-coherent at ${path} or above` };
}

function deviceAt(link: string, bus: string, arch: string, root: string): SidecarDevice | null {
  let path: string;
  try {
    path = realpathSync(link);
  } catch {
    return null;
  }
  const group = linkName(join(path, 'iommu_group'));
  const dmaMaskBits = readNumber(join(path, 'dma_mask_bits'));
  // Of the platform bus, thousands of devices are no more than a name: nothing to say of those.
  const known = dmaMaskBits !== null || group !== null || existsSync(join(path, 'of_node'));
  if (!known && bus === 'platform') return null;
  return {
    name: basename(path),
    bus,
    driver: linkName(join(path, 'driver')),
    ...coherenceOf(path, bus, arch, root),
    dmaMaskBits,
    coherentMaskBits: readNumber(join(path, 'consistent_dma_mask_bits')),
    iommuGroup: group === null || !/^\d+$/.test(group) ? null : Number(group),
    iommuType: readText(join(path, 'iommu_group', 'type')),
  };
}

export function devicesOf(arch: string, root = '/'): SidecarDevice[] {
  return buses.flatMap((bus) => {
    const folder = join(root, 'sys/bus', bus, 'devices');
    return list(folder)
      .map((name) => deviceAt(join(folder, name), bus, arch, root))
      .filter((device) => device !== null);
  });
}

/**
 * The write-back granule that DMA has to respect. CTR_EL0.CWG, which dma_get_cache_alignment()
 * returns on arm64, is not in sysfs; the longest cache line is, and is at most the granule.
 */
export function granuleOf(arch: string, root = '/'): Sidecar['granule'] {
  const cpus = join(root, 'sys/devices/system/cpu');
  const sizes = list(cpus)
    .filter((name) => /^cpu\d+$/.test(name))
    .flatMap((name) => {
      const cache = join(cpus, name, 'cache');
      return list(cache).map((index) => readNumber(join(cache, index, 'coherency_line_size')) ?? 0);
    });
  const bytes = Math.max(0, ...sizes);
  if (bytes > 0) return { bytes, from: 'sysfs: the largest coherency_line_size' };
  if (!['aarch64', 'arm64'].includes(arch)) return null;
  return { bytes: 128, from: 'not in sysfs; ARCH_DMA_MINALIGN of arm64' };
}

/** Bytes of a page, as procfs shows it of our own memory; null where it does not. */
export function pageSizeOf(root = '/'): number | null {
  const text = readText(join(root, 'proc/self/smaps'));
  const kb = /^KernelPageSize:\s*(\d+) kB/m.exec(text ?? '')?.[1];
  return kb === undefined ? null : Number(kb) * 1024;
}
