/**
 * What is left of a thread in a projection where it does nothing to the line that is shown, as a
 * text. Made once for a thread; the text of any stretch of it is then cut out of it.
 * Leaves out: what the instructions mean (stubs.ts, equal.ts).
 */

/** What stays of one instruction: of several alike in a row one stays, of `kept` ones each. */
export interface Idle {
  readonly label: string;
  /** With the end of its line; empty for what is kept and says nothing. */
  readonly text: string;
}

export class IdleText {
  private text = '';
  /** Per item: where its text begins, and at last where all ends. */
  private readonly starts: number[] = [0];
  /** Per place: the item of the first instruction from there on that stays, and its place. */
  private readonly next: { readonly item: number; readonly pc: number }[];
  /** Per place: the item of the last instruction before it that stays; -1 for none. */
  private readonly last: number[] = [];

  /** `at` gives what stays of the instruction at a place; null: nothing. */
  constructor(length: number, at: (pc: number) => Idle | null) {
    const itemOf: number[] = [];
    let label = '';
    let item = -1;
    for (let pc = 0; pc < length; pc++) {
      this.last.push(item);
      const idle = at(pc);
      if (idle !== null && (idle.label === 'kept' || idle.label !== label)) {
        item++;
        label = idle.label;
        this.text += idle.text;
        this.starts.push(this.text.length);
      }
      itemOf.push(idle === null ? -1 : item);
    }
    this.last.push(item);
    let next = { item: item + 1, pc: length };
    this.next = Array.from({ length: length + 1 }, () => next);
    for (let pc = length - 1; pc >= 0; pc--) {
      const own = itemOf[pc] ?? -1;
      if (own >= 0) next = { item: own, pc };
      this.next[pc] = next;
    }
  }

  /** The text of places [from, to), what stands at `to` being kept. */
  between(from: number, to: number): string {
    const first = this.next[from];
    if (first === undefined || first.pc >= to) return '';
    const last = this.last[to] ?? -1;
    return this.text.slice(this.starts[first.item] ?? 0, this.starts[last + 1] ?? 0);
  }
}
