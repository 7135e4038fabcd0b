/**
 * The registry of operations: one entry per kernel function a scenario may call. Parser, checker,
 * reference page and engine all read it; nothing about an operation is written anywhere else.
 */
import type { ProfileName } from '../machine/profile.js';
import type { KernelContext } from './context.js';
import type { Value } from './value.js';

/**
 * Kinds of values, as the type checker sees them. `int` covers every integer type and constant;
 * `dma` is dma_addr_t; `phys` is phys_addr_t; both also accept `int`.
 */
export type Kind =
  | 'int'
  | 'bool'
  | 'dma'
  | 'phys'
  | 'ptr'
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
  | 'iova'
  | 'void'
  /** Integer-valued named constants: only constants of that family are accepted. */
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

export interface Param {
  readonly name: string;
  /** Any one of these is accepted. */
  readonly kinds: readonly Kind[];
  readonly optional?: boolean;
  /** `&x`: the operation stores its result there. */
  readonly out?: boolean;
}

export interface Option {
  readonly name: string;
  readonly kind: 'bool' | 'int';
  readonly doc: string;
}

export interface Operation {
  readonly name: string;
  readonly params: readonly Param[];
  readonly options?: readonly Option[];
  readonly returns: Kind;
  /** The operation that it is to the machine, where it is written in another way. */
  readonly as?: string;
  /** Which threads may call it; `init` may call what a cpu may unless it waits. */
  readonly where: 'cpu' | 'device';
  readonly family: Family;
  /** One line: what it does to caches, mappings and pages. */
  readonly doc: string;
  /** Where the fact comes from: kernel path:function, or a rule of model.md. */
  readonly source: string;
  readonly rules: readonly string[];
  /**
   * What "without it" means when a test drops it: `drop` the call; or `skip-sync`, keep the
   * mapping but do no cache maintenance (as DMA_ATTR_SKIP_CPU_SYNC). Absent: not a sync or barrier.
   */
  readonly removable?: 'drop' | 'skip-sync';
  /** Architectures that have it; absent: all. */
  readonly profiles?: readonly ProfileName[];
  /** It calls back into a driver: what a scenario may say the driver does then, by an override. */
  readonly callback?: Callback;
  /** What it returns where memory has run out, on a machine where it may (failures.ts). */
  readonly fails?: Failure;
  /** What NULL or an error pointer is to it; absent: the kernel oopses. */
  readonly takesNull?: 'does nothing' | 'looks at it';
  /** The call may block its thread (wait, mutex_lock). */
  readonly blocks?: boolean;
  /**
   * Later loads may be satisfied before this call (M8): it orders stores only, or nothing; or only
   * where it does nothing for its device (dma.ts: doesNothing).
   */
  readonly loadsPass?: boolean | 'where-it-does-nothing';
  /** It is a memory read by a device or a spin read: its value may be `sync`. */
  readonly reads?: boolean;
  readonly effect: Effect;
}

export interface Failure {
  /** NULL, or -ENOMEM: as an int, or as ERR_PTR(). */
  readonly returns: number;
  /** Calls that need no memory any more. */
  readonly unless?: (context: KernelContext, args: readonly Value[]) => boolean;
}

export interface Callback {
  /** The member of the driver's struct of callbacks: an operation of its own. */
  readonly name: string;
  /** The operation, with the same arguments, whose result says what to call it with; 0: do not. */
  readonly probe: string;
}

export type Family =
  | 'pages'
  | 'shmem and swap'
  | 'user memory'
  | 'GEM'
  | 'CPU mappings'
  | 'cache helpers'
  | 'DMA mapping API'
  | 'IOMMU API'
  | 'dma-buf'
  | 'videobuf2'
  | 'page_pool'
  | 'device'
  | 'ordering'
  | 'threads';

/**
 * Runs one call: changes the kernel's books at once, and queues the machine's work (cache
 * operations, barriers, translation changes) that happens after it, step by step.
 */
export type Effect = (context: KernelContext, args: readonly Value[]) => Value;

/** Makes the operations of a family, of which only some things differ. */
export function family(shared: Pick<Operation, 'family' | 'where' | 'returns' | 'rules'>) {
  return (
    name: string,
    params: readonly Param[],
    doc: string,
    source: string,
    effect: Effect,
    more: Partial<Operation> = {},
  ): Operation => ({ name, ...shared, params, doc, source, effect, ...more });
}

const byName = new Map<string, Operation>();

export function defineOperations(operations: readonly Operation[]): void {
  for (const operation of operations) {
    if (byName.has(operation.name)) throw new Error(`operation ${operation.name} defined twice`);
    byName.set(operation.name, operation);
  }
}

/** Another name that Linux has for an operation: the same to the machine. */
export interface Alias {
  readonly name: string;
  /** The operation. */
  readonly to: string;
  /** Where it takes other arguments: those that come first of the operation's. */
  readonly takes?: number;
  readonly source: string;
}

const aliases = new Map<string, Alias>();

/** After the operations that they are. */
export function defineAliases(all: readonly Alias[]): void {
  for (const alias of all) {
    if (byName.has(alias.name) || aliases.has(alias.name) || !byName.has(alias.to)) {
      throw new Error(`alias ${alias.name} defined twice, or of nothing`);
    }
    aliases.set(alias.name, alias);
  }
}

export function allAliases(): readonly Alias[] {
  return [...aliases.values()];
}

/** By its name or another one that Linux has for it. */
export function findOperation(name: string): Operation | undefined {
  const alias = aliases.get(name);
  const found = byName.get(alias?.to ?? name);
  if (alias?.takes === undefined || found === undefined) return found;
  return { ...found, params: found.params.slice(0, alias.takes) };
}

export function allOperations(): readonly Operation[] {
  return [...byName.values()];
}
