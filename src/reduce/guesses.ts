/**
 * Pages that an unrolled loop will access, guessed from the first copy of its statement that
 * accesses a new one: without, the control of a scenario is explored anew for every page. A guess
 * only adds a page in which nothing is tracked; one that turns out wrong is taken back by whoever
 * asked, and the exploration made again.
 * Leaves out: statements whose address is more than a base and a number.
 */
import type { Layout, NewCell } from '../kernel/layout.js';
import type { Expr, Instruction, Program } from '../litmus/program.js';
import { Sites } from '../system/sites.js';

/** The number that is added to an address, and the rest. */
interface Address {
  readonly base: Expr;
  readonly byte: number;
}

function addressOf(expr: Expr): Address {
  if (expr.kind === 'offset' && expr.bytes.kind === 'const') {
    return { base: expr.pointer, byte: expr.bytes.value };
  }
  return { base: expr, byte: 0 };
}

function isSame(a: Expr, b: Expr): boolean {
  // Nearly all are a name alone.
  if (a.kind === 'handle' && b.kind === 'handle') return a.index === b.index;
  return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
}

function isCopyOf(instruction: Instruction, first: Instruction): boolean {
  const { at } = first;
  const same = instruction.at.line === at.line && instruction.at.column === at.column;
  return same && instruction.op === first.op;
}

export class GuessedPages {
  /** By buffer: bytes, one in each page. */
  private readonly bytes = new Map<number, Set<number>>();

  constructor(
    private readonly program: Program,
    private readonly pageSize: number,
  ) {}

  /** An access named a word in a page that was not known. */
  add(word: NewCell): void {
    const sites = Sites.of(this.program);
    const first = sites.at(word.site);
    const code = sites.threads[first?.thread ?? -1]?.code ?? [];
    if (first === undefined || word.size <= 0) return;
    const { instruction } = first;
    if (instruction.op !== 'load' && instruction.op !== 'store') return;
    const own = addressOf(instruction.address);
    const pages = this.bytes.get(word.buffer) ?? new Set<number>();
    for (const each of code) {
      if (each.op !== 'load' && each.op !== 'store') continue;
      if (!isCopyOf(each, instruction)) continue;
      const { base, byte } = addressOf(each.address);
      const at = word.byte + byte - own.byte;
      if (isSame(base, own.base) && at >= 0) pages.add(at - (at % this.pageSize));
    }
    this.bytes.set(word.buffer, pages);
  }

  /** Adds the pages to a layout that has not got them. */
  into(layout: Layout): void {
    for (const [buffer, pages] of this.bytes) {
      for (const byte of pages) {
        if (layout.pageIndex(buffer, byte / this.pageSize) < 0) layout.add(buffer, byte, 0);
      }
    }
  }

  /** True when some page was guessed in vain, of all the words there are: all are given up. */
  areWrong(words: readonly { readonly buffer: number; readonly byte: number }[]): boolean {
    const places = new Set(
      words.map(({ buffer, byte }) => `${buffer}:${Math.floor(byte / this.pageSize)}`),
    );
    const wrong = [...this.bytes].some(([buffer, pages]) =>
      [...pages].some((byte) => !places.has(`${buffer}:${byte / this.pageSize}`)),
    );
    if (wrong) this.bytes.clear();
    return wrong;
  }
}
