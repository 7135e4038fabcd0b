/**
 * Numbers every instruction of a scenario. A site is the identity of what a call makes, the place
 * of a finding, and the way back to the source line.
 */

import type { Instruction, Program, ThreadCode } from '../litmus/program.js';
import { delayableLoads } from './delayed.js';

export interface Site {
  readonly thread: number;
  readonly pc: number;
  readonly instruction: Instruction;
}

export class Sites {
  /** Thread 0 is `init`, then the others in file order. */
  readonly threads: readonly ThreadCode[];
  /** Per thread, the loads that later stores may overtake (M8). */
  readonly delayable: readonly ReadonlySet<number>[];
  /** Devices whose memory the scenario asks for. */
  readonly barDevices: readonly number[];
  /** Devices whose writes do not arrive at once (M10). */
  readonly posting: ReadonlySet<number>;
  private readonly base: number[] = [];
  private readonly all: Site[] = [];

  constructor(program: Program) {
    this.threads = [program.init, ...program.threads];
    this.delayable = delayableLoads(this.threads);
    this.barDevices = barDevices(this.threads);
    this.posting = posting(program);
    this.threads.forEach((thread, index) => {
      this.base.push(this.all.length);
      thread.code.forEach((instruction, pc) => {
        this.all.push({ thread: index, pc, instruction });
      });
    });
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
