/**
 * What a device tree says of coherence: `dma-coherent` or `dma-noncoherent` of a device or above
 * it; on arm64 neither means that it does not snoop. A PCI device is what its host bridge is.
 *
 * Source: drivers/of/address.c:of_dma_is_coherent; drivers/of/platform.c:of_device_make_bus_id for
 * the names of platform devices; drivers/pci/probe.c:pci_dma_configure for the host bridge. Leaves
 * out `interconnects` named dma-mem, and bus addresses that `ranges` translate.
 */
import type { CoherenceBook, CoherenceFact } from './coherence.js';
import { allNodes, pathOf, type TreeNode } from './tree.js';

const pciName = /^([0-9a-f]{4,}):[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;
const platformName = /^([0-9a-f]+)\.(.+)$/;

function isPciHost(node: TreeNode): boolean {
  const type = node.properties.get('device_type')?.strings[0];
  if (type !== 'pci') return false;
  // A port under a host bridge has the same device_type.
  return node.parent?.properties.get('device_type')?.strings[0] !== 'pci';
}

function pciHost(hosts: readonly TreeNode[], domain: number): TreeNode | null {
  const stated = hosts.filter((h) => h.properties.get('linux,pci-domain')?.cell === domain);
  if (stated.length === 1) return stated[0] ?? null;
  return hosts.length === 1 ? (hosts[0] ?? null) : null;
}

/** The node of `9050000.smmuv3`: that name and unit address, or the only one of that name. */
function platformNode(nodes: readonly TreeNode[], address: string, name: string): TreeNode | null {
  const named = nodes.filter((node) => node.name.split('@')[0] === name);
  const exact = named.filter((node) => node.name.split('@')[1] === address);
  const candidates = exact.length > 0 ? exact : named;
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

function factOf(node: TreeNode): CoherenceFact {
  const from = 'device tree';
  for (let each: TreeNode | null = node; each !== null; each = each.parent) {
    if (each.properties.has('dma-coherent')) {
      return { coherent: true, from, because: `${pathOf(each)} is dma-coherent` };
    }
    if (each.properties.has('dma-noncoherent')) {
      return { coherent: false, from, because: `${pathOf(each)} is dma-noncoherent` };
    }
  }
  return { coherent: false, from, because: `${pathOf(node)} is not dma-coherent` };
}

export function treeBook(root: TreeNode): CoherenceBook {
  const nodes = [...allNodes(root)];
  const hosts = nodes.filter(isPciHost);
  return (device) => {
    const pci = pciName.exec(device);
    if (pci !== null) {
      const host = pciHost(hosts, Number.parseInt(pci[1] ?? '', 16));
      return host === null ? null : factOf(host);
    }
    const platform = platformName.exec(device);
    if (platform === null) return null;
    const node = platformNode(nodes, platform[1] ?? '', platform[2] ?? '');
    return node === null ? null : factOf(node);
  };
}
