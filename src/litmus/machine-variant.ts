/**
 * A scenario on another machine, out of its program on the machine as written: the settings of a
 * matrix change the machine block alone, so that nothing else need be compiled again.
 * Leaves out: places of what stands behind the block in its last line; and all that is not clearly
 * such a change, which `compile` has to look at.
 */
import { DiagnosticCollector } from '../diagnostics/collector.js';
import { lex } from './lexer.js';
import { buildMachine } from './machine-config.js';
import { parse } from './parser.js';
import type { MachineConfig, Program } from './program.js';

/**
 * The program of a text that is another one's but for its machine block; null where it is not, or
 * where its machine has other devices or overrides, or anything that `compile` would speak of.
 */
export function machineVariant(like: Program, text: string, file: string): Program | null {
  const block = blockOf(like.text);
  if (block === null || !onlyWithin(block, like.text, text)) return null;
  const machine = machineOf(text.slice(block.from, block.to + text.length - like.text.length));
  if (machine === null || !isAlike(machine, like.machine)) return null;
  return { ...like, file, text, machine };
}

interface Block {
  readonly from: number;
  /** Behind its last brace. */
  readonly to: number;
}

/** The machine block as `civac fmt` lays it out: it begins and ends in the first column. */
function blockOf(text: string): Block | null {
  const from = text.search(/^machine\s+\w+\s*\{$/mu);
  const last = from < 0 ? -1 : text.indexOf('\n}', from);
  // In such a comment there may be one, too.
  if (last < 0 || text.includes('/*')) return null;
  return { from, to: last + 2 };
}

function onlyWithin({ from, to }: Block, old: string, now: string): boolean {
  if (now.length < from + old.length - to) return false;
  return now.startsWith(old.slice(0, from)) && now.endsWith(old.slice(to));
}

function machineOf(block: string): MachineConfig | null {
  const diagnostics = new DiagnosticCollector();
  const tree = parse(lex(block, diagnostics).tokens, diagnostics);
  const [first, ...more] = tree.items;
  if (first?.kind !== 'machine' || more.length > 0) return null;
  const machine = buildMachine(tree, diagnostics);
  return diagnostics.list().length > 0 ? null : machine;
}

/** All of a machine that the rest of a text is compiled by. */
function isAlike(one: MachineConfig, other: MachineConfig): boolean {
  const told = ({ profile, devices, overrides, pageSize }: MachineConfig): string =>
    JSON.stringify([profile, devices.map(({ name }) => name), Object.keys(overrides), pageSize]);
  return told(one) === told(other);
}
