/**
 * Pages that change hands between this world and another (M16). What the caches do with them
 * later is decided when they go: a line that may be fetched, or is dirty, will be at some time.
 * Sources: drivers/firmware/qcom/qcom_scm.c:qcom_scm_assign_mem; Arm ARM D8 (external aborts).
 * Leaves out: what the other world does with the pages, which it gives back as it got them; lines
 * tagged with a world of their own, whose write-back the bus refuses all the same.
 */
import { absentLine } from '../machine/line.js';
import type { KernelContext } from './context.js';
import { mayFetchInstructions } from './kernel-tlb.js';
import { hasCacheableAlias } from './mismatch.js';
import type { Frame } from './state.js';
import { lineCode } from './touched.js';

export function assignFrames(
  context: KernelContext,
  frames: readonly number[],
  secure: boolean,
): void {
  for (const index of frames) {
    const frame = context.frame(index);
    if (frame === undefined) continue;
    // Which lines are dirty, and which there are at all, is asked and changed (reductions.md).
    for (const at of frame.lines.keys()) context.touched?.look(lineCode(index, at));
    if (secure) checkCaches(context, frame, index);
    const { secure: _, ...plain } = frame;
    const lines = frame.lines.map(({ dram }) => absentLine(dram));
    context.setFrame(index, secure ? { ...plain, lines, secure: true } : plain);
  }
  context.say('M16', () => (secure ? 'the pages belong to another world' : 'the pages are back'));
}

function checkCaches(context: KernelContext, frame: Frame, index: number): void {
  const mapped = hasCacheableAlias(context.kernel, frame, index);
  const fetched = !mapped && mayFetchInstructions(context.kernel, index);
  const dirty = frame.lines.some((line) => line.state === 'dirty');
  if (dirty && context.liberties.has('eviction') && context.choose(2) === 1) {
    aborts(context, 'a dirty line is written back to memory of another world: a system error', {
      expected: 'memory whose lines were cleaned before it was given away',
      actual: 'a dirty line',
    });
  } else if (mapped && context.liberties.has('speculation') && context.choose(2) === 1) {
    aborts(context, 'a speculative read of memory of another world: a system error', {
      expected: 'no cacheable mapping, nor a TLB entry, of memory that is given away',
      actual: 'one of them',
    });
  } else if (fetched && context.liberties.has('speculation') && context.choose(2) === 1) {
    aborts(context, 'an instruction fetch from memory of another world: a system error', {
      expected: 'no mapping, nor a TLB entry, from which instructions may be fetched',
      actual: 'one of them',
    });
  }
}

function aborts(
  context: KernelContext,
  message: string,
  seen: { readonly expected: string; readonly actual: string },
): void {
  context.tookLiberty = true;
  context.find('H14', true, -1, () => ({ message, ...seen }));
  context.say('M16', () => message);
}
