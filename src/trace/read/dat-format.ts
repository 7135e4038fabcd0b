/**
 * The format descriptions inside a trace.dat: what an event is called, its number, where its fields
 * lie. Only what decoding needs is kept; print formats are skipped.
 *
 * Source: Documentation/trace/events.rst of Linux, "Event formats"; kernel/trace/trace_events.c
 * f_show. Source of the page header: events/header_page, ring_buffer_print_page_header.
 */
import { textOf } from './bytes.js';

/** A field of an event. Offset and size in bytes. */
export interface Field {
  readonly name: string;
  /** As in C, without the name: `__data_loc char[]`, `u64`. */
  readonly type: string;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
}

export interface EventFormat {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  /** The text, for those whose fields are asked for. */
  readonly text: Uint8Array;
}

/** Bytes that hold name and number: event names are much shorter. */
const headMax = 256;

/**
 * Name and number of a format description, or null when it is none. A kernel describes thousands
 * of events: no loop here is ours, which V8 would first run slowly and then compile for nothing.
 */
export function parseFormat(system: string, text: Uint8Array): EventFormat | null {
  const head = /^name: (.*)\nID: (\d+)/.exec(textOf(text, 0, Math.min(text.length, headMax)));
  const id = Number(head?.[2]);
  if (head === null || id > 0xffff) return null;
  return { system, name: (head[1] ?? '').trim(), id, text };
}

/** The fields of a format description or of header_page. */
export function parseFields(text: Uint8Array): Field[] {
  const fields: Field[] = [];
  const lines = textOf(text, 0, text.length).split('\n');
  for (const line of lines) {
    if (line.startsWith('print fmt')) break;
    const found =
      /^\s*field:\s*(.*?);\s*offset:\s*(\d+);\s*size:\s*(\d+);(?:\s*signed:\s*(\d+);)?/.exec(line);
    if (found === null) continue;
    const [, declaration = '', offset, size, signed] = found;
    const { name, type } = splitDeclaration(declaration);
    fields.push({
      name,
      type,
      offset: Number(offset),
      size: Number(size),
      signed: signed === '1',
    });
  }
  return fields;
}

/** `__data_loc u64[] addrs`, `char comm[16]`, `void * ptr`. */
function splitDeclaration(declaration: string): { name: string; type: string } {
  const found = /^(.*?)([A-Za-z_]\w*)\s*(\[[^\]]*\])?$/.exec(declaration.trim());
  if (found === null) return { name: declaration, type: '' };
  const [, type = '', name = '', array = ''] = found;
  return { name, type: `${type.trim()}${array}` };
}
