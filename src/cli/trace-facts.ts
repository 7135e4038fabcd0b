/**
 * What is known of the traced machine from outside of the trace: the sidecar of `civac record`
 * beside it, a device tree, and the command line, which wins.
 */
import { existsSync, readFileSync } from 'node:fs';
import { sidecarBook, statedBook } from '../trace/devices/books.js';
import { type CoherenceBook, firstOf } from '../trace/devices/coherence.js';
import { readDts } from '../trace/devices/dts.js';
import { isFdt, readFdt } from '../trace/devices/fdt.js';
import { TreeError, type TreeNode } from '../trace/devices/tree.js';
import { treeBook } from '../trace/devices/tree-coherence.js';
import { parseSidecar, type Sidecar, sidecarName } from '../trace/sidecar.js';
import { InputError, reasonOf } from './errors.js';

export interface FactOptions {
  readonly coherent?: readonly string[];
  readonly nonCoherent?: readonly string[];
  readonly dt?: string;
  readonly machine?: string;
}

export interface Facts {
  readonly book: CoherenceBook;
  readonly sidecar: Sidecar | null;
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** The sidecar that was named, or the one beside the trace if there is one. */
function sidecarOf(trace: string, named: string | undefined): Sidecar | null {
  const path = named ?? sidecarName(trace);
  if (named === undefined && (trace === '-' || !existsSync(path))) return null;
  const sidecar = parseSidecar(new TextDecoder().decode(read(path)));
  if ('error' in sidecar) {
    const hint = named === undefined ? '; move it away to do without' : '';
    throw new InputError(`${path}: ${sidecar.error}${hint}`);
  }
  return sidecar;
}

function treeOf(path: string): TreeNode {
  const bytes = read(path);
  try {
    return isFdt(bytes) ? readFdt(bytes) : readDts(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof TreeError) {
      throw new InputError(`${path}: ${error.message}; expected a device tree, .dtb or .dts`);
    }
    throw error;
  }
}

export function factsOf(trace: string, options: FactOptions): Facts {
  const sidecar = sidecarOf(trace, options.machine);
  const books = [statedBook(options.coherent ?? [], options.nonCoherent ?? [])];
  if (sidecar !== null) books.push(sidecarBook(sidecar));
  if (options.dt !== undefined) books.push(treeBook(treeOf(options.dt)));
  return { book: firstOf(books), sidecar };
}
