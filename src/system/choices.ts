/**
 * The choices inside a step: it asks for one with `choose(n)`, and is run again for every sequence
 * of answers.
 */

/** Sequences of answers, one after the other, the last answer fastest. */
export class Choices {
  private readonly taken: number[] = [];
  private readonly ways: number[] = [];
  private asked = 0;

  /** A number from 0 to `ways` - 1. */
  readonly choose = (ways: number): number => {
    const at = this.asked++;
    this.ways[at] = ways;
    this.taken[at] ??= 0;
    return this.taken[at] ?? 0;
  };

  /** The step has asked, in this run of it. */
  get made(): boolean {
    return this.asked > 0;
  }

  /** Before a step is run for the first time. */
  begin(): void {
    this.asked = 0;
    this.taken.length = 0;
    this.ways.length = 0;
  }

  /** After a run: false when all sequences were tried; else the step is to be run again. */
  another(): boolean {
    const { taken, ways } = this;
    taken.length = this.asked;
    this.asked = 0;
    while (taken.length > 0) {
      const last = taken.length - 1;
      const next = (taken[last] ?? 0) + 1;
      if (next < (ways[last] ?? 1)) {
        taken[last] = next;
        return true;
      }
      taken.pop();
    }
    return false;
  }
}
