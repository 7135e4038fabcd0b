/**
 * Changes of a call where it stands: another operation with the same arguments, another direction,
 * device, range, right or attribute, another order of the arguments; and of an allocation: its
 * flags. Accesses, doorbells and waits stay, but for writel_relaxed, which may become writel.
 */

import { findOperation, type Operation, type Param } from '../kernel/registry.js';
import type { CallNode, Expression } from '../litmus/ast.js';
import type { CallFacts } from './costs.js';
import type { Draft } from './edit.js';
import { bytesOf, endsFor, sizesFor } from './extent.js';
import { userOf } from './inserts.js';
import {
  draft,
  factsOf,
  isRaw,
  isVisible,
  runtime,
  type Scene,
  statementSpot,
  timesAt,
} from './scene.js';
import type { SourceStatement } from './source.js';
import { constantsOf, families, replacements, wider, withArgument } from './stand-ins.js';

/** Calls that hand memory over: meant for the wrong memory, or with their arguments mixed up. */
const handedOver: ReadonlySet<string> = new Set([
  'cache helpers',
  'DMA mapping API',
  'IOMMU API',
  'dma-buf',
]);

/** From one pointer to another. */
const hasRange = /^dcache_\w+_poc|^flush_tlb_kernel_range$/u;

/** Calls that belong to the use case: what the driver was asked to do, not how it does it. */
const fixedFamilies: ReadonlySet<string> = new Set(['device', 'threads', 'shmem and swap']);

interface Site {
  readonly scene: Scene;
  readonly statement: SourceStatement;
  readonly call: CallNode;
  readonly operation: Operation;
}

export function changes(scene: Scene): readonly Draft[] {
  const inThreads = scene.source.statements.filter(({ thread }) => thread.role !== 'device');
  return inThreads.flatMap((statement) =>
    statement.calls.flatMap((call) => {
      const operation = findOperation(call.callee);
      if (operation === undefined) return [];
      const site = { scene, statement, call, operation };
      return [
        ...calleeChanges(site),
        ...argumentChanges(site),
        ...swaps(site),
        ...optionChanges(site),
      ];
    }),
  );
}

function offsetOf({ scene, call }: Site): number {
  return scene.source.offset(call.calleeAt);
}

/** Run time beyond that of the call as it stands. */
function added({ scene, call, statement }: Site, part: Partial<CallFacts>): number {
  const now = factsOf(scene, call);
  const more = runtime(scene, { ...now, ...part }) - runtime(scene, now);
  return more * timesAt(scene, statement.loopFrom);
}

interface Change {
  readonly from: number;
  readonly length: number;
  readonly text: string;
  readonly title: string;
  readonly slot: string;
  readonly operation?: string;
  readonly facts?: Partial<CallFacts>;
  readonly extra?: number;
}

function changed(site: Site, change: Change): Draft {
  const { scene, statement, call } = site;
  const operation = change.operation ?? call.callee;
  return draft({
    kind: 'change',
    operation,
    title: `${change.title} in line ${call.calleeAt.line}`,
    patches: [{ from: change.from, to: change.from + change.length, text: change.text }],
    spots: [statementSpot(statement)],
    root: scene.names.rootOf(call),
    line: call.calleeAt.line,
    slots: [change.slot],
    runtime: added(site, change.facts ?? {}),
    extra: change.extra ?? 0,
    // A change within a raw call is raw, one away from it is not.
    level: isRaw(operation) ? 'raw' : 'api',
  });
}

function calleeChanges(site: Site): readonly Draft[] {
  const { scene, call } = site;
  const { callee, calleeAt } = call;
  const family = families.find((each) => each.includes(callee)) ?? [];
  const others = [...family, ...(replacements[callee] ?? [])].filter((each) => each !== callee);
  const slot = `callee ${offsetOf(site)}`;
  const from = scene.source.offset(calleeAt);
  const plain = others.map((operation) =>
    changed(site, {
      from,
      length: callee.length,
      text: operation,
      title: `\`${operation}\` for \`${callee}\``,
      slot,
      operation,
      facts: { callee: operation },
    }),
  );
  return [...plain, ...longer(site, slot), ...mapped(site, slot), ...mappedByApi(site, slot)];
}

function longer(site: Site, slot: string): readonly Draft[] {
  const { scene, call } = site;
  const args = call.args.map((arg) => scene.source.textOf(arg));
  const [all, taken] = wider[call.callee] ?? [];
  if (all !== undefined) {
    return [whole(site, slot, all, args.slice(0, taken), { callee: all })];
  }
  const more = withArgument[call.callee];
  if (more === undefined) return [];
  const [operation, last] = more;
  return [whole(site, slot, operation, [...args, last], { callee: operation, cflush: last })];
}

