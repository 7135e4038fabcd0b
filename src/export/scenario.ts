/**
 * A scenario as an export model. It is explored completely with every liberty of its machine, by
 * the tables of the fast engine; the trees that this leaves behind are written out.
 * Leaves out: H12 and H13, which no single step shows (docs/export.md).
 */
import { exploreTables } from '../fast/explore.js';
import { Tables } from '../fast/tables.js';
import type { Node } from '../fast/tree.js';
import type { RawFinding } from '../kernel/context.js';
import type { Condition, Program } from '../litmus/program.js';
import { type Group, System } from '../system/system.js';
import { compare } from '../verdict/assertions.js';
import { libertiesOf, withWords } from '../verdict/check.js';
import { Facts } from '../verdict/recorder.js';
import { bodyOf, type Case, casesOf, guardOf, type Leaf } from './cases.js';
import { Encoding } from './encode.js';
import { Guards } from './guards.js';
import {
  type Agent,
  always,
  and,
  type Cond,
  type ExportModel,
  type Hazard,
  never,
  type Option,
  or,
  type Variable,
} from './model.js';
import { Names } from './names.js';
import { Rules, without } from './rules.js';
import { simplified } from './simplify.js';

export interface ExportLimits {
  readonly maxStates: number;
  readonly maxSeconds: number;
  readonly maxMemoryBytes: number;
  /** Wall clock in seconds. */
  readonly now: () => number;
}

/** A scenario that is not exported, and why: no part of it is written. */
export class NotExportable extends Error {}

/** The model of a scenario. Throws ScenarioFault as `check` does, and NotExportable. */
export function exportScenario(program: Program, limits: ExportLimits): ExportModel {
  return withWords(program, (layout) => {
    const facts = new Facts();
    const system = new System(program, layout, new Set(libertiesOf(program)), facts);
    const tables = new Tables(program, layout, facts);
    const { states, transitions } = complete(tables, system, limits);
    // Groups that were met late were never asked about the states before: ask now, so that the
    // trees say of every state what every group does in it.
    complete(tables, system, limits);
    return new Exporter(program, system, tables).model(states, transitions);
  });
}

/** Explores to the end: trees that have not seen every state are no export. */
function complete(
  tables: Tables,
  system: System,
  limits: ExportLimits,
): { states: number; transitions: number } {
  const { stopped, ...counts } = exploreTables(tables, system, { limits, now: limits.now });
  if (stopped !== null) throw new NotExportable(`exploring it hit the limit of ${stopped}`);
  return counts;
}

class Exporter {
  private readonly encoding: Encoding;
  private readonly guards: Guards;
  private readonly rules: Rules;
  private readonly hazards: Hazard[] = [];
  private readonly lines: readonly string[];

  constructor(
    private readonly program: Program,
    private readonly system: System,
    private readonly tables: Tables,
  ) {
    const { names } = tables.parts;
    this.encoding = new Encoding(
      names.map((_, component) => tables.local(component).data),
      (component) => !/^(thread|line) /.test(names[component] ?? ''),
      (component) => names[component]?.startsWith('line ') ?? false,
    );
    this.guards = new Guards(this.encoding);
    this.rules = new Rules(system, tables, this.encoding, this.guards);
    this.lines = program.text.split('\n');
  }

  model(states: number, transitions: number): ExportModel {
    const complete = this.complete();
    const agents = this.agents();
    const forbidden = this.forbidden(complete);
    return {
      name: this.program.file,
      head: this.program.text.trimEnd().split('\n'),
      variables: this.variables(),
      running: { kind: 'not', part: complete },
      agents,
      hazards: this.hazards,
      forbidden,
      states,
      transitions,
    };
  }

  private complete(): Cond {
    const cases = casesOf(this.encoding, this.leaves(this.tables.ends.root));
    return or(cases.map((each) => this.guard(each)));
  }

  private guard(each: Case): Cond {
    const { names } = this.tables.parts;
    // Where a thread stands decides most, so it is asked first.
    const rank = (component: number): number => {
      const name = names[component] ?? '';
      if (/^thread \d+ 0$/.test(name)) return 0;
      return name.startsWith('line') ? 2 : 1;
    };
    return guardOf(this.guards, each, rank);
  }

