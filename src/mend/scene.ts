/**
 * What the vocabulary knows about a scenario: its text, its names, its machine, and what calls of
 * it cost. Leaves out: the edits themselves.
 */
import type { CallNode, Expression } from '../litmus/ast.js';
import type { MachineConfig } from '../litmus/program.js';
import { everyExpression, expressionsOf, isConstantFunction } from '../litmus/walk.js';
import { type CallFacts, type Costs, runtimeOf } from './costs.js';
import type { Draft, EditKind, Level, Patch, Spot } from './edit.js';
import type { Name, Names, Root } from './names.js';
import type { Gap, Source, SourceStatement } from './source.js';

export interface Scene {
  readonly source: Source;
  readonly names: Names;
  readonly machine: MachineConfig;
  readonly costs: Costs;
  /** Gaps that differ: of several with nothing of interest between them the last. */
  readonly gaps: readonly Gap[];
}

export function makeScene(
  source: Source,
  names: Names,
  machine: MachineConfig,
  costs: Costs,
): Scene {
  const gaps = source.gaps.filter(({ next }) => next === null || !isInert(next));
  return { source, names, machine, costs, gaps };
}

/** What an insertion puts there. */
export interface Recipe {
  readonly operation: string;
  readonly text: string;
  readonly facts?: Partial<CallFacts>;
  readonly extra?: number;
  /** Slot of the change it needs. */
  readonly after?: string;
  /** A call that has to be inserted before it. */
  readonly behind?: string;
}

/** Calls that no agent notices: a sync before one is a sync behind it. */
const inertCalls: ReadonlySet<string> = new Set([
  'iommu_domain_alloc',
  'iommu_paging_domain_alloc',
  'virt_to_phys',
  'page_to_phys',
  'page_address',
  'sg_dma_address',
  'drm_prime_pages_to_sg',
  'dma_buf_attach',
  'drm_gem_shmem_create',
  'drm_gem_object_init',
  'msm_gem_new',
  'kmalloc',
  'kzalloc',
  'alloc_pages',
]);

function isInert(statement: SourceStatement): boolean {
  let inert = true;
  for (const expression of expressionsOf(statement.node)) {
    everyExpression(expression, (node) => {
      if (node.kind === 'index' || (node.kind === 'unary' && node.operator === '*')) inert = false;
      if (
        node.kind === 'call' &&
        !isConstantFunction(node.callee) &&
        !inertCalls.has(node.callee)
      ) {
        inert = false;
      }
    });
  }
  return inert;
}

export function isRaw(operation: string): boolean {
  return /^(dcache_|dma_cache_|arch_|arm_cl2_|drm_cflush|drm_clflush)/u.test(operation);
}

export function levelOf(operation: string): Level {
  return isRaw(operation) ? 'raw' : 'api';
}

/** Is the name there, and does it have its value, at that place? */
export function isVisible({ shared, statement }: Name, gap: Gap): boolean {
  const { thread, to, blockTo } = statement;
  if (thread === gap.thread) return to <= gap.at && (shared || gap.at <= blockTo);
  return shared && thread.role === 'init';
}

/** The visible names of some memory, the last assigned first. */
export function visibleNames(scene: Scene, root: Root, gap: Gap): readonly Name[] {
  return scene.names.all.filter((each) => each.root === root && isVisible(each, gap)).reverse();
}

/** How often the place is run in the life of a buffer. */
export function timesAt(scene: Scene, loopFrom: number): number {
  return loopFrom >= 0 ? scene.costs.framesPerLife : 1;
}

function constantName(node: Expression | null): string {
  if (node === null) return '';
  let name = '';
  everyExpression(node, (inner) => {
    if (inner.kind === 'name' && name === '') name = inner.name;
  });
  return name;
}

