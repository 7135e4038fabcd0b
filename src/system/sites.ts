/**
 * Numbers every instruction of a scenario. A site is the identity of what a call makes, the place
 * of a finding, and the way back to the source line.
 */

import type { Instruction, Program, ThreadCode } from '../litmus/program.js';
import type { ProfileName } from '../machine/profile.js';
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
  /** Devices whose memory the scenario asks for. */
  readonly barDevices: readonly number[];
  /** Processors outside the CPUs' shareability domain. */
  readonly processors: readonly number[];
  /** Devices whose writes do not arrive at once (M10). */
  readonly posting: ReadonlySet<number>;
  private readonly profile: ProfileName;
  private readonly base: number[] = [];
  private readonly all: Site[] = [];
  private readonly answered: (boolean | undefined)[] = [];
  private readonly delayable = new Map<number, boolean>();

  constructor(program: Program) {
    this.profile = program.machine.profile;
    this.threads = [program.init, ...program.threads];
    this.barDevices = barDevices(this.threads);
    this.posting = posting(program);
    this.processors = program.machine.devices.flatMap((each, i) => (each.remoteproc ? [i] : []));
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
      found = isOvertaken(code, pc, this.profile);
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

function barDevices(threads: readonly ThreadCode[]): readonly number[] {
  const devices = threads.flatMap(({ code }) =>
    code.flatMap((each) => {
      if (each.op !== 'call' || each.operation.name !== 'pci_resource_start') return [];
      const [first] = each.args;
      return first?.kind === 'value' && first.value.kind === 'device' ? [first.value.index] : [];
    }),
  );
  return [...new Set(devices)].sort((a, b) => a - b);
}

/** Those that mark a write as relaxed, or whose interrupt may overtake. */
function posting({ machine, threads }: Program): ReadonlySet<number> {
  const relaxed = threads.filter(({ code }) =>
    code.some((each) => each.op === 'call' && (each.options.relaxed ?? 0) !== 0),
  );
  const unordered = machine.devices.flatMap((each, i) => (each.unorderedInterrupt ? [i] : []));
  return new Set([...relaxed.map(({ device }) => device), ...unordered]);
}
