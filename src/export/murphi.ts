/**
 * An export model in Murphi, for Rumur: one rule for each case.
 * Leaves out: what the model means (model.ts).
 */
import { conditionText } from './condition-text.js';
import type { ExportModel, Option, Statement, Variable } from './model.js';
import { meaningLines } from './promela.js';

export interface MurphiStyle {
  readonly name: (variable: number) => string;
  readonly hazard: (hazard: number) => string;
}

export const condText = conditionText({ equals: '=', and: '&', or: '|', among });

function among(name: string, values: readonly number[]): string {
  const [first] = values;
  const last = values.at(-1);
  if (first === undefined || last === undefined) return 'false';
  if (values.length > 2 && last - first === values.length - 1) {
    return `${name} >= ${first} & ${name} <= ${last}`;
  }
  return values.map((value) => `${name} = ${value}`).join(' | ');
}

export function statementText(statement: Statement, style: MurphiStyle): string {
  switch (statement.kind) {
    case 'set':
      return `  ${style.name(statement.variable)} := ${statement.value};`;
    case 'copy':
      return `  ${style.name(statement.variable)} := ${style.name(statement.from)};`;
    case 'hazard':
      return `  ${style.hazard(statement.hazard)};`;
    case 'wrong':
      return '  error "civac and its own export disagree";';
    case 'if': {
      const list = (body: readonly Statement[]): string =>
        body.map((each) => `  ${statementText(each, style)}\n`).join('');
      const { cond, body, otherwise } = statement;
      const rest = otherwise.length > 0 ? `  else\n${list(otherwise)}` : '';
      return `  if ${condText(cond, style.name)} then\n${list(body)}${rest}  end;`;
    }
  }
}

/** In a string of Murphi, which is one of C's printf too. */
export function quoted(text: string): string {
  return text.replace(/[^ -~]/g, '?').replace(/["\\%]/g, "'");
}

/** `only`: a condition that comes on top of the option's own; '' for none. */
export function ruleText(option: Option, style: MurphiStyle, only: string, name: string): string {
  const own = condText(option.guard, style.name);
  const guard = only === '' ? own : `${only} & (${own})`;
  const body = option.body.map((each) => statementText(each, style));
  return [`rule "${quoted(name)}"`, `  ${guard}`, '==>', 'begin', ...body, 'end;'].join('\n');
}

function commented(line: string): string {
  return `-- ${line.replace(/[^\t -~]/g, '?')}`.trimEnd();
}

function declaration(variable: Variable): string {
  const comment = variable.comment === '' ? '' : ` ${commented(variable.comment)}`;
  const meaning = meaningLines(variable).map((line) => `  ${commented(line)}`);
  return [`  ${variable.name}: 0..${variable.size - 1};${comment}`, ...meaning].join('\n');
}

/** The whole file. */
export function murphi(model: ExportModel, head: readonly string[]): string {
  const name = (variable: number): string => model.variables[variable]?.name ?? '';
  const told = (hazard: number): string => quoted(model.hazards[hazard]?.text ?? '');
  const style: MurphiStyle = {
    name,
    hazard: (hazard) => `if stop_at_hazard then error "${told(hazard)}"; end`,
  };
  const only = model.running === null ? '' : 'running()';
  const running =
    model.running === null
      ? []
      : [
          '-- A run is over when everything has run to its end.',
          'function running(): boolean;',
          'begin',
          `  return ${condText(model.running, name)};`,
          'end;',
          '',
        ];
  return [
    ...head.map(commented),
    'const',
    '  stop_at_hazard: true; -- false: goes on, and counts every state',
    '',
    'var',
    ...model.variables.map(declaration),
    '',
    ...running,
    'startstate',
    'begin',
    ...model.variables.map((each) => `  ${each.name} := ${each.initial};`),
    'end;',
    '',
    ...model.agents.flatMap((agent) => [
      commented(agent.comment),
      ...agent.options.map(
        (option, i) =>
          `${ruleText(option, style, only, `${agent.name} ${i}: ${option.comment}`)}\n`,
      ),
    ]),
    ...model.forbidden.map(
      ({ cond, hazard }) =>
        `invariant "${told(hazard)}"\n  !stop_at_hazard | !(${condText(cond, name)});\n`,
    ),
  ].join('\n');
}
