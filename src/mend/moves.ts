/**
 * Moving and removing whole statements: maintenance, barriers, mappings, pins. What the use case
 * consists of (accesses, doorbells, waits, allocations, frees, reclaim) keeps its place.
 */
import { findOperation, type Operation } from '../kernel/registry.js';
import { type Draft, insertion } from './edit.js';
import {
  draft,
  factsOf,
  gapSpot,
  placeOf,
  runtime,
  type Scene,
  statementSpot,
  timesAt,
} from './scene.js';
import type { Gap, SourceStatement } from './source.js';

const movableFamilies: ReadonlySet<string> = new Set([
  'cache helpers',
  'DMA mapping API',
  'IOMMU API',
  'dma-buf',
  'ordering',
]);

/** Of the other families, those that get or hold pages, or change attributes. */
const holds = 'get_pages|_pin$|pin_pages|_unpin$';
const alters = '^set_direct_map|^drm_vma_node_unmap$|^vunmap$|_nomap$|_flush_caches$';
const movable = new RegExp(`${holds}|${alters}`, 'u');
/** Neither: allocations, and calls that only name things. */
const fixed = /^dma_(alloc|free|mmap)|domain_alloc|^sg_dma_address$|^drm_prime_pages_to_sg$/u;
/** The end of some memory: may come later, never earlier, and is never left out. */
const frees = /^(kfree|__free_pages|drm_gem_object_put|dma_free_\w+|drm_gem_\w*put_pages)$/u;
/** Holds pages, and does nothing else for them. */
const pins = /_pin$|pin_pages|^drm_gem(_shmem)?_get_pages$/u;
/** Leaving one out would leave something behind for ever. */
const releases = /unmap|put_pages|_free$|^vunmap$|detach/u;

/** Gives memory back to the CPU: before the device was started or waited for is no place for it. */
const givesBack = /^dma_(buf_)?unmap/u;

function isMovable({ family, name }: Operation): boolean {
  if (frees.test(name) || name === 'wait') return true;
  return !fixed.test(name) && (movableFamilies.has(family) || movable.test(name));
}

/** The one operation a statement consists of; null when it does more. */
function operationOf(statement: SourceStatement): Operation | null {
  const { node, calls } = statement;
  if (node.kind !== 'expression') return null;
  const { expression } = node;
  const value = expression.kind === 'assign' ? expression.value : expression;
  if (expression.kind === 'assign' && expression.target.kind !== 'name') return null;
  if (value.kind !== 'call' || calls[0] === undefined) return null;
  const operation = findOperation(value.callee);
  return operation !== undefined && isMovable(operation) ? operation : null;
}

export function moves(scene: Scene): readonly Draft[] {
  return scene.source.statements.flatMap((statement) => {
    const operation = statement.thread.role === 'device' ? null : operationOf(statement);
    if (operation === null) return [];
    // In init nothing fails: to move a call there would only hide that it may.
    const hides = scene.machine.allocationMayFail && operation.fails !== undefined;
    const targets = scene.gaps.filter(
      (gap) => isElsewhere(scene, statement, gap) && !(hides && gap.thread.role === 'init'),
    );
    return [
      ...targets.map((gap) => moved(scene, statement, operation, gap)),
      ...removal(scene, statement, operation),
    ];
  });
}

/**
 * In its own thread, at the end of init, or from one CPU's thread to another's; and not where it
 * stands already.
 */
function isElsewhere(scene: Scene, statement: SourceStatement, gap: Gap): boolean {
  const isEndOfInit = gap.thread.role === 'init' && gap.isEnd;
  const areCpus = gap.thread.role === 'cpu' && statement.thread.role === 'cpu';
  if (gap.thread !== statement.thread && !isEndOfInit && !areCpus) return false;
  const gaps = scene.source.gaps.filter((each) => each.thread === statement.thread);
  const own = gaps.findIndex((each) => each.next === statement);
  const isFree = statement.calls.some(({ callee }) => frees.test(callee));
  if (isFree && (gap.thread !== statement.thread || gap.at < statement.from)) return false;
  const isWait = statement.calls.some(({ callee }) => callee === 'wait');
  if (isWait && (gap.thread !== statement.thread || gap.at > statement.from)) return false;
  const unmaps = statement.calls.some(({ callee }) => givesBack.test(callee));
  if (unmaps && gap.at < statement.from && isJobBetween(scene, gap, statement)) return false;
  return gap !== gaps[own] && gap !== gaps[own + 1];
}

