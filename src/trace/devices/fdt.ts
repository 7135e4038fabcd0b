/**
 * A flattened device tree (`.dtb`, /sys/firmware/fdt) to nodes. Leaves out memory reservations.
 *
 * Source of the format: Devicetree Specification 0.4, chapter 5.
 */
import { newNode, TreeError, type TreeNode, type TreeProperty } from './tree.js';

const magic = 0xd00d_feed;
const beginNode = 1;
const endNode = 2;
const property = 3;
const nop = 4;
const end = 9;
/** Deeper than any board; a damaged blob must not exhaust memory. */
const depthMax = 64;

export function isFdt(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).getUint32(0) === magic;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textAt(bytes: Uint8Array, start: number): string {
  const stop = bytes.indexOf(0, start);
  if (start >= bytes.length || stop < 0) throw new TreeError(`a name has no end at byte ${start}`);
  return new TextDecoder().decode(bytes.subarray(start, stop));
}

/** Text if every byte prints and the last one ends it, as dtc decides it. */
function stringsOf(value: Uint8Array): string[] {
  if (value.length === 0 || value.at(-1) !== 0) return [];
  const parts = new TextDecoder('latin1').decode(value.subarray(0, -1)).split('\0');
  return parts.every((part) => /^[\x20-\x7e]+$/.test(part)) ? parts : [];
}

function propertyOf(value: Uint8Array): TreeProperty {
  const cell = value.length >= 4 ? view(value).getUint32(0) : null;
  return { strings: stringsOf(value), cell };
}

class Reader {
  private at: number;
  private readonly stop: number;
  private readonly names: number;
  private readonly data: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.data = view(bytes);
    if (bytes.length < 40) throw new TreeError('the header is cut');
    this.at = this.data.getUint32(8);
    this.names = this.data.getUint32(12);
    this.stop = Math.min(bytes.length, this.data.getUint32(4));
  }

  private word(): number {
    if (this.at + 4 > this.stop) throw new TreeError(`the tree ends early, at byte ${this.at}`);
    const value = this.data.getUint32(this.at);
    this.at += 4;
    return value;
  }

  private property(node: TreeNode | null): void {
    const length = this.word();
    const name = textAt(this.bytes, this.names + this.word());
    if (this.at + length > this.stop) throw new TreeError(`property '${name}' is cut`);
    if (node === null) throw new TreeError(`property '${name}' stands outside of a node`);
    node.properties.set(name, propertyOf(this.bytes.subarray(this.at, this.at + length)));
    this.at += (length + 3) & ~3;
  }

  private open(above: TreeNode[], root: TreeNode | null): TreeNode {
    const name = textAt(this.bytes, this.at);
    this.at += (name.length + 4) & ~3;
    const parent = above.at(-1) ?? null;
    if (above.length >= depthMax || (root !== null && parent === null)) {
      throw new TreeError(`node '${name}' stands where none can be`);
    }
    const node = newNode(name, parent);
    above.push(node);
    return node;
  }

  root(): TreeNode {
    let root: TreeNode | null = null;
    const above: TreeNode[] = [];
    for (;;) {
      const token = this.word();
      if (token === beginNode) {
        const node = this.open(above, root);
        root ??= node;
      } else if (token === endNode) {
        above.pop();
      } else if (token === property) {
        this.property(above.at(-1) ?? null);
      } else if (token === end) {
        if (root === null || above.length > 0) throw new TreeError('the tree is not complete');
        return root;
      } else if (token !== nop) {
        throw new TreeError(`unknown token ${token} at byte ${this.at - 4}`);
      }
    }
  }
}

/** Throws TreeError with what is wrong. */
export function readFdt(bytes: Uint8Array): TreeNode {
  return new Reader(bytes).root();
}
