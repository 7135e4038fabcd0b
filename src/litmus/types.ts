/**
 * Types as scenarios write them, and the kinds of values they stand for. One table maps C's type
 * words to value types, another says how each kind is called in a message.
 */
import type { Kind } from '../kernel/registry.js';
import type { TypeNode } from './ast.js';
import type { AccessSize } from './program.js';

export type ConstantFamily =
  | 'direction'
  | 'attrs'
  | 'gfp'
  | 'pgprot'
  | 'prot'
  | 'cflush'
  | 'madv'
  | 'bufsync'
  | 'bosync'
  | 'etnaprep'
  | 'ioctl';
export type ObjectKind =
  | 'page'
  | 'bo'
  | 'sgt'
  | 'domain'
  | 'device'
  | 'dmabuf'
  | 'attachment'
  | 'pool'
  | 'mutex'
  | 'completion'
  | 'iova';

export type ValueType =
  /** `bits` 1 is bool. */
  | { readonly kind: 'int'; readonly bits: 1 | 8 | 16 | 32 | 64 }
  | { readonly kind: 'dma' | 'phys' }
  /** `element` null is `void *`. */
  | { readonly kind: 'ptr'; readonly element: AccessSize | null }
  | { readonly kind: ObjectKind }
  | { readonly kind: ConstantFamily }
  | { readonly kind: 'void' }
  /** After an error: goes with everything, so that one mistake is reported once. */
  | { readonly kind: 'unknown' };

export const unknownType: ValueType = { kind: 'unknown' };
export const int32: ValueType = { kind: 'int', bits: 32 };
export const int64: ValueType = { kind: 'int', bits: 64 };
export const voidPointer: ValueType = { kind: 'ptr', element: null };

const int8: ValueType = { kind: 'int', bits: 8 };
const int16: ValueType = { kind: 'int', bits: 16 };
const dma: ValueType = { kind: 'dma' };
const phys: ValueType = { kind: 'phys' };

/** One-word types. Signed ones are here too, although integers are unsigned throughout. */
const scalarTypes: ReadonlyMap<string, ValueType> = new Map<string, ValueType>([
  ['u8', int8],
  ['u16', int16],
  ['u32', int32],
  ['u64', int64],
  ['uint8_t', int8],
  ['uint16_t', int16],
  ['uint32_t', int32],
  ['uint64_t', int64],
  ['__le16', int16],
  ['__le32', int32],
  ['__le64', int64],
  ['__be16', int16],
  ['__be32', int32],
  ['__be64', int64],
  ['char', int8],
  ['short', int16],
  ['int', int32],
  ['unsigned', int32],
  ['long', int64],
  ['size_t', int64],
  ['bool', { kind: 'int', bits: 1 }],
  ['dma_addr_t', dma],
  ['phys_addr_t', phys],
  ['spinlock_t', { kind: 'mutex' }],
  ['void', { kind: 'void' }],
]);

/** Words that C combines: `unsigned long long int`. */
export const combiningWords: ReadonlySet<string> = new Set([
  'unsigned',
  'signed',
  'long',
  'int',
  'short',
  'char',
]);

/** Used through a pointer only. */
const pointedStructs: ReadonlyMap<string, ObjectKind> = new Map([
  ['struct page', 'page'],
  ['struct drm_gem_object', 'bo'],
  ['struct drm_gem_shmem_object', 'bo'],
  ['struct sg_table', 'sgt'],
  ['struct iommu_domain', 'domain'],
  ['struct dma_buf', 'dmabuf'],
  ['struct dma_buf_attachment', 'attachment'],
  ['struct dma_pool', 'pool'],
]);
/** Used as objects, at file scope only. */
const objectStructs: ReadonlyMap<string, ObjectKind> = new Map([
  ['struct mutex', 'mutex'],
  ['struct completion', 'completion'],
  ['struct dma_iova_state', 'iova'],
]);

export function isScalarWord(word: string): boolean {
  return scalarTypes.has(word) || word === 'signed';
}

export function typeNames(): readonly string[] {
  return [...scalarTypes.keys(), ...pointedStructs.keys(), ...objectStructs.keys()];
}

/** The base of `unsigned long int`, as the one word that means the same. */
export function combinedBase(words: readonly string[]): string {
  if (words.includes('char')) return 'u8';
  if (words.includes('short')) return 'u16';
  if (words.includes('long')) return 'long';
  return 'int';
}

