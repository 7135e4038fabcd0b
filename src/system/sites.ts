/**
 * Numbers every instruction of a scenario. A site is the identity of what a call makes, the place
 * of a finding, and the way back to the source line.
 */

import { room } from '../base/lists.js';
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
  private sites = 0;
  /** Made when somebody asks: a projection of a long thread stands at few of its instructions. */
  private readonly asked: (Site | undefined)[];
  private readonly answered: (boolean | undefined)[] = [];
  private readonly delayable = new Map<number, boolean>();

  constructor(program: Program) {
    this.profile = program.machine.profile;
    this.threads = [program.init, ...program.threads];
    this.barDevices = barDevices(this.threads);
    this.posting = posting(program);
    this.processors = program.machine.devices.flatMap((each, i) => (each.remoteproc ? [i] : []));
    for (const { code } of this.threads) {
      this.base.push(this.sites);
      this.sites += code.length;
    }
    this.asked = room(this.sites);
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
    return site < 0 ? undefined : (this.asked[site] ?? this.made(site));
  }

  private made(site: number): Site | undefined {
    if (site >= this.sites) return undefined;
    let thread = this.base.length - 1;
    while (thread > 0 && (this.base[thread] ?? 0) > site) thread--;
    const pc = site - (this.base[thread] ?? 0);
    const instruction = this.threads[thread]?.code[pc];
    if (instruction === undefined) return undefined;
    const made = { thread, pc, instruction };
    this.asked[site] = made;
    return made;
  }
}

function barDevices(threads: readonly ThreadCode[]): readonly number[] {
  const devices = new Set<number>();
  for (const { code } of threads) {
    for (const each of code) {
      if (each.op !== 'call' || each.operation.name !== 'pci_resource_start') continue;
      const [first] = each.args;
      if (first?.kind === 'value' && first.value.kind === 'device') devices.add(first.value.index);
    }
  }
  return [...devices].sort((a, b) => a - b);
}

/** Those that mark a write as relaxed, or whose interrupt may overtake. */
function posting({ machine, threads }: Program): ReadonlySet<number> {
  const relaxed = threads.filter(({ code }) =>
    code.some((each) => each.op === 'call' && (each.options.relaxed ?? 0) !== 0),
  );
  const unordered = machine.devices.flatMap((each, i) => (each.unorderedInterrupt ? [i] : []));
  return new Set([...relaxed.map(({ device }) => device), ...unordered]);
}
