/**
 * Numbers every instruction of a scenario. A site is the identity of what a call makes, the place
 * of a finding, and the way back to the source line.
 */

import type { Instruction, Program, ThreadCode } from '../litmus/program.js';
import { isAnswered, isOvertaken } from './delayed.js';

export interface Site {
  readonly thread: number;
  readonly pc: number;
  readonly instruction: Instruction;
}

const known = new WeakMap<Program, Sites>();

export class Sites {
  /** Thread 0 is `init`, then the others in file order. */
  readonly threads: readonly ThreadCode[];
  private readonly base: number[] = [];
  private readonly all: Site[] = [];
  private readonly answered: (boolean | undefined)[] = [];
  private readonly delayable = new Map<number, boolean>();

  constructor(program: Program) {
    this.threads = [program.init, ...program.threads];
    this.threads.forEach((thread, index) => {
      this.base.push(this.all.length);
      thread.code.forEach((instruction, pc) => {
        this.all.push({ thread: index, pc, instruction });
      });
    });
  }

  /** Those of a program, made once. */
  static of(program: Program): Sites {
    let found = known.get(program);
    if (found === undefined) {
      found = new Sites(program);
      known.set(program, found);
    }
    return found;
  }

  /** A load that later stores may overtake (M8); looked at when a thread first stands at it. */
  isDelayable(thread: number, pc: number): boolean {
    const code = this.threads[thread];
    if (code?.code[pc]?.op !== 'load') return false;
    this.answered[thread] ??= isAnswered(this.threads, thread);
    if (this.answered[thread] === false) return false;
    const site = this.of(thread, pc);
    let found = this.delayable.get(site);
    if (found === undefined) {
      found = isOvertaken(code, pc);
      this.delayable.set(site, found);
    }
    return found;
  }

  of(thread: number, pc: number): number {
    return (this.base[thread] ?? 0) + pc;
  }

  at(site: number): Site | undefined {
    return this.all[site];
  }
}
