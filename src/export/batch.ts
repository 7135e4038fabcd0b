/**
 * Many models in one source, so that one compilation serves all: a variable says which model it
 * is, the models share the others. What a checker says of each can be told apart: Spin's verifier
 * is run once for each model (CIVAC_MODEL in its environment, from 1) and prints `hit N` for a
 * hazard; Rumur's prints how many states each model has and which hazards it met.
 * Leaves out: comments and names; the exports of single scenarios have them.
 */
import type { ExportModel, Option } from './model.js';
import { condText as murphiCond, quoted, statementText as murphiStatement } from './murphi.js';
import { condText, optionText, readAll } from './promela.js';

const name = (variable: number): string => `v${variable}`;

/** The most values that the variable at an index has in any of the models. */
function sizes(models: readonly ExportModel[]): readonly number[] {
  const most = Math.max(0, ...models.map(({ variables }) => variables.length));
  return Array.from({ length: most }, (_, v) =>
    Math.max(2, ...models.map(({ variables }) => variables[v]?.size ?? 0)),
  );
}

function optionsOf(model: ExportModel): readonly Option[] {
  return model.agents.flatMap(({ options }) => options);
}

function promelaModel(model: ExportModel, index: number): readonly string[] {
  const which = `model == ${index + 1}`;
  const hazard = (each: number): string => `c_code { told(${each}); }`;
  const style = { name, hazard, wrong: 'assert(false)' };
  const start = model.variables.flatMap(({ initial }, v) =>
    initial === 0 ? [] : [`${name(v)} = ${initial}`],
  );
  const running = model.running === null ? '' : ` && (${condText(model.running, name)})`;
  const forbidden = model.forbidden.map(
    ({ cond, hazard }): Option => ({
      comment: '',
      guard: cond,
      body: [{ kind: 'hazard', hazard }],
    }),
  );
  const reads = readAll(model, name);
  return [
    `active proctype p${index}() {\nend:\n\tdo`,
    `\t:: d_step { model == 0 && c_expr { wanted == ${index + 1} } -> ` +
      `${[`model = ${index + 1}`, ...start].join('; ')} }`,
    ...optionsOf(model).map((option) => optionText(option, style, which + running)),
    ...forbidden.map((option) => optionText(option, style, which)),
    ...(reads === '' ? [] : [reads]),
    '\tod\n}',
  ];
}

/** One more state and transition than the model's: the choice of the model. */
export function promelaBatch(models: readonly ExportModel[]): string {
  const most = Math.max(0, ...models.map(({ hazards }) => hazards.length));
  return [
    'c_decl {',
    `static char hit[${most + 1}];`,
    'static void told(int n) { if (!hit[n]) printf("hit %d\\n", n); hit[n] = 1; }',
    'static int wanted;',
    '__attribute__((constructor)) static void start(void) {',
    '\twanted = atoi(getenv("CIVAC_MODEL"));',
    '}',
    '}',
    'byte model;',
    ...sizes(models).map((size, v) => `${size > 256 ? 'short' : 'byte'} ${name(v)};`),
    ...models.flatMap(promelaModel),
    '',
  ].join('\n');
}

function murphiModel(model: ExportModel, index: number): readonly string[] {
  const options = optionsOf(model);
  if (options.length === 0) return [];
  const style = {
    name,
    hazard: (hazard: number) => `cover true "hit ${index} ${hazard}"`,
  };
  const running = model.running === null ? 'true' : murphiCond(model.running, name);
  return [
    `type choice${index}: 0..${options.length - 1};`,
    `function may${index}(c: choice${index}): boolean;\nbegin`,
    `  if !(${running}) then return false; end;`,
    '  switch c',
    ...options.map(({ guard }, i) => `  case ${i}: return ${murphiCond(guard, name)};`),
    '  end;\n  return false;\nend;',
    `procedure take${index}(c: choice${index});\nbegin\n  switch c`,
    ...options.flatMap(({ body }, i) => [
      `  case ${i}:`,
      ...body.map((statement) => murphiStatement(statement, style)),
    ]),
    '  end;\nend;',
    `ruleset c: choice${index} do\nrule "model ${index}"`,
    `  model = ${index} & may${index}(c)\n==>\nbegin\n  take${index}(c);\nend;\nend;`,
  ];
}

export function murphiBatch(models: readonly ExportModel[]): string {
  const all = sizes(models);
  return [
    'var',
    `  model: 0..${models.length};`,
    ...all.map((size, v) => `  ${name(v)}: 0..${size - 1};`),
    ...models.flatMap(({ variables }, index) => [
      `startstate "${quoted(`model ${index}`)}"\nbegin\n  model := ${index};`,
      ...all.map((_, v) => `  ${name(v)} := ${variables[v]?.initial ?? 0};`),
      'end;',
    ]),
    ...models.flatMap(murphiModel),
    ...models.flatMap(({ forbidden }, index) => [
      `cover "states ${index}" model = ${index};`,
      ...forbidden.map(
        ({ cond, hazard }) =>
          `cover "hit ${index} ${hazard}" model = ${index} & (${murphiCond(cond, name)});`,
      ),
    ]),
    '',
  ].join('\n');
}