/** The whole call replaced. */
function whole(
  site: Site,
  slot: string,
  operation: string,
  args: readonly string[],
  facts: Partial<CallFacts>,
): Draft {
  const { scene, call } = site;
  const text = `${operation}(${args.join(', ')})`;
  return changed(site, {
    from: scene.source.offset(call.at),
    length: call.at.length,
    text,
    title: `\`${text}\` for \`${scene.source.textOf(call)}\``,
    slot,
    operation,
    facts,
  });
}

/** A device that is handed a physical address: the DMA API's address instead. */
function mapped(site: Site, slot: string): readonly Draft[] {
  const { scene, call, statement } = site;
  const root = scene.names.rootOf(call);
  const [arg] = call.args;
  const isAddress = call.callee === 'virt_to_phys' || call.callee === 'page_to_phys';
  if (!isAddress || arg === undefined || root === null || root.size === null) return [];
  const given = scene.names.all.find((name) => name.statement === statement);
  const device = given === undefined ? null : userOf(scene, given.name);
  if (device === null) return [];
  const operation = call.callee === 'virt_to_phys' ? 'dma_map_single' : 'dma_map_page';
  const offset = operation === 'dma_map_page' ? ['0'] : [];
  const rest = [...offset, root.sizeText, 'DMA_BIDIRECTIONAL'];
  const args = [device, scene.source.textOf(arg), ...rest];
  return [whole(site, slot, operation, args, { callee: operation })];
}

/** A mapping for user space of memory of the DMA API: by the API, which knows where it lies. */
function mappedByApi(site: Site, slot: string): readonly Draft[] {
  const { scene, call, statement } = site;
  const made = call.callee === 'mmap' ? (scene.names.rootOf(call)?.call ?? null) : null;
  const kind = /^dma_alloc_(coherent|wc|attrs)$/u.exec(made?.callee ?? '')?.[1];
  const gap = scene.source.gaps.find(({ next }) => next === statement);
  if (made === null || kind === undefined || gap === undefined) return [];
  const memory = scene.names.all.find((name) => name.call === made && name.kind === 'ptr');
  const device = scene.names.argument(made, 'dev');
  if (memory === undefined || device === null || !isVisible(memory, gap)) return [];
  const operation = `dma_mmap_${kind}`;
  const args = [scene.source.textOf(device), memory.name];
  return [whole(site, slot, operation, args, { callee: operation })];
}

function argumentChanges(site: Site): readonly Draft[] {
  const { call, operation } = site;
  if (fixedFamilies.has(operation.family)) return [];
  return call.args.flatMap((arg, index) => {
    const param = operation.params[index];
    if (param === undefined) return [];
    const values = [...new Set([...valuesFor(site, arg, param), ...namesFor(site, arg, param)])];
    return values.map((value) => argument(site, arg, index, value));
  });
}

/** Handles that maintenance and mappings may be meant for instead. */
const handles: ReadonlySet<string> = new Set(['dma', 'phys', 'sgt', 'domain', 'attachment', 'bo']);

/** Other names that have a value of the kind by then. */
function namesFor(site: Site, arg: Expression, { kinds, out }: Param): readonly string[] {
  const { scene, statement, operation } = site;
  if (!handedOver.has(operation.family) || out === true) return [];
  if (!kinds.some((kind) => handles.has(kind))) return [];
  const now = scene.source.textOf(arg);
  const gap = scene.source.gaps.find(({ next }) => next === statement);
  if (gap === undefined) return [];
  const fitting = scene.names.all.filter(
    (name) => kinds.includes(name.kind) && isVisible(name, gap) && name.name !== now,
  );
  return fitting.map(({ name }) => name);
}

/** What else could stand there. */
function valuesFor(site: Site, arg: Expression, param: Param): readonly string[] {
  const { scene, call } = site;
  const now = scene.source.textOf(arg);
  const kind = param.kinds[0] ?? 'int';
  const others = (constantsOf[kind] ?? []).filter((value) => value !== now);
  if (kind === 'prot') {
    const kept = now.split('|').map((part) => part.trim());
    return ['IOMMU_CACHE', 'IOMMU_PRIV'].map((right) => {
      const without = kept.filter((part) => part !== right);
      return without.length < kept.length ? without.join(' | ') : `${now} | ${right}`;
    });
  }
  if (kind === 'gfp') return gfpFor(site, now);
  if (kind === 'device') return devicesFor(site, now);
  const isCount = param.name === 'size' || param.name === 'nents' || param.name === 'offset';
  if (isCount) return sizesFor(scene, call, param.name, now);
  if (kind === 'ptr' && hasRange.test(call.callee)) return endsFor(scene, call, param.name, now);
  return others;
}

/** Cleared, and from where every device can reach it. */
function gfpFor({ scene }: Site, now: string): readonly string[] {
  const zones = scene.machine.memoryAbove4G ? ['__GFP_DMA32'] : [];
  const flags = ['__GFP_ZERO', ...zones].filter((flag) => !now.includes(flag));
  const dma = zones.length > 0 && now === 'GFP_KERNEL' ? ['GFP_KERNEL | GFP_DMA'] : [];
  return [...flags.map((flag) => `${now} | ${flag}`), ...dma];
}

