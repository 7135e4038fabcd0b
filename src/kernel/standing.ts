/**
 * Which word stands where an access, or an entry of a store buffer, arrives: a frame may have a new
 * owner by then, whose words lie elsewhere in its lines (M7, M14).
 */
import type { Entry } from '../machine/store-buffer.js';
import type { KernelContext } from './context.js';
import type { Cell } from './layout.js';

/** Where in physical memory an access goes, and what it means on the ideal machine. */
export interface Destination {
  /** Frame index; -1 when nothing is there. */
  readonly frame: number;
  /** The word meant; its line and word index are those of the layout. */
  readonly cell: Cell;
  /** Why the ideal memory refuses the access, if it does. */
  readonly refused: 'H7' | 'H8' | 'H9' | 'H15' | null;
  /** The store is acknowledged by the device itself (M5, nGnRnE). */
  readonly nonPosted?: true;
  /** The word that stands for it in a bounce buffer, where the access goes there. */
  readonly slot?: Cell;
}

/** The word that stands where the access arrives: after reuse of the frame another buffer's. */
export function realCell(context: KernelContext, destination: Destination): Cell {
  return standing(context, destination.frame, destination.slot ?? destination.cell);
}

function standing(context: KernelContext, index: number, cell: Cell): Cell {
  const frame = context.frame(index);
  if (frame === undefined || (frame.buffer === cell.buffer && frame.page === cell.page)) {
    return cell;
  }
  context.recorder.couples?.('an access arrives in a page of another owner');
  const byte = frame.page * context.machine.pageSize + cell.offset;
  return context.layout.cell(frame.buffer, byte, cell.size);
}

/** Position of the access in the frame's own layout. */
export function realPosition(context: KernelContext, destination: Destination) {
  return context.layout.position(realCell(context, destination));
}

/**
 * Where an entry of a store buffer leaves to, in the layout of the frame's owner by now; null when
 * nobody can observe it: the page is free, or the owner names no word there. A store that comes
 * after the page changed hands is remembered as one the ideal memory never admitted.
 */
export function leavesTo(
  context: KernelContext,
  entry: Extract<Entry, { frame: number }>,
): { line: number; word: number } | null {
  const frame = context.frame(entry.frame);
  const cell = context.layout.cells[entry.cell];
  if (frame === undefined || frame.buffer < 0 || cell === undefined) return null;
  if (frame.buffer === cell.buffer && frame.page === cell.page) {
    return context.layout.position(cell);
  }
  if (entry.kind === 'maintain') {
    const line = Math.floor(cell.offset / context.machine.lineSize);
    const page = context.layout.pageIndex(frame.buffer, frame.page);
    const lines = context.layout.pages(frame.buffer)[page]?.lines ?? [];
    const at = lines.findIndex((each) => each.line === line);
    return at < 0 ? null : { line: at, word: 0 };
  }
  noteRefused(context, { frame: entry.frame, cell, refused: 'H8' }, entry.value);
  return context.layout.position(standing(context, entry.frame, cell));
}

/** Remembers on the victim's word that a store it never admitted reached the memory. */
export function noteRefused(context: KernelContext, destination: Destination, value: number): void {
  const frame = context.frame(destination.frame);
  if (frame === undefined || frame.buffer < 0) return;
  const byte = frame.page * context.machine.pageSize + destination.cell.offset;
  const victim = context.layout.cell(frame.buffer, byte, destination.cell.size);
  const word = context.word(victim);
  if (word.refused.some((each) => each.value === value)) return;
  context.setWord(victim, {
    ...word,
    refused: [...word.refused, { value, id: destination.refused ?? 'H8' }],
  });
}
