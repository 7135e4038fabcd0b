/** What the explorations of a scenario took, for --stats. Leaves out: what they found. */
import { count, groupDigits } from '../base/text.js';
import type { BySetsFound } from '../explore/bfs.js';

/** Sums over explorations. */
export class Effort {
  /** Explorations on plain records, and on packed states by tables. */
  reference = 0;
  tables = 0;
  /** By tables too, in other threads. */
  others = 0;
  /** By tables, with other threads that joined in. */
  joined = 0;
  /** By tables, and by sets of states: each of these. */
  private readonly bySets: (BySetsFound & { readonly states: number })[] = [];
  /** Why others were not. */
  private readonly notBySets = new Set<string>();
  /** Answers of the reference engine that the tables are made of. */
  leaves = 0;
  states = 0;
  seconds = 0;
  /** Lines looked at for environment steps, over all states, and those that needed none. */
  private looks = 0;
  private still = 0;
  /** Threads can wait for ever, so that some explorations were made with all of them. */
  waits = false;

  /** Adds what was left out in one exploration; null: nothing was to be. */
  environment(decided: { readonly asked: number; readonly leftOut: number } | null): void {
    this.looks += decided?.asked ?? 0;
    this.still += decided?.leftOut ?? 0;
  }

  /** Adds how one exploration was made, or why not so. */
  sets(found: {
    readonly states: number;
    readonly bySets?: BySetsFound;
    readonly notBySets?: string;
  }): void {
    const { bySets, notBySets = '', states } = found;
    if (bySets !== undefined) this.bySets.push({ ...bySets, states });
    if (notBySets !== '') this.notBySets.add(notBySets);
  }

  add(other: Effort): void {
    this.bySets.push(...other.bySets);
    for (const why of other.notBySets) this.notBySets.add(why);
    this.reference += other.reference;
    this.tables += other.tables;
    this.others += other.others;
    this.joined += other.joined;
    this.leaves += other.leaves;
    this.states += other.states;
    this.seconds += other.seconds;
    this.looks += other.looks;
    this.still += other.still;
    this.waits ||= other.waits;
  }

  /** A line for each engine, with why it was chosen, and one for the rate. */
  lines(
    chosen: 'reference' | 'fast',
    tablesFrom: number,
    por: boolean,
  ): readonly string[] {
    const { reference, others, joined, leaves, states, seconds } = this;
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
    if (joined > 0) lines.push(`by several threads together: ${joined} of these`);
    lines.push(...this.setsLines());
    return [...lines, ...this.environmentLines(chosen, por)];
  }

  private setsLines(): readonly string[] {
    const { bySets, notBySets } = this;
    const sum = (of: 'states' | 'points' | 'again'): number =>
      bySets.reduce((total, each) => total + each[of], 0);
    const largest = bySets.reduce((most, each) => Math.max(most, each.largest), 0);
    const lines = [...notBySets].map((why) => `not by sets of states: ${why}`);
    if (bySets.length === 0) return lines;
    const again = sum('again') > 0 ? `, ${groupDigits(sum('again'))} taken up again` : '';
    return [
      `by sets of states: ${bySets.length} of these, with all evictions and fills: ` +
        `${count(sum('states'), 'state')} at ${count(sum('points'), 'control point')} ` +
        `(${groupDigits(largest)} at most${again})`,
      ...lines,
    ];
  }

  private environmentLines(chosen: 'reference' | 'fast', por: boolean): readonly string[] {
    if (!por) return ['evictions and fills: all, as asked'];
    if (chosen === 'reference') {
      return ['evictions and fills: all (the reference engine reduces nothing)'];
    }
    const { looks, still } = this;
    const all = 'threads may wait for ever, whose loops are looked at with all of them';
    return [
      ...(looks > 0
        ? [`evictions and fills: none in ${groupDigits(still)} of ${count(looks, 'case')}`]
        : []),
      ...(this.waits ? [`evictions and fills: all in some explorations (${all})`] : []),
    ];
  }
}