/** The facts of a call as it stands. */
export function factsOf(scene: Scene, call: CallNode): CallFacts {
  const { names, source, machine } = scene;
  const root = names.rootOf(call);
  const deviceName = constantName(names.argument(call, 'dev')) || root?.device || '';
  const device = machine.devices.find((each) => each.name === deviceName);
  const text = source.textOf(call);
  const flags = /DMA_BUF_SYNC_END/u.test(text) ? 'SYNC_END' : 'SYNC_START';
  return {
    callee: call.callee,
    bytes: extentOf(scene, call) ?? root?.size ?? null,
    lineSize: machine.lineSize,
    direction: constantName(names.argument(call, 'dir')),
    skipsSync: text.includes('DMA_ATTR_SKIP_CPU_SYNC') || device?.coherent === true,
    hasIommu: device?.iommu === true,
    cflush: call.callee === 'ioctl' ? flags : constantName(names.argument(call, 'op')),
  };
}

/** Bytes a call covers by its own arguments; null where the text does not say. */
function extentOf({ names, machine }: Scene, call: CallNode): number | null {
  const size = names.argument(call, 'size');
  if (size !== null) return names.valueOf(size);
  const count = names.argument(call, 'nents');
  const entries = count === null ? null : names.valueOf(count);
  return entries === null ? null : entries * machine.pageSize;
}

/** The facts of a call on some memory that an edit would make. */
export function factsFor(scene: Scene, root: Root | null, part: Partial<CallFacts>): CallFacts {
  const device = scene.machine.devices.find((each) => each.name === root?.device);
  return {
    callee: '',
    bytes: root?.size ?? null,
    lineSize: scene.machine.lineSize,
    direction: '',
    skipsSync: false,
    hasIommu: device?.iommu === true,
    cflush: '',
    ...part,
  };
}

export function gapSpot(gap: Gap): Spot {
  return { kind: 'gap', thread: nameOf(gap), at: gap.at, loopFrom: gap.loopFrom };
}

export function statementSpot(statement: SourceStatement): Spot {
  const { from, to } = statement;
  return { kind: 'statement', thread: nameOf(statement), from, to };
}

function nameOf({ thread }: Gap | SourceStatement): string {
  return thread.name;
}

/** `before line 12`, or where it goes at the end of a thread. */
export function placeOf(gap: Gap): string {
  const name = gap.thread.role === 'init' ? 'init' : gap.thread.name;
  return gap.isEnd
    ? `at the end of the block before line ${gap.line} (${name})`
    : `before line ${gap.line}`;
}

export interface DraftParts {
  readonly kind: EditKind;
  readonly operation: string;
  readonly title: string;
  readonly patches: readonly Patch[];
  readonly spots: readonly Spot[];
  readonly root: Root | null;
  readonly line: number;
  readonly slots: readonly string[];
  /** Run time added, in units of the costs; less than nothing counts as nothing. */
  readonly runtime: number;
  readonly extra?: number;
  readonly level?: Level;
  readonly after?: string;
  readonly isUsual?: boolean;
}

/** Barriers, and every call that ends with one. */
const ordering = /mb$|^dcache_|^arch_sync|^dma_(map|unmap|sync)_|cpu_access$|^ioctl$|^drm_cflush/u;

export function draft(parts: DraftParts): Draft {
  const { kind, operation, title, patches, spots, root, line, slots, runtime } = parts;
  return {
    kind,
    operation,
    title,
    patches,
    spots,
    line,
    slots,
    level: parts.level ?? levelOf(operation),
    roots: root === null ? null : [root.id],
    orders: ordering.test(operation) || /get_pages_sgt$|^writel$|prep_coherent$/u.test(operation),
    runtime: Math.max(0, runtime),
    saves: Math.max(0, -runtime),
    extra: parts.extra ?? 0,
    after: parts.after ?? '',
    isUsual: parts.isUsual ?? false,
  };
}

export function runtime(scene: Scene, facts: CallFacts): number {
  return runtimeOf(facts, scene.costs);
}
