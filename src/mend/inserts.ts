/**
 * Insertions: at every gap, every operation that could help the memory whose names are visible
 * there, with the arguments the scenario itself suggests: the device, size and direction of its
 * mappings. One way to write each effect: by pointer where there is one, else by physical address.
 */
import type { CallNode } from '../litmus/ast.js';
import { text } from './arguments.js';
import type { CallFacts } from './costs.js';
import { type Draft, insertion } from './edit.js';
import { endings } from './ends.js';
import type { Name, Root } from './names.js';
import {
  draft,
  factsFor,
  factsOf,
  gapSpot,
  placeOf,
  type Recipe,
  runtime,
  type Scene,
  timesAt,
  visibleNames,
} from './scene.js';
import type { Gap } from './source.js';

export function insertions(scene: Scene): readonly Draft[] {
  return scene.gaps.flatMap((gap) => {
    const ofRoots = scene.names.roots.flatMap((root) => {
      const visible = visibleNames(scene, root, gap);
      const recipes = recipesOf(scene, root, visible);
      const own = recipes.flatMap((each) => behindAny(scene, gap, each));
      const all = [...own, ...handovers(gap, recipes)];
      return all.map((recipe) => inserted(scene, gap, recipe, root));
    });
    const others = [...barriers(scene), ...endings(scene, gap)];
    return [...ofRoots, ...others.map((recipe) => inserted(scene, gap, recipe, null))];
  });
}

/** A call that needs an inserted one, behind each place where that may be. */
function behindAny(scene: Scene, gap: Gap, recipe: Recipe): readonly Recipe[] {
  const { behind } = recipe;
  if (behind === undefined) return [recipe];
  const places = scene.gaps.filter(
    ({ at, thread }) => at < gap.at && (thread === gap.thread || thread.role === 'init'),
  );
  return places.map(({ at }) => ({ ...recipe, after: `${at} ${behind}` }));
}

/**
 * From one device to another: the CPU takes the memory back from the one and hands it over to the
 * other. Where it is bounced, neither helps alone, as only both together copy what is new.
 */
function handovers(gap: Gap, recipes: readonly Recipe[]): readonly Recipe[] {
  const syncs = (end: string): readonly Recipe[] =>
    recipes.filter(({ operation }) => operation === `dma_sync_sgtable_${end}`);
  return syncs('for_device').flatMap((given) =>
    syncs('for_cpu').flatMap((taken) =>
      argumentsOf(given) === argumentsOf(taken) ? [] : [{ ...given, after: slotOf(gap, taken) }],
    ),
  );
}

/** Device and table. */
function argumentsOf({ text: call }: Recipe): string {
  return call.slice(call.indexOf('('), call.lastIndexOf(','));
}

function slotOf({ at }: Gap, { text: call }: Recipe): string {
  return `${at} ${call}`;
}

function inserted(scene: Scene, gap: Gap, recipe: Recipe, root: Root | null): Draft {
  const facts = factsFor(scene, root, { callee: recipe.operation, ...recipe.facts });
  return draft({
    kind: 'insert',
    operation: recipe.operation,
    title: `insert \`${recipe.text}\` ${placeOf(gap)}`,
    patches: [insertion(gap, recipe.text)],
    spots: [gapSpot(gap)],
    root,
    line: gap.line,
    slots: [slotOf(gap, recipe)],
    runtime: runtime(scene, facts) * timesAt(scene, gap.loopFrom),
    extra: recipe.extra ?? 0,
    after: recipe.after ?? '',
    isUsual: isUsual(scene, gap, recipe.text),
  });
}

/** The CPU hands over before it rings the doorbell, and takes back after it has waited. */
function isUsual({ source }: Scene, gap: Gap, text: string): boolean {
  const before = source.statements.findLast(
    (statement) => statement.thread === gap.thread && statement.to <= gap.at,
  );
  const rings = gap.next?.calls.some(({ callee }) => /^(submit|writel\w*)$/u.test(callee));
  const waited = before?.calls.some(({ callee }) => callee === 'wait');
  if (/for_device|clean|end_cpu|SYNC_END/u.test(text)) return rings === true;
  return /for_cpu|unmap_sg|inval|begin_cpu|SYNC_START/u.test(text) && waited === true;
}

function barriers(scene: Scene): readonly Recipe[] {
  const cpus = scene.source.tree.items.filter(
    (item) => item.kind === 'thread' && item.role === 'cpu',
  );
  const between = cpus.length > 1 ? ['smp_wmb', 'smp_rmb', 'smp_mb'] : [];
  const names = [...between, 'dma_wmb', 'dma_rmb', 'wmb', 'mb'];
  return names.map((operation) => ({ operation, text: `${operation}();` }));
}