  private leaves(root: Node | undefined): readonly Leaf[] {
    const found: Leaf[] = [];
    const walk = (node: Node | undefined, guards: Leaf['guards']): void => {
      if (node === undefined) return;
      if (node.look === null) {
        const steps = node.steps.map(({ components, ids, findings }) => ({
          sets: new Map(components.map((component, i) => [component, ids[i] ?? 0])),
          hazards: findings.map((each) => this.hazard(each)),
        }));
        found.push({ guards, steps });
        return;
      }
      const { component, branches } = node.look;
      node.next.forEach((next, branch) => {
        const known = guards.get(component);
        const ids = branches.flatMap((to, id) =>
          to === branch && (known?.has(id) ?? true) ? [id] : [],
        );
        walk(next, new Map([...guards, [component, new Set(ids)]]));
      });
    };
    walk(root, new Map());
    return found;
  }

  private hazard(finding: RawFinding): number {
    const key = this.system.name(finding);
    const known = this.hazards.findIndex((each) => each.key === key);
    if (known >= 0) return known;
    const at = this.system.sites.at(finding.site)?.instruction.at;
    const agent = this.system.sites.threads[finding.agent]?.name ?? 'the machine';
    const where = at === undefined ? '' : `, line ${at.line}`;
    return (
      this.hazards.push({ id: finding.id, key, text: `${finding.id} in ${agent}${where}` }) - 1
    );
  }

  private agents(): readonly Agent[] {
    const { threads } = this.system.sites;
    const of = new Map<string, Option[]>();
    for (const { group, root } of this.tables.tables) {
      if (group === null) continue;
      const name = agentOf(group, threads);
      const options = of.get(name) ?? [];
      of.set(name, options);
      options.push(...simplified(this.options(group, root)));
    }
    return [...of].map(([name, options]) => ({
      name,
      comment: agentComment(name),
      options,
    }));
  }

  /** The steps of a group: by rule where there is one, else out of the tree. */
  private options(group: Group, root: Node | undefined): readonly Option[] {
    const { kind, agent, at } = group;
    const leaves = this.leaves(root);
    if (kind === 'cache') return this.rules.cache(agent, at) ?? this.tabulated(group, leaves);
    if (kind !== 'drain') return this.tabulated(group, leaves);
    const buffer = this.tables.parts.component(`thread ${agent} 2`);
    const rest = without(leaves, buffer, this.rules.ruled(agent, at));
    return [...this.rules.drains(agent, at), ...this.tabulated(group, rest)];
  }

  private tabulated(group: Group, leaves: readonly Leaf[]): readonly Option[] {
    return casesOf(this.encoding, leaves).flatMap((each) => {
      const comment = this.commentOf(group, each);
      const guard = this.guard(each);
      return each.steps.map((step): Option => ({ comment, guard, body: bodyOf(step) }));
    });
  }

  private commentOf(group: Group, each: Case): string {
    const { kind, agent, at } = group;
    if (kind === 'cache') return `line ${at} of frame ${agent}`;
    if (kind === 'posted') return `a write on its way to device ${agent} arrives`;
    if (kind === 'fetch') return `the cache of device ${agent} fetches line ${at}`;
    if (kind === 'drain') return `entry ${at} of the buffer leaves`;
    const code = this.system.sites.threads[agent]?.code ?? [];
    if (kind === 'early') return `before its turn, ${this.source(code[at]?.at.line)}`;
    const component = this.tables.parts.component(`thread ${agent} 0`);
    const places = [...(each.guards.get(component) ?? [])].map((id) => {
      const data = this.tables.local(component).data[id];
      const { pc, site } = placeOf(data);
      const instruction = site >= 0 ? this.system.sites.at(site)?.instruction : code[pc];
      return this.source(instruction?.at.line);
    });
    return [...new Set(places)].slice(0, 2).join('; ');
  }

  /** `12: submit(nic);` */
  private source(line: number | undefined): string {
    return line === undefined ? '' : `${line}: ${this.lines[line - 1]?.trim() ?? ''}`;
  }

  private variables(): readonly Variable[] {
    const names = new Names();
    const initial = new Map(
      this.tables.initial.map(([component, text]) => [
        component,
        this.tables.local(component).id(text),
      ]),
    );
    return this.encoding.variables.map(({ component, path, size, meaning }, v): Variable => {
      const { name, comment } = this.named(component, path);
      const first = this.encoding.value(v, initial.get(component) ?? 0);
      return { name: names.take(name), size, meaning, comment, initial: first };
    });
  }

