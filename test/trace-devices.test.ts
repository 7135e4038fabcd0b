/** Where coherence comes from: device trees in both forms, the command line, the sidecar. */
import { describe, expect, it } from 'vitest';
import { statedBook } from '../src/trace/devices/books.js';
import { firstOf } from '../src/trace/devices/coherence.js';
import { readDts } from '../src/trace/devices/dts.js';
import { isFdt, readFdt } from '../src/trace/devices/fdt.js';
import { allNodes, pathOf, TreeError, type TreeNode } from '../src/trace/devices/tree.js';
import { treeBook } from '../src/trace/devices/tree-coherence.js';

const source = `/dts-v1/;
/memreserve/ 0x1000 0x2000;
/ {
	compatible = "linux,dummy-virt"; // a board
	smmu: smmuv3@9050000 { reg = <0x00 0x9050000 0x00 0x20000>; #iommu-cells = <1>; };
	soc {
		dma-coherent;
		gpu@5000000 { compatible = "a,b", "c"; };
		old@6000000 { dma-noncoherent; };
	};
	/* the host bridge */
	pcie@10000000 {
		device_type = "pci";
		linux,pci-domain = <0x00>;
		bus-range = <0x00 0xff>, <&smmu 1>;
		port@0 { device_type = "pci"; };
	};
};
&smmu { dma-coherent; };
`;

/** A flattened tree of the same nodes, written as the specification says. */
function flatten(root: TreeNode): Uint8Array {
  const names: string[] = [];
  const nameAt = (name: string) => {
    if (!names.includes(name)) names.push(name);
    return names.slice(0, names.indexOf(name)).reduce((sum, each) => sum + each.length + 1, 0);
  };
  const chunks: Buffer[] = [];
  const word = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    chunks.push(bytes);
  };
  const padded = (bytes: Buffer) =>
    chunks.push(Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]));
  const put = (node: TreeNode) => {
    word(1);
    padded(Buffer.from(`${node.name}\0`));
    for (const [name, { strings, cell }] of node.properties) {
      const text = Buffer.from(strings.map((s) => `${s}\0`).join(''));
      const number = Buffer.alloc(cell === null ? 0 : 4);
      if (cell !== null) number.writeUInt32BE(cell);
      const value = strings.length > 0 ? text : number;
      word(3);
      word(value.length);
      word(nameAt(name));
      padded(value);
    }
    word(4);
    for (const child of node.children) put(child);
    word(2);
  };
  put(root);
  word(9);
  const tree = Buffer.concat(chunks);
  const strings = Buffer.from(names.map((name) => `${name}\0`).join(''));
  const head = Buffer.alloc(40);
  const fields = [0xd00dfeed, 40 + tree.length + strings.length, 40, 40 + tree.length, 40, 17, 16];
  fields.forEach((value, i) => {
    head.writeUInt32BE(value, i * 4);
  });
  return Buffer.concat([head, tree, strings]);
}

const tree = readDts(source);

describe('device trees', () => {
  it('says who snoops, from the device upwards, and for PCI from the host bridge', () => {
    const book = treeBook(tree);
    const coherent = (name: string) => book(name)?.coherent ?? null;
    expect(coherent('9050000.smmuv3')).toBe(true);
    expect(coherent('5000000.gpu')).toBe(true);
    expect(coherent('6000000.old')).toBe(false);
    expect(coherent('0000:00:08.0')).toBe(false);
    expect(coherent('0001:00:08.0')).toBe(false);
    expect(coherent('udmabuf')).toBeNull();
    expect(coherent('7000000.absent')).toBeNull();
    expect(book('5000000.gpu')?.because).toBe('/soc is dma-coherent');
  });

  it('reads the flattened form alike', () => {
    const flat = readFdt(flatten(tree));
    const shape = (root: TreeNode) =>
      [...allNodes(root)].map((node) => [pathOf(node), [...node.properties.keys()]]);
    expect(shape(flat)).toEqual(shape(tree));
    expect(treeBook(flat)('5000000.gpu')?.coherent).toBe(true);
  });

  it.each([
    ['/ { a = <1>; ', 'at the end'],
    ['/ { a = <1> }; };', "line 1: expected ';', not '}'"],
    ['#include "x.dtsi"\n/ { };', 'line 1: an include'],
    ['nothing here', "no node '/ {'"],
    ['/ { a = "x }; };', 'without end'],
  ])('refuses %j', (text, words) => {
    expect(() => readDts(text)).toThrow(words);
  });

  it('survives damaged blobs with a message', () => {
    const whole = flatten(tree);
    for (let at = 0; at < whole.length; at += 3) {
      const cut = whole.slice(0, at);
      if (isFdt(cut)) expect(() => readFdt(cut)).toThrow();
      const bad = Uint8Array.from(whole);
      bad[at] = 0xff;
      try {
        readFdt(bad);
      } catch (error) {
        expect(error).toBeInstanceOf(TreeError);
      }
    }
  });
});

describe('the command line', () => {
  it('decides by the longest pattern', () => {
    const book = statedBook(['*'], ['0000:00:*']);
    expect(book('anything')?.coherent).toBe(true);
    expect(book('0000:00:01.0')?.coherent).toBe(false);
  });

  it('goes before the device tree', () => {
    const book = firstOf([statedBook([], ['5000000.gpu']), treeBook(tree)]);
    expect(book('5000000.gpu')).toMatchObject({ coherent: false, from: 'command line' });
    expect(book('9050000.smmuv3')).toMatchObject({ coherent: true, from: 'device tree' });
  });
});