function recipesOf(scene: Scene, root: Root, visible: readonly Name[]): readonly Recipe[] {
  if (visible.length === 0) return [];
  const isUser = visible.some(({ call }) => call?.callee === 'mmap');
  const first = (kind: Name['kind']): Name | undefined => visible.find((n) => n.kind === kind);
  return [
    ...visible.filter((name) => name.kind === 'dma').flatMap((name) => syncsOfRange(scene, name)),
    ...visible
      .filter((name) => name.kind === 'sgt')
      .flatMap((name) => tableCalls(scene, name, root, isUser)),
    ...visible.filter((name) => name.kind === 'phys').flatMap((n) => syncsOfMapped(scene, n, root)),
    ...bufferCalls(scene, first('dmabuf'), isUser),
    ...objectCalls(scene, first('bo'), root),
    ...aliasCalls(scene, visible),
    ...rawCalls(root, visible),
  ];
}

function pair(base: string, args: readonly string[], facts: Partial<CallFacts>): Recipe[] {
  return ['for_cpu', 'for_device'].map((end) => ({
    operation: `${base}_${end}`,
    text: `${base}_${end}(${args.join(', ')});`,
    facts,
  }));
}

/** dma_sync_single_* on what dma_map_single or _page returned. */
function syncsOfRange(scene: Scene, { name, call }: Name): readonly Recipe[] {
  if (call === null || !/^dma_map_(single|page)/u.test(call.callee)) return [];
  const direction = text(scene, call, 'dir');
  const args = [text(scene, call, 'dev'), name, text(scene, call, 'size'), direction];
  const { bytes } = factsOf(scene, call);
  const skipsSync = snoops(scene, args[0] ?? '');
  return pair('dma_sync_single', args, { direction, bytes, skipsSync });
}

/** The same on what is a physical address until an edit maps it. */
function syncsOfMapped(scene: Scene, { name, call }: Name, root: Root): readonly Recipe[] {
  const device = userOf(scene, name);
  if (call === null || device === null || root.size === null) return [];
  const args = [device, name, root.sizeText, 'DMA_BIDIRECTIONAL'];
  const after = `callee ${scene.source.offset(call.calleeAt)}`;
  const syncs = pair('dma_sync_single', args, { direction: 'DMA_BIDIRECTIONAL' });
  return syncs.map((recipe) => ({ ...recipe, after }));
}

/** The device whose program names the address. */
export function userOf(scene: Scene, name: string): string | null {
  const { text: all, tree, offset } = scene.source;
  const threads = tree.items.flatMap((item) => (item.kind === 'thread' ? [item] : []));
  for (const [index, thread] of threads.entries()) {
    if (thread.role !== 'device') continue;
    const next = threads[index + 1];
    const body = all.slice(offset(thread.at), next === undefined ? all.length : offset(next.at));
    if (new RegExp(`\\b${name}\\b`, 'u').test(body)) return thread.name;
  }
  return null;
}

function snoops(scene: Scene, device: string): boolean {
  return scene.machine.devices.some((each) => each.name === device && each.coherent);
}

/** Memory that was got for no device is for the only one there is; empty where there are more. */
function onlyDevice({ machine }: Scene): string {
  const [device, ...others] = machine.devices;
  return others.length === 0 ? (device?.name ?? '') : '';
}

/** The call that dma-mapped a table, or made it mapped. */
function mappingOf(scene: Scene, table: Name): CallNode | null {
  if (table.call?.callee.endsWith('get_pages_sgt')) return table.call;
  const calls = scene.source.statements.flatMap((statement) => statement.calls);
  const maps = calls.filter(({ callee }) => /^dma_map_(sg|sgtable)$/u.test(callee));
  return (
    maps.find((call) => {
      const arg = scene.names.argument(call, 'sgt');
      return arg?.kind === 'name' && arg.name === table.name;
    }) ?? null
  );
}

function tableCalls(scene: Scene, table: Name, root: Root, isUser: boolean): readonly Recipe[] {
  if (table.call === null) return [];
  const attached = attachedDevice(scene, table.call);
  // User space has the ioctl instead.
  if (attached !== '' && isUser) return [];
  const map = attached === '' ? mappingOf(scene, table) : table.call;
  const mapped = map === null ? '' : text(scene, map, 'dev');
  const device = attached || mapped || root.device || onlyDevice(scene);
  if (device === '') return [];
  const skipsSync = snoops(scene, device);
  const direction = (map === null ? '' : text(scene, map, 'dir')) || 'DMA_BIDIRECTIONAL';
  const args = [device, table.name, direction];
  const syncs = pair('dma_sync_sgtable', args, { direction, skipsSync });
  if (map !== null) return syncs;
  const facts = { direction, skipsSync };
  const [begin, end] = ['dma_map_sgtable', 'dma_unmap_sgtable'].map((operation) => {
    return { operation, text: `${operation}(${args.join(', ')});`, facts };
  });
  if (begin === undefined || end === undefined) return syncs;
  return [begin, ...[end, ...syncs].map((recipe) => ({ ...recipe, behind: begin.text }))];
}