  private named(component: number, path: string): { name: string; comment: string } {
    const name = this.tables.parts.names[component] ?? '';
    const [kind = '', index = '', part = ''] = name.split(' ');
    const [field = '', at = ''] = path.split('.');
    if (kind === 'word') return { name: `ideal ${index}`, comment: this.cellName(Number(index)) };
    if (kind === 'line') return { name: `line ${index} ${part} ${field}${at}`, comment: '' };
    if (kind !== 'thread') return { name, comment: '' };
    const code = this.system.sites.threads[Number(index)];
    const thread = code?.name ?? 'thread';
    const local = field === 'locals' ? (code?.locals[Number(at)] ?? `local ${at}`) : undefined;
    if (local !== undefined) return { name: `${thread} ${local}`, comment: '' };
    return { name: `${thread} ${field}${at}`, comment: '' };
  }

  private cellName(id: number): string {
    const cell = this.system.layout.cells[id];
    if (cell === undefined) return '';
    const byte = cell.page * this.program.machine.pageSize + cell.offset;
    return `writes to ${this.system.bufferName(cell.buffer)}+0x${byte.toString(16)} still readable`;
  }

  private forbidden(complete: Cond): ExportModel['forbidden'] {
    return this.program.assertions.flatMap(({ kind, condition, at }) => {
      if (kind === 'exists') return [];
      const text = `${kind}, line ${at.line}`;
      const hazard = this.hazards.push({ id: 'assertion', key: text, text }) - 1;
      const holds = this.condOf(condition);
      const breach: Cond = kind === 'always' ? { kind: 'not', part: holds } : holds;
      return [{ cond: and([complete, breach]), hazard }];
    });
  }

  private condOf(condition: Condition): Cond {
    switch (condition.kind) {
      case 'and':
        return and([this.condOf(condition.left), this.condOf(condition.right)]);
      case 'or':
        return or([this.condOf(condition.left), this.condOf(condition.right)]);
      case 'not':
        return { kind: 'not', part: this.condOf(condition.operand) };
      default:
        return this.comparison(condition);
    }
  }

  private comparison(condition: Extract<Condition, { kind: 'compare' }>): Cond {
    const component = this.tables.parts.component(`thread ${condition.thread + 1} 0`);
    const path = `locals.${condition.local}`;
    const variable = this.encoding.variables.findIndex(
      (each) => each.component === component && each.path === path,
    );
    const right = (text: string): boolean => {
      const value: unknown = text === '' ? null : JSON.parse(text);
      return typeof value === 'number' && compare(condition.operator, value, condition.value);
    };
    if (variable < 0) {
      const data = this.tables.local(component).data[0];
      return right(localText(data, condition.local)) ? always : never;
    }
    const { size, meaning } = this.encoding.variables[variable] ?? { size: 0, meaning: [] };
    const values = Array.from({ length: size }, (_, value) => value).filter((value) =>
      right(meaning[value] ?? String(value)),
    );
    return { kind: 'in', variable, values };
  }
}

function fieldOf(data: unknown, field: string): unknown {
  return typeof data === 'object' && data !== null ? Reflect.get(data, field) : undefined;
}

function placeOf(data: unknown): { pc: number; site: number } {
  return { pc: Number(fieldOf(data, 'pc') ?? -1), site: Number(fieldOf(data, 'site') ?? -1) };
}

function localText(data: unknown, local: number): string {
  const locals = fieldOf(data, 'locals');
  return Array.isArray(locals) ? (JSON.stringify(locals[local]) ?? '') : '';
}

/** The process that takes a group's steps. */
function agentOf({ kind, agent }: Group, threads: readonly { readonly name: string }[]): string {
  if (kind === 'cache') return 'cache';
  if (kind === 'fetch') return 'caches';
  return kind === 'posted' ? 'fabric' : (threads[agent]?.name ?? 'thread');
}

function agentComment(name: string): string {
  if (name === 'cache') return 'What lines do by themselves (M3, M4).';
  if (name === 'caches') return 'Fetches of processors in other shareability domains (M4).';
  if (name === 'fabric') return 'Writes on their way to devices (M7).';
  return `Thread ${name} and its buffer.`;
}