/** A doorbell or a wait stands between the gap and the statement, in the same thread. */
function isJobBetween(scene: Scene, gap: Gap, { thread, from }: SourceStatement): boolean {
  return scene.source.statements.some(
    (each) =>
      each.thread === thread &&
      each.from >= gap.at &&
      each.from < from &&
      each.calls.some(({ callee }) => /^(submit|writel\w*|wait)$/u.test(callee)),
  );
}

/** The lines a statement stands on, with the comment behind it, when nothing else is there. */
function linesOf(text: string, { from, to }: SourceStatement): { from: number; to: number } {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const end = text.indexOf('\n', to);
  const behind = text.slice(to, end < 0 ? text.length : end);
  const alone =
    text.slice(start, from).trim() === '' && /^\s*(\/\/.*|\/\*.*\*\/\s*)?$/u.test(behind);
  if (!alone) return { from, to };
  return { from: start, to: end < 0 ? text.length : end + 1 };
}

function moved(scene: Scene, statement: SourceStatement, operation: Operation, gap: Gap): Draft {
  const { text } = scene.source;
  const lines = linesOf(text, statement);
  const words = text
    .slice(statement.from, lines.to)
    .trim()
    .replace(/\s*\n\s*/gu, ' ');
  const call = text.slice(statement.from, statement.to).replace(/\s+/gu, ' ');
  const [own] = statement.calls;
  const once = own === undefined ? 0 : runtime(scene, factsOf(scene, own));
  const more = timesAt(scene, gap.loopFrom) - timesAt(scene, statement.loopFrom);
  const earlier = gap.thread !== statement.thread || gap.at < statement.from;
  const keeps = frees.test(operation.name) || (earlier && pins.test(operation.name));
  return draft({
    kind: 'move',
    operation: operation.name,
    title:
      `move \`${call}\` from line ${statement.line} to ${placeOf(gap).replace(/^at/u, '')}`.replace(
        /\s+/gu,
        ' ',
      ),
    patches: [{ ...lines, text: '' }, insertion(gap, gap.after === '\n' ? words : call)],
    spots: [statementSpot(statement), gapSpot(gap)],
    root: rootOf(scene, statement),
    line: statement.line,
    slots: [`statement ${statement.from}`],
    runtime: once * more,
    extra: keeps ? scene.costs.keepLonger : operation.name === 'wait' ? scene.costs.wait : 0,
  });
}

function rootOf(scene: Scene, { calls }: SourceStatement): ReturnType<Scene['names']['rootOf']> {
  return calls[0] === undefined ? null : scene.names.rootOf(calls[0]);
}

function removal(scene: Scene, statement: SourceStatement, operation: Operation): Draft[] {
  const { text } = scene.source;
  const stays = releases.test(operation.name) || frees.test(operation.name);
  if (stays || operation.name === 'wait') return [];
  const call = text.slice(statement.from, statement.to).replace(/\s+/gu, ' ');
  const gives = !movableFamilies.has(operation.family) || operation.family === 'IOMMU API';
  return [
    draft({
      kind: 'remove',
      operation: operation.name,
      title: `remove \`${call}\` in line ${statement.line}`,
      patches: [{ ...linesOf(text, statement), text: '' }],
      spots: [statementSpot(statement)],
      root: rootOf(scene, statement),
      line: statement.line,
      slots: [`statement ${statement.from}`],
      runtime: 0,
      extra: gives ? scene.costs.giveUp : 0,
    }),
  ];
}
