/** What another thread needs to know of a scenario to explore it, as plain data. */
import type { MachineConfig } from '../kernel/config.js';
import { Layout, type LayoutData } from '../kernel/layout.js';
import type { Program } from '../litmus/program.js';
import { type Role, withStubs } from '../reduce/stubs.js';

/** What all explorations of one Runs are about. The text of the scenario is known to the thread. */
export interface Source {
  readonly machine: MachineConfig;
  /** Of a projection: by site. */
  readonly roles: readonly Role[] | null;
  readonly layout: LayoutData;
}

export interface Scene {
  readonly program: Program;
  readonly layout: Layout;
}

/** `written`: the scenario as compiled in this thread. */
export function sceneOf(written: Program, { machine, roles, layout: data }: Source): Scene {
  const whole = { ...written, machine };
  const program = roles === null ? whole : withStubs(whole, (site) => roles[site] ?? 'kept');
  const layout = new Layout(machine.pageSize, machine.lineSize);
  layout.restore(data);
  return { program, layout };
}