/** Another device may be meant by maintenance and mappings, not by an allocation. */
function devicesFor({ scene, operation }: Site, now: string): readonly string[] {
  if (operation.family !== 'DMA mapping API' && operation.family !== 'dma-buf') return [];
  return scene.machine.devices.map(({ name }) => name).filter((name) => name !== now);
}

/** Two arguments that could stand for each other, in the other order. */
function swaps(site: Site): readonly Draft[] {
  const { scene, call, operation } = site;
  if (!handedOver.has(operation.family)) return [];
  return call.args.flatMap((arg, index) =>
    call.args.slice(index + 1).flatMap((other, after) => {
      const [kinds, others] = [index, index + 1 + after].map((at) => operation.params[at]?.kinds);
      const [one, two] = [scene.source.textOf(arg), scene.source.textOf(other)];
      if (kinds === undefined || others === undefined || one === two) return [];
      // A range from its end to its start is nobody's.
      if (kinds.includes('ptr') || !kinds.some((kind) => others.includes(kind))) return [];
      return [swapped(site, [arg, other])];
    }),
  );
}

function swapped(site: Site, [one, other]: readonly [Expression, Expression]): Draft {
  const { scene, call } = site;
  const [from, to] = [firstOffset(scene, one), firstOffset(scene, other)];
  const [text, second] = [scene.source.textOf(one), scene.source.textOf(other)];
  const between = scene.source.text.slice(from + lengthOf(scene, one), to);
  return changed(site, {
    from,
    length: to + lengthOf(scene, other) - from,
    text: `${second}${between}${text}`,
    title: `\`${second}, ${text}\` for \`${text}, ${second}\` in \`${call.callee}\``,
    slot: `callee ${offsetOf(site)}`,
  });
}

function argument(site: Site, arg: Expression, index: number, value: string): Draft {
  const { scene, call, operation } = site;
  const now = scene.source.textOf(arg);
  const param = operation.params[index];
  const facts: Partial<CallFacts> =
    param?.name === 'dir'
      ? { direction: value }
      : param?.kinds[0] === 'cflush'
        ? { cflush: value }
        : param?.kinds[0] === 'attrs'
          ? { skipsSync: value !== '0' }
          : extentFacts(site, param?.name ?? '', value);
  return changed(site, {
    from: firstOffset(scene, arg),
    length: lengthOf(scene, arg),
    text: value,
    title: `\`${value}\` for \`${now}\` in \`${call.callee}\``,
    slot: `arg ${offsetOf(site)} ${index}`,
    facts,
    extra: /^(pgprot|gfp)$/u.test(param?.kinds[0] ?? '') ? scene.costs.allocation : 0,
  });
}

/** What the call covers, when its size or the number of its pages is another one. */
function extentFacts({ scene }: Site, param: string, value: string): Partial<CallFacts> {
  const number = bytesOf(scene, value);
  if (number === null || (param !== 'size' && param !== 'nents')) return {};
  return { bytes: param === 'size' ? number : number * scene.machine.pageSize };
}

function firstOffset(scene: Scene, node: Expression): number {
  return node.kind === 'binary' ? firstOffset(scene, node.left) : scene.source.offset(node.at);
}

/** Of the text as it stands, line ends included. */
function lengthOf(scene: Scene, node: Expression): number {
  const last = (inner: Expression): number =>
    inner.kind === 'binary' ? last(inner.right) : scene.source.offset(inner.at) + inner.at.length;
  return last(node) - firstOffset(scene, node);
}

/** What user space asked for, what firmware does, what the device tree says: no driver's choice. */
const givenOptions: ReadonlySet<string> = new Set(['private', 'keep_tlb', 'mapped']);

/** Options that are true or false: `.map_wc`, whether the CPU's mappings are write-combined. */
function optionChanges(site: Site): readonly Draft[] {
  const options = site.operation.options ?? [];
  const own = options.filter(({ name, kind }) => kind === 'bool' && !givenOptions.has(name));
  return own.map(({ name }) => optionChange(site, name));
}

function optionChange(site: Site, name: string): Draft {
  const { scene, call } = site;
  const given = call.options.find((option) => option.name === name);
  const slot = `option ${name} ${offsetOf(site)}`;
  const extra = isRaw(call.callee) ? 0 : scene.costs.allocation;
  if (given === undefined) {
    const end = scene.source.offset(call.at) + call.at.length - 1;
    const [text, title] = [`, .${name} = true`, `\`.${name} = true\``];
    return changed(site, { from: end, length: 0, text, title, slot, extra });
  }
  const from = scene.source.offset(given.value.at);
  const text = scene.source.textOf(given.value) === 'true' ? 'false' : 'true';
  const title = `\`.${name} = ${text}\``;
  return changed(site, { from, length: given.value.at.length, text, title, slot, extra });
}
