/**
 * An export model in Promela, for Spin: one process for each agent, one d_step for each case.
 * Leaves out: what the model means (model.ts).
 */
import { bracketed, conditionText } from './condition-text.js';
import {
  type Agent,
  type ExportModel,
  type Option,
  type Statement,
  unread,
  type Variable,
} from './model.js';
import { Names } from './names.js';

/** How the parts of a model are written; a batch writes the hazards differently. */
export interface PromelaStyle {
  readonly name: (variable: number) => string;
  readonly hazard: (hazard: number) => string;
  /** Where a rule of the export and the explorer disagree. */
  readonly wrong: string;
}

export const condText = conditionText({ equals: '==', and: '&&', or: '||', among });

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

/** A statement as lines, the last one without its semicolon. */
function statementLines(statement: Statement, style: PromelaStyle): readonly string[] {
  switch (statement.kind) {
    case 'set':
      return [`${style.name(statement.variable)} = ${statement.value}`];
    case 'copy':
      return [`${style.name(statement.variable)} = ${style.name(statement.from)}`];
    case 'hazard':
      return [style.hazard(statement.hazard)];
    case 'wrong':
      return [style.wrong];
    case 'if': {
      const { cond, body, otherwise } = statement;
      const rest =
        otherwise.length === 0 ? [':: else'] : [':: else ->', ...inner(otherwise, style)];
      return ['if', `:: ${condText(cond, style.name)} ->`, ...inner(body, style), ...rest, 'fi'];
    }
  }
}

function inner(body: readonly Statement[], style: PromelaStyle): readonly string[] {
  return bodyLines(body, style).map((line) => `\t${line}`);
}

function bodyLines(body: readonly Statement[], style: PromelaStyle): readonly string[] {
  if (body.length === 0) return ['skip'];
  return body.flatMap((statement, i) => {
    const lines = statementLines(statement, style);
    const end = i < body.length - 1 ? ';' : '';
    return lines.map((line, at) => (at === lines.length - 1 ? line + end : line));
  });
}

/** Longer steps get a line for each statement. */
const LINE_MAX = 120;

/** `only`: a condition that comes on top of the option's own; '' for none. */
export function optionText(option: Option, style: PromelaStyle, only: string): string {
  const own = condText(option.guard, style.name);
  const also = option.guard.kind === 'and' ? own : bracketed(option.guard, own);
  const guard = only === '' ? own : `${only} && ${also}`;
  const lines = bodyLines(option.body, style);
  const short = `\t:: d_step { ${guard} -> ${lines.join(' ')} }`;
  if (short.length <= LINE_MAX) return short;
  const rest = lines.map((line) => `\t\t${line}`).join('\n');
  return `\t:: d_step { ${guard} ->\n${rest} }`;
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
  return `/* ${quoted(agent.comment)} */\nactive proctype ${name}() {\n${body}\n}`;
}

/** Spin leaves out of the state what nothing reads; here it is read, and nothing comes of it. */
export function readAll(model: ExportModel, name: (variable: number) => string): string {
  const sum = unread(model).map(name).join(' + ');
  return sum === '' ? '' : `\t:: d_step { ${sum} < 0 -> skip }`;
}

/** A process that goes nowhere: it reads what no step reads, and tells what no run may come to. */
function monitorText(model: ExportModel, style: PromelaStyle, process: string): readonly string[] {
  const forbidden = model.forbidden.map(({ cond, hazard }) =>
    optionText({ comment: '', guard: cond, body: [{ kind: 'hazard', hazard }] }, style, ''),
  );
  const reads = readAll(model, style.name);
  const options = [
    ...forbidden,
    ...(reads === '' ? [] : ['\t/* Never so: keeps in the state what no step reads. */', reads]),
  ];
  if (options.length === 0) return [];
  return [`active proctype ${process}() {\nend:\n\tdo`, ...options, '\tod\n}'];
}

/** The whole file. */
export function promela(model: ExportModel, head: readonly string[]): string {
  const name = (variable: number): string => model.variables[variable]?.name ?? '';
  const hazard = (each: number): string => `HAZARD_${each}`;
  const style: PromelaStyle = { name, hazard, wrong: 'WRONG' };
  const names = new Names();
  for (const variable of model.variables) names.take(variable.name);
  const hazards = model.hazards.map(
    ({ text }, i) => `#define HAZARD_${i} assert(HAZARD)\t/* ${quoted(text)} */`,
  );
  const running =
    model.running === null ? [] : [`#define RUNNING (${condText(model.running, name)})`];
  return [
    `/*\n${head.map((line) => ` * ${quoted(line)}`.trimEnd()).join('\n')}\n */`,
    '#define HAZARD false',
    '#define WRONG assert(false)\t/* a rule of this file and civac itself disagree */',
    ...hazards,
    '',
    ...model.variables.map(declaration),
    '',
    ...running,
    '',
    ...model.agents.map((agent) => {
      const process = names.take(`p_${agent.name}`);
      return `${processText(agent, model, process, style)}\n`;
    }),
    ...monitorText(model, style, names.take('p_monitor')),
    '',
  ].join('\n');
}
