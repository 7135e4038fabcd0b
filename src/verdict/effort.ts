/** What the explorations of a scenario took, for --stats. Leaves out: what they found. */
import { count, groupDigits } from '../base/text.js';

/** Sums over explorations. */
export class Effort {
  /** Explorations on plain records, and on packed states by tables. */
  reference = 0;
  tables = 0;
  /** By tables too, in other threads. */
  others = 0;
  /** Answers of the reference engine that the tables are made of. */
  leaves = 0;
  states = 0;
  seconds = 0;

  add(other: Effort): void {
    this.reference += other.reference;
    this.tables += other.tables;
    this.others += other.others;
    this.leaves += other.leaves;
    this.states += other.states;
    this.seconds += other.seconds;
  }

  /** A line for each engine, with why it was chosen, and one for the rate. */
  lines(chosen: 'reference' | 'fast', tablesFrom: number): readonly string[] {
    const { reference, others, leaves, states, seconds } = this;
    const tables = this.tables + others;
    const why =
      chosen === 'reference'
        ? 'as asked'
        : `tables do not pay up to ${groupDigits(tablesFrom)} states`;
    const rate = seconds > 0 ? ` at ${groupDigits(Math.round(states / seconds))}/s` : '';
    const lines = [`${count(reference + tables, 'exploration')}, ${count(states, 'state')}${rate}`];
    if (reference > 0) lines.push(`by the reference engine: ${reference} (${why})`);
    if (tables > 0) {
      lines.push(`on packed states by tables: ${tables} (tables of ${count(leaves, 'answer')})`);
    }
    if (others > 0) lines.push(`in other threads: ${others} of these`);
    return lines;
  }
}