/** For whom dma_buf_map_attachment mapped its table; empty for other tables. */
function attachedDevice(scene: Scene, map: CallNode): string {
  if (map.callee !== 'dma_buf_map_attachment') return '';
  const name = text(scene, map, 'attach');
  const attachment = scene.names.all.find((each) => each.name === name && each.call !== null);
  return attachment?.call ? text(scene, attachment.call, 'dev') : '';
}

/** begin/end_cpu_access; from user space, which maps the buffer, by ioctl. */
function bufferCalls(scene: Scene, buffer: Name | undefined, isUser: boolean): Recipe[] {
  if (buffer === undefined) return [];
  const attach = scene.source.statements
    .flatMap((statement) => statement.calls)
    .find(({ callee }) => callee === 'dma_buf_map_attachment');
  const direction = (attach && text(scene, attach, 'dir')) || 'DMA_BIDIRECTIONAL';
  const { name } = buffer;
  if (!isUser) {
    return ['begin', 'end'].map((word) => {
      const operation = `dma_buf_${word}_cpu_access`;
      return { operation, text: `${operation}(${name}, ${direction});`, facts: { direction } };
    });
  }
  return ['SYNC_START', 'SYNC_END'].map((word) => ({
    operation: 'ioctl',
    text: `ioctl(${name}, DMA_BUF_IOCTL_SYNC, DMA_BUF_${word} | DMA_BUF_SYNC_RW);`,
    facts: { cflush: word },
  }));
}

/** What pins an object, and what gets its pages mapped for the clean, by who made it. */
const pins: Readonly<Record<string, string>> = {
  drm_gem_shmem_create: 'drm_gem_shmem_pin',
  drm_gem_object_init: 'drm_gem_get_pages',
  msm_gem_new: 'msm_gem_pin_pages_locked',
};

function objectCalls(scene: Scene, bo: Name | undefined, root: Root): readonly Recipe[] {
  const pin = pins[root.call.callee];
  if (bo === undefined || pin === undefined) return [];
  const recipes: Recipe[] = [
    { operation: pin, text: `${pin}(${bo.name});`, extra: scene.costs.keepLonger },
    { operation: 'drm_vma_node_unmap', text: `drm_vma_node_unmap(${bo.name});`, extra: 1 },
  ];
  const operation = 'drm_gem_shmem_get_pages_sgt';
  if (root.call.callee === 'drm_gem_shmem_create') {
    recipes.push({ operation, text: `${operation}(${bo.name});` });
  }
  if (scene.machine.linearMapRemovable) recipes.push(aliasRemoval(bo.name, scene));
  if (scene.machine.memoryAbove4G) recipes.push(zone(bo.name, scene));
  return recipes;
}

/** Where the object's pages come from, while it has none yet. */
function zone(name: string, scene: Scene): Recipe {
  const operation = 'mapping_set_gfp_mask';
  const mask = 'GFP_USER | __GFP_DMA32';
  return { operation, text: `${operation}(${name}, ${mask});`, extra: scene.costs.allocation };
}

function aliasRemoval(name: string, scene: Scene): Recipe {
  const operation = 'set_direct_map_invalid_noflush';
  return { operation, text: `${operation}(${name});`, extra: scene.costs.giveUp };
}

/** Ends a mapping of the CPU that is in the way. */
function aliasCalls(scene: Scene, visible: readonly Name[]): readonly Recipe[] {
  const ends = visible.flatMap(({ kind, call, name }) => {
    const operation = { mmap: 'munmap', vmap: 'vunmap' }[call?.callee ?? ''];
    if (kind !== 'ptr' || operation === undefined) return [];
    return [{ operation, text: `${operation}(${name});`, extra: scene.costs.giveUp }];
  });
  const page = visible.find(({ kind }) => kind === 'page');
  const removable = page !== undefined && scene.machine.linearMapRemovable;
  return removable ? [...ends, aliasRemoval(page.name, scene)] : ends;
}

/** Cache maintenance by hand. */
function rawCalls(root: Root, visible: readonly Name[]): readonly Recipe[] {
  const pointer = visible.find(({ kind, call }) => kind === 'ptr' && call !== null);
  if (pointer !== undefined && root.size !== null) {
    const { name, element } = pointer;
    const range = `${name}, ${name} + ${root.size / element}`;
    return ['dcache_clean_poc', 'dcache_inval_poc', 'dcache_clean_inval_poc'].map((operation) => ({
      operation,
      text: `${operation}(${range});`,
    }));
  }
  const phys = visible.find(({ kind }) => kind === 'phys');
  const page = visible.find(({ kind }) => kind === 'page' || kind === 'bo');
  const address =
    phys?.name ?? (page === undefined ? null : `virt_to_phys(page_address(${page.name}))`);
  if (address === null) return [];
  return ['arch_sync_dma_for_device', 'arch_sync_dma_for_cpu'].map((operation) => ({
    operation,
    text: `${operation}(${address}, ${root.sizeText}, DMA_BIDIRECTIONAL);`,
    facts: { direction: 'DMA_BIDIRECTIONAL' },
  }));
}
