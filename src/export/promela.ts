/**
 * An export model in Promela, for Spin: one process for each agent, one d_step for each case.
 * Leaves out: what the model means (model.ts).
 */
import {
  type Agent,
  type Cond,
  type ExportModel,
  type Option,
  type Statement,
  unread,
  type Variable,
} from './model.js';

/** How the parts of a model are written; a batch writes the hazards differently. */
export interface PromelaStyle {
  readonly name: (variable: number) => string;
  readonly hazard: (hazard: number) => string;
}

export function condText(cond: Cond, name: (variable: number) => string): string {
  switch (cond.kind) {
    case 'in':
      return among(name(cond.variable), cond.values);
    case 'same':
      return `${name(cond.a)} == ${name(cond.b)}`;
    case 'not':
      return `!(${condText(cond.part, name)})`;
    default: {
      const { kind, parts } = cond;
      if (parts.length === 0) return kind === 'and' ? 'true' : 'false';
      return parts
        .map((part) => bracketed(part, condText(part, name)))
        .join(kind === 'and' ? ' && ' : ' || ');
    }
  }
}

function bracketed(part: Cond, text: string): string {
  const several = (part.kind === 'and' || part.kind === 'or') && part.parts.length > 1;
  return several || (part.kind === 'in' && part.values.length > 1) ? `(${text})` : text;
}

/** Runs of values become ranges. */
function among(name: string, values: readonly number[]): string {
  if (values.length === 0) return 'false';
  const runs: [number, number][] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === value - 1) last[1] = value;
    else runs.push([value, value]);
  }
  return runs
    .flatMap(([from, to]) => {
      if (to - from < 2) {
        return Array.from({ length: to - from + 1 }, (_, i) => `${name} == ${from + i}`);
      }
      return [`(${name} >= ${from} && ${name} <= ${to})`];
    })
    .join(' || ');
}

function statementText(statement: Statement, style: PromelaStyle): string {
  switch (statement.kind) {
    case 'set':
      return `${style.name(statement.variable)} = ${statement.value}`;
    case 'copy':
      return `${style.name(statement.variable)} = ${style.name(statement.from)}`;
    case 'hazard':
      return style.hazard(statement.hazard);
    case 'wrong':
      return 'assert(false)';
    case 'if': {
      const list = (body: readonly Statement[]): string =>
        body.map((each) => statementText(each, style)).join('; ');
      const otherwise = statement.otherwise.length > 0 ? ` -> ${list(statement.otherwise)}` : '';
      const { cond, body } = statement;
      return `if :: ${condText(cond, style.name)} -> ${list(body)} :: else${otherwise} fi`;
    }
  }
}

/** `only`: a condition that comes on top of the option's own; '' for none. */
export function optionText(option: Option, style: PromelaStyle, only: string): string {
  const own = condText(option.guard, style.name);
  const guard = only === '' ? own : `${only} && ${option.guard.kind === 'or' ? `(${own})` : own}`;
  const body = option.body.map((each) => statementText(each, style)).join('; ');
  return `\t:: d_step { ${guard} -> ${body === '' ? 'skip' : body} }`;
}

function type(variable: Variable): string {
  if (variable.size <= 2) return 'bit';
  return variable.size <= 256 ? 'byte' : 'short';
}

function quoted(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll('/*', '/ *');
}

/** Longer texts of values are cut: they only help to read. */
const MEANING_MAX = 100;

export function meaningLines(variable: Variable): readonly string[] {
  return variable.meaning.map((text, value) => {
    const shown = text === '' ? 'nothing' : text;
    return `${value}: ${shown.length > MEANING_MAX ? `${shown.slice(0, MEANING_MAX)}...` : shown}`;
  });
}

function declaration(variable: Variable): string {
  const comment = variable.comment === '' ? '' : `\t/* ${quoted(variable.comment)} */`;
  const start = variable.initial === 0 ? '' : ` = ${variable.initial}`;
  const meaning = meaningLines(variable).map((line) => `\t/* ${quoted(line)} */`);
  return [`${type(variable)} ${variable.name}${start};${comment}`, ...meaning].join('\n');
}

function processText(agent: Agent, model: ExportModel, name: string, style: PromelaStyle): string {
  const options: string[] = [];
  let told = '';
  for (const option of agent.options) {
    if (option.comment !== told) options.push(`\t/* ${quoted(option.comment)} */`);
    told = option.comment;
    options.push(optionText(option, style, model.running === null ? '' : 'RUNNING'));
  }
  const body = options.length === 0 ? '\tfalse' : `end:\n\tdo\n${options.join('\n')}\n\tod`;
  return `/* ${quoted(agent.comment)} */\nactive proctype p_${name}() {\n${body}\n}`;
}

/** Spin leaves out of the state what nothing reads; here it is read, and nothing comes of it. */
export function readAll(model: ExportModel, name: (variable: number) => string): string {
  const sum = unread(model).map(name).join(' + ');
  return sum === '' ? '' : `\t:: d_step { ${sum} < 0 -> skip }`;
}

/** A process that goes nowhere: it reads what no step reads, and tells what no run may come to. */
function monitorText(model: ExportModel, style: PromelaStyle): readonly string[] {
  const forbidden = model.forbidden.map(({ cond, hazard }) =>
    optionText({ comment: '', guard: cond, body: [{ kind: 'hazard', hazard }] }, style, ''),
  );
  const reads = readAll(model, style.name);
  const options = [
    ...forbidden,
    ...(reads === '' ? [] : ['\t/* Never so: keeps in the state what no step reads. */', reads]),
  ];
  if (options.length === 0) return [];
  return ['active proctype p_monitor() {\nend:\n\tdo', ...options, '\tod\n}'];
}

/** The whole file. */
export function promela(model: ExportModel, head: readonly string[]): string {
  const name = (variable: number): string => model.variables[variable]?.name ?? '';
  const style: PromelaStyle = { name, hazard: (hazard) => `HAZARD_${hazard}` };
  const hazards = model.hazards.map(
    ({ text }, i) => `#define HAZARD_${i} assert(HAZARD)\t/* ${quoted(text)} */`,
  );
  const running =
    model.running === null ? [] : [`#define RUNNING (${condText(model.running, name)})`];
  return [
    `/*\n${head.map((line) => ` * ${quoted(line)}`.trimEnd()).join('\n')}\n */`,
    '#define HAZARD false',
    ...hazards,
    '',
    ...model.variables.map(declaration),
    '',
    ...running,
    '',
    ...model.agents.map((agent) => `${processText(agent, model, agent.name, style)}\n`),
    ...monitorText(model, style),
    '',
  ].join('\n');
}
