/**
 * fork() and user memory (K8): parent and child share the pages until one of them stores; then the
 * one who stores gets a copy, and pages that a device still uses stay with the other. Pages that
 * are pinned (FOLL_PIN) stay the parent's, and the child gets its copy at once.
 * Sources: mm/memory.c (copy_present_ptes, copy_present_page, do_wp_page, wp_can_reuse_anon_folio),
 * mm/gup.c:gup_must_unshare, include/linux/mm.h:folio_needs_cow_for_dma.
 * Leaves out: page by page (all of the memory is copied at once); a child's own child.
 */
import { cpuLoad, cpuStore } from './access.js';
import { fail } from './args.js';
import type { KernelContext } from './context.js';
import { changeMap, cpuReach, mapBehind, mapBuffer, mapOf } from './cpu-maps.js';
import { newBuffer } from './ops/pages.js';
import { allocatePages, framesIn, takePages } from './pages.js';
import type { Buffer, CpuMap, Frame } from './state.js';
import type { Value } from './value.js';

/** Every word that one of the two buffers names is a word of the other. */
function sameWords(context: KernelContext, one: number, other: number): void {
  const { pageSize } = context.machine;
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const cell of context.layout.cells.filter((each) => each.buffer === from)) {
      context.layout.cell(to, cell.page * pageSize + cell.offset, cell.size);
    }
  }
}

/** A copy of what a mapping shows, made by the CPU: a buffer of its own for that mapping. */
export function copyFor(context: KernelContext, map: CpuMap): void {
  const original = map.buffer;
  context.recorder.couples?.('private memory is copied on write');
  const { size } = context.buffer(original);
  const { id } = newBuffer(context, { kind: 'user', size });
  allocatePages(context, id, true);
  const { pageSize } = context.machine;
  for (const cell of context.layout.cells.filter((each) => each.buffer === original)) {
    const byte = cell.page * pageSize + cell.offset;
    const mine = context.layout.cell(id, byte, cell.size);
    const from = cpuReach(context, { map: map.id, offset: byte }, cell.size);
    const slot = context.buffer(id).pages[context.layout.pageIndex(id, mine.page)];
    if (from.kind === 'again') fail(context, 'a private copy: the pages must be there before');
    if (from.kind !== 'memory' || slot?.state !== 'resident') continue;
    const value = cpuLoad(context, from.destination, from.attribute, false, false);
    cpuStore(context, { frame: slot.frame, cell: mine, refused: null }, 'WB', value);
  }
  const { copyOnWrite: _, ...rest } = mapOf(context, map.id) ?? map;
  const present = framesIn(context, context.buffer(id), 0, size);
  changeMap(context, { ...rest, buffer: id, attribute: 'WB', present });
}

/** The child's address of the memory behind a mapping. */
export function forkMemory(context: KernelContext, parent: CpuMap): Value {
  const buffer = context.buffer(parent.buffer);
  const pointer = mapBuffer(context, buffer, 'mmap', 'WB');
  const map = mapBehind(context, pointer);
  if (map === undefined) return pointer;
  changeMap(context, { ...map, copyOnWrite: true });
  if (buffer.pins > (buffer.got ?? 0)) {
    copyFor(context, { ...map, copyOnWrite: true });
    context.say('K8', () => 'the pages are pinned: the child gets a copy now');
  } else {
    changeMap(context, { ...parent, forked: map.id });
    context.say('K8', () => 'parent and child share the pages until one of them stores');
  }
  return pointer;
}

/** The parent stores first, or is about to be pinned: it gets other pages, unless nobody cares. */
export function breakSharing(context: KernelContext, parent: CpuMap): void {
  const { forked = -1, ...alone } = parent;
  changeMap(context, alone);
  const child = mapOf(context, forked);
  const shares = child?.live === true && child.copyOnWrite === true;
  const buffer = context.buffer(parent.buffer);
  // wp_can_reuse_anon_folio(): the only reference is the parent's.
  if (!shares && (buffer.got ?? 0) === 0) return;
  moveAway(context, buffer, shares ? child : undefined);
  const present = framesIn(context, context.buffer(buffer.id), 0, buffer.size);
  changeMap(context, { ...alone, present });
  context.say('K8', () => "copied on write: the old pages are the child's, or the device's");
}

/** The buffer goes on in other pages; the old ones become a buffer of their own, with its words. */
function moveAway(context: KernelContext, buffer: Buffer, child: CpuMap | undefined): void {
  const { id } = newBuffer(context, { kind: 'user', size: buffer.size });
  context.recorder.couples?.('private memory is copied on write');
  sameWords(context, buffer.id, id);
  const old = buffer.pages.map((slot) =>
    slot.state === 'resident' ? ([slot.frame, context.frame(slot.frame)] as const) : undefined,
  );
  const { pins, got: _, ...free } = buffer;
  context.setBuffer({ ...free, pins: 0 });
  takePages(context, 'migrate', buffer.id);
  const pages = old.map((each) => {
    if (each === undefined) return { state: 'none' } as const;
    const [frame, was] = each;
    if (was !== undefined) keepFrame(context, frame, was, id);
    return { state: 'resident', frame } as const;
  });
  // Whoever got the pages holds the old ones.
  const held = pins > 0 ? { got: pins, heldFor: buffer.id } : {};
  context.setBuffer({ ...context.buffer(id), pages, pins, ...held });
  if (child === undefined) return;
  const { copyOnWrite: __, ...rest } = child;
  const present = framesIn(context, context.buffer(id), 0, buffer.size);
  changeMap(context, { ...rest, buffer: id, present });
}

/** A page as it was, under its new owner; what stands there is what the owner knows of it. */
function keepFrame(context: KernelContext, frame: number, was: Frame, buffer: number): void {
  const before = context.layout.pages(was.buffer);
  const tick = context.tick();
  context.setFrame(frame, { ...was, lines: was.lines, buffer });
  const layout = before[context.layout.pageIndex(was.buffer, was.page)];
  const own = context.layout.pages(buffer)[context.layout.pageIndex(buffer, was.page)];
  layout?.lines.forEach((line, i) => {
    line.cells.forEach((cell, word) => {
      const mine = own?.lines[i]?.cells[word];
      const newest = context.word(cell).writes.at(-1);
      if (mine !== undefined && newest !== undefined) context.write(mine, newest.value, tick);
    });
  });
}