/** What a type node stands for, or a sentence saying why it stands for nothing. */
export function typeOf(node: TypeNode): ValueType | string {
  const { base, pointers } = node;
  const shown = `${base}${pointers > 0 ? ` ${'*'.repeat(pointers)}` : ''}`;
  if (pointers > 1) return `pointers to pointers such as '${shown}' are not supported`;
  const pointed = pointedStructs.get(base);
  if (pointed !== undefined) {
    return pointers === 1 ? { kind: pointed } : `'${base}' is only used through a pointer`;
  }
  const object = objectStructs.get(base);
  const scalar = scalarTypes.get(base);
  if (object !== undefined || scalar?.kind === 'mutex') {
    return pointers === 0 ? { kind: object ?? 'mutex' } : `declare '${base}' without a star`;
  }
  if (scalar === undefined) return `unknown type '${base}'`;
  if (pointers === 0) return scalar.kind === 'void' ? "a variable cannot be 'void'" : scalar;
  if (scalar.kind === 'void') return voidPointer;
  return { kind: 'ptr', element: elementSize(scalar) };
}

function elementSize(type: ValueType): AccessSize {
  switch (bitsOf(type)) {
    case 64:
      return 8;
    case 32:
      return 4;
    case 16:
      return 2;
    default:
      return 1;
  }
}

/** Width of an integer-like type; null for anything else. */
export function bitsOf(type: ValueType): number | null {
  if (type.kind === 'int') return type.bits;
  if (type.kind === 'dma' || type.kind === 'phys') return 64;
  return null;
}

export function byteSizeOf(type: ValueType): number | null {
  const bits = bitsOf(type);
  if (bits !== null) return Math.max(1, bits / 8);
  return type.kind === 'ptr' ? 8 : null;
}

export function typeOfKind(kind: Kind): ValueType {
  switch (kind) {
    case 'int':
      return int32;
    case 'bool':
      return { kind: 'int', bits: 1 };
    case 'ptr':
      return voidPointer;
    default:
      return { kind };
  }
}

const objectKinds: ReadonlySet<string> = new Set<ObjectKind>([
  'page',
  'bo',
  'sgt',
  'domain',
  'device',
  'dmabuf',
  'attachment',
  'pool',
  'mutex',
  'completion',
  'iova',
]);
const families: ReadonlySet<string> = new Set<ConstantFamily>([
  'direction',
  'attrs',
  'gfp',
  'pgprot',
  'prot',
  'cflush',
  'madv',
  'bufsync',
  'bosync',
  'etnaprep',
  'ioctl',
]);

export function isObject(type: ValueType): boolean {
  return objectKinds.has(type.kind);
}

export function isFamily(type: ValueType): boolean {
  return families.has(type.kind);
}

/** Locks and the like: objects of the scenario, used through their address. */
export function isLock(
  type: ValueType,
): type is { readonly kind: 'mutex' | 'completion' | 'iova' } {
  return type.kind === 'mutex' || type.kind === 'completion' || type.kind === 'iova';
}

const kindNames: Readonly<Record<Kind | 'unknown', string>> = {
  int: 'an integer',
  bool: 'true or false',
  dma: 'a DMA address (dma_addr_t)',
  phys: 'a physical address (phys_addr_t)',
  ptr: 'a pointer',
  page: 'a page (struct page *)',
  bo: 'a GEM object (struct drm_gem_object *)',
  sgt: 'a scatter list (struct sg_table *)',
  domain: 'an IOMMU domain (struct iommu_domain *)',
  device: 'a device',
  dmabuf: 'a dma-buf (struct dma_buf *)',
  attachment: 'a dma-buf attachment (struct dma_buf_attachment *)',
  pool: 'a DMA pool (struct dma_pool *)',
  mutex: 'a lock (struct mutex)',
  completion: 'a completion (struct completion)',
  iova: 'a range of I/O virtual addresses (struct dma_iova_state)',
  void: 'nothing (void)',
  direction: 'a DMA direction (DMA_TO_DEVICE …)',
  attrs: 'DMA attributes (DMA_ATTR_…)',
  gfp: 'allocation flags (GFP_KERNEL …)',
  pgprot: 'page attributes (PAGE_KERNEL, pgprot_writecombine() …)',
  prot: 'IOMMU rights (IOMMU_READ …)',
  cflush: 'a cache operation (DRM_CFLUSH_…)',
  madv: 'advice (MADV_…)',
  bufsync: 'sync flags (DMA_BUF_SYNC_…)',
  bosync: 'a sync of an object (DRM_PANTHOR_BO_SYNC_…)',
  etnaprep: 'a kind of access (ETNA_PREP_…)',
  ioctl: 'an ioctl command (DMA_BUF_IOCTL_…)',
  unknown: 'something unknown',
};

export function describeKind(kind: Kind): string {
  return kindNames[kind];
}

export function describeType(type: ValueType): string {
  if (type.kind !== 'ptr') return kindNames[type.kind];
  return type.element === null ? 'a pointer (void *)' : `a pointer (u${type.element * 8} *)`;
}
