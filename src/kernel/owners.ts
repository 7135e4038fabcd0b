/**
 * Protection domains (M14): who holds an object, and what becomes of the data that clients leave in
 * it when somebody else gets it. Memory that the same client gets again is as it was.
 * Sources: drivers/gpu/drm/drm_gem.c (drm_gem_handle_create, drm_gem_handle_delete),
 * drm_vma_manager.c (drm_vma_node_allow, drm_vma_node_revoke): an object belongs to those who have
 * a handle for it.
 * Translations of an earlier client: iommu.ts.
 * Leaves out: values that stand in store buffers of other CPUs, or were read early, when the memory
 * changes hands.
 */
import { type Clock, newest, unwritten, type Write } from '../ideal/word.js';
import type { Line } from '../machine/line.js';
import type { KernelContext } from './context.js';
import type { Cell } from './layout.js';
import type { Clients, CpuMap, DeviceLine, PageSlot } from './state.js';
import { lineCode } from './touched.js';
import { isSecret, secretOf } from './values.js';

const nobody: Clients = { now: [], known: [] };

/** Another client shares the object, or gets it when the ones before it are gone. */
export function addClient(context: KernelContext, id: number, client: number): void {
  const { now, known, left } = context.buffer(id).clients ?? nobody;
  if (left !== undefined) context.learn(left);
  const other = left !== undefined && !known.includes(client);
  if (other) changeHands(context, id, left);
  const clients = {
    now: [...now, client].sort((a, b) => a - b),
    known: other ? [client] : [...new Set([...known, client])].sort((a, b) => a - b),
  };
  context.setBuffer({ ...context.buffer(id), clients });
}

/** False where the client has no handle. */
export function dropClient(context: KernelContext, id: number, client: number): boolean {
  const { now, known } = context.buffer(id).clients ?? nobody;
  const at = now.indexOf(client);
  if (at < 0) return false;
  const rest = now.filter((_, i) => i !== at);
  const left = rest.length > 0 ? {} : { left: context.step.clock };
  context.setBuffer({ ...context.buffer(id), clients: { now: rest, known, ...left } });
  return true;
}

/** What clients left there is another domain's secret from now on, wherever it stands. */
function changeHands(context: KernelContext, id: number, left: Clock): void {
  const hides = whatToHide(context, id, left);
  const pages = context.buffer(id).pages.map((slot, i): PageSlot => {
    const cells = (context.layout.pages(id)[i]?.lines ?? []).map((line) => line.cells);
    if (slot.state === 'resident') hideFrame(context, slot.frame, cells, hides);
    if (slot.state !== 'swapped') return slot;
    return {
      ...slot,
      lines: slot.lines.map((line, at) => hide(line, cells[at], hides, ELSEWHERE)),
    };
  });
  context.setBuffer({ ...context.buffer(id), pages });
  hideDeviceLines(context, id, hides);
  leaveMappings(context, id);
  context.say('M14', () => 'the memory changes hands: what clients left in it is their secret');
}

type Hides = (cell: Cell | undefined, value: number) => boolean;

/** All but what the kernel stored since the last client was gone, and what is cleared. */
function whatToHide(context: KernelContext, id: number, left: Clock): Hides {
  const kept = new Map<number, readonly number[]>();
  for (const cell of context.layout.cells.filter((each) => each.buffer === id)) {
    const word = context.word(cell);
    const since = newest(word.writes).filter((write) => isKernels(write, left));
    const values = since.map(({ value }) => value);
    kept.set(cell.id, values);
    if (since.length === 0) context.setWord(cell, unwritten);
  }
  return (cell, value) =>
    value !== 0 && !isSecret(value) && kept.get(cell?.id ?? -1)?.includes(value) !== true;
}

function isKernels({ value, agent, count }: Write, left: Clock): boolean {
  return value === 0 || (left[agent] ?? 0) < count;
}

function hide(
  values: readonly number[],
  cells: readonly Cell[] | undefined,
  hides: Hides,
  secret: number,
): readonly number[] {
  return values.map((value, i) => (hides(cells?.[i], value) ? secret : value));
}

function hideFrame(
  context: KernelContext,
  index: number,
  cells: readonly (readonly Cell[])[],
  hides: Hides,
): void {
  const frame = context.frame(index);
  if (frame === undefined) return;
  const lines = frame.lines.map((line, at): Line => {
    context.touched?.look(lineCode(index, at));
    const dram = hide(line.dram, cells[at], hides, secretOf(index, 0));
    const copy = hide(line.copy, cells[at], hides, secretOf(index, 1));
    // What was the same in memory and in the copy is one secret.
    const same = copy.map((value, i) => (line.copy[i] === line.dram[i] ? dram[i] : value));
    return { ...line, dram, copy: same.map((value) => value ?? 0) };
  });
  context.setFrame(index, { ...frame, lines });
}

/** What stands in a swap device or in a device's own cache. */
const ELSEWHERE = secretOf(0, 1);

function hideDeviceLines(context: KernelContext, id: number, hides: Hides): void {
  const deviceLines = context.kernel.deviceLines.map((each): DeviceLine => {
    const cell = context.layout.cells[each.cell];
    const theirs = cell?.buffer === id && hides(cell, each.value);
    return theirs ? { ...each, value: ELSEWHERE } : each;
  });
  context.update({ deviceLines });
}

/** User mappings made before are those of other clients: the memory is not meant for them (H9). */
function leaveMappings(context: KernelContext, id: number): void {
  const theirs = (map: CpuMap): boolean => map.buffer === id && map.user && map.live;
  const maps = context.kernel.maps.map((map) => (theirs(map) ? { ...map, foreign: true } : map));
  context.update({ maps });
}
