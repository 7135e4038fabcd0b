/**
 * What each site of a scenario does in a projection. Most sites do nothing to most lines: what they
 * do there is found out once, and of a group of lines only the sites are looked at that do
 * something to it.
 * Leaves out: what becomes of a site that does nothing to the lines that are shown (stubs.ts).
 */
import type { Instruction, Program } from '../litmus/program.js';
import { Sites } from '../system/sites.js';
import type { Analysis, DataLine } from './analysis.js';
import type { Role } from './stubs.js';
import type { LineKey } from './words.js';

/** Helpers that maintain a range and complete it, and do nothing else. */
const HELPERS: readonly string[] = [
  'dcache_clean_poc',
  'dcache_inval_poc',
  'dcache_clean_inval_poc',
];

const NO_KEYS: readonly LineKey[] = [];

export class Roles {
  /** By site, where no line is shown. */
  private readonly idle: readonly Role[];
  /** By line: the sites that access or maintain it, in order. */
  private readonly own = new Map<LineKey, number[]>();

  constructor(
    program: Program,
    private readonly analysis: Analysis,
  ) {
    const sites = Sites.of(program);
    const code = sites.threads.flatMap((thread) => thread.code);
    this.idle = code.map((instruction, site) => this.idleRole(instruction, site));
    code.forEach((_, site) => {
      const accessed = analysis.sites.get(site)?.keys ?? NO_KEYS;
      const maintained = analysis.maintained.get(site) ?? NO_KEYS;
      for (const key of accessed) this.add(key, site);
      for (const key of maintained) this.add(key, site);
    });
  }

  /** Sites come in order; one may have several to do with a line. */
  private add(key: LineKey, site: number): void {
    const known = this.own.get(key);
    if (known === undefined) this.own.set(key, [site]);
    else if (known.at(-1) !== site) known.push(site);
  }

  private idleRole(instruction: Instruction, site: number): Role {
    const { sites, maintained } = this.analysis;
    const found = sites.get(site);
    if (found !== undefined && isSingle(instruction)) return found.quiet ? 'hidden' : 'kept';
    const lines = maintained.get(site);
    return lines !== undefined && lines.length > 0 && isHelper(instruction) ? 'dsb' : 'kept';
  }

  /** By site, in the projection on a group of lines. */
  on(group: readonly DataLine[]): readonly Role[] {
    const roles = this.idle.slice();
    for (const line of group) for (const site of this.about(line)) roles[site] = 'kept';
    return roles;
  }

  /** The sites that do something to a line, in order. */
  about({ key }: DataLine): readonly number[] {
    return this.own.get(key) ?? [];
  }
}

export function isHelper(instruction: Instruction): boolean {
  return instruction.op === 'call' && HELPERS.includes(instruction.operation.name);
}

/** It accesses one word, and does nothing else. */
export function isSingle(instruction: Instruction): boolean {
  if (instruction.op === 'load' || instruction.op === 'store') return true;
  if (instruction.op !== 'call') return false;
  return ['dma_read', 'dma_write'].includes(instruction.operation.name);
}
