/**
 * The reference page of the language, as Markdown, made from the same tables the compiler uses:
 * operations, constants, types, settings, diagnostics.
 */
import { type DiagnosticCode, diagnosticCodes } from '../diagnostics/codes.js';
import { constants } from '../kernel/constants.js';
import { allOperations, type Family, type Operation } from '../kernel/registry.js';
import { type EventKind, eventSignature, events } from './events.js';
import { builtins } from './lower-builtin.js';
import { deviceSettings, machineSettings } from './machine-settings.js';
import { spellingHead, spellings } from './spellings.js';
import { describeKind, describeType, typeNames, typeOf } from './types.js';
import { operationPage } from './words.js';

const families: readonly Family[] = [
  'pages',
  'shmem and swap',
  'user memory',
  'GEM',
  'CPU mappings',
  'cache helpers',
  'DMA mapping API',
  'IOMMU API',
  'dma-buf',
  'videobuf2',
  'page_pool',
  'device',
  'ordering',
  'threads',
];

export function operationsReference(): string {
  return [
    '# Reference of the scenario language',
    'Generated from the tables that the compiler uses: do not edit. An argument in `[ ]` may be' +
      ' left out, one with `&` receives a result.',
    '## The machine block',
    table(
      ['setting', 'meaning'],
      [...machineSettings].map(([name, doc]) => [`\`.${name}\``, doc]),
    ),
    'Inside `device NAME { … };`:',
    table(
      ['setting', 'meaning'],
      [...deviceSettings].map(([name, doc]) => [`\`.${name}\``, doc]),
    ),
    '## Types',
    table(['type', 'what it holds'], typeRows()),
    'Integers are unsigned throughout; arithmetic is 32 bits wide unless an operand has 64.',
    '## Part of the language',
    table(['call', 'meaning'], builtinRows()),
    'Other names of what is there, as Linux has them; an empty cell is a call that does nothing' +
      ' here. `pdev->dev`, `sgt->sgl` and `bo->base` are the device, the table and the object.',
    table(
      ['call', 'stands for', 'source'],
      [...spellings()].map((each) => [
        `\`${spellingHead(each)}\``,
        each.body === '' ? '' : `\`${each.body}\``,
        each.source,
      ]),
    ),
    '## Operations',
    ...families.flatMap(familySection),
    '## Events',
    'What a use case raises and a design answers ([compare.md](compare.md)). Every event begins' +
      ' with the buffer, the device it is for, and its size in bytes.',
    table(
      ['event', 'when', 'counts as', 'an answer'],
      events.map((each) => [
        `\`${eventSignature(each)}\``,
        each.doc,
        each.phase === 'frame' ? 'per frame' : 'per life',
        answerText(each),
      ]),
    ),
    '## Constants',
    table(['name', 'kind', 'meaning'], constantRows()),
    '## Errors',
    table(
      ['code', 'meaning'],
      Object.keys(diagnosticCodes).map((code) => [
        `\`${code}\``,
        isCode(code) ? diagnosticCodes[code] : '',
      ]),
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

function isCode(code: string): code is DiagnosticCode {
  return code in diagnosticCodes;
}

function familySection(family: Family): readonly string[] {
  const operations = allOperations().filter((operation) => operation.family === family);
  if (operations.length === 0) return [];
  return [`### ${family}`, ...operations.map(operationEntry)];
}

function operationEntry(operation: Operation): string {
  const { title, meaning, parameters, facts, rules, source } = operationPage(operation);
  const cited = rules.length === 0 ? [] : [`rules ${rules.join(', ')}`];
  const parameter = ([name, text]: readonly [string, string]): string =>
    name.startsWith('.') ? `- \`${name}\` ${text}` : `- \`${name}\`: ${text}`;
  return [
    `#### \`${title}\``,
    `${meaning}.`,
    ...parameters.map(parameter),
    `- ${[...facts, ...cited].join('; ')}`,
    `- source: ${source}`,
  ]
    .join('\n')
    .replace('.\n- ', '.\n\n- ');
}

function builtinRows(): string[][] {
  const rows = [...builtins].map(([name, { params, doc }]) => [`\`${name}(${params})\``, doc]);
  return [...rows, ['`sizeof(type)`', 'bytes of an integer type or a pointer']];
}

function typeRows(): string[][] {
  const at = { line: 1, column: 1, length: 1 };
  return typeNames().flatMap((base) =>
    [0, 1].flatMap((pointers) => {
      const type = typeOf({ base, pointers, at });
      if (typeof type === 'string') return [];
      const bits = type.kind === 'int' ? ` of ${type.bits} bit${type.bits === 1 ? '' : 's'}` : '';
      return [[`\`${base}${pointers === 1 ? ' *' : ''}\``, `${describeType(type)}${bits}`]];
    }),
  );
}

function constantRows(): string[][] {
  return [...constants].map(([name, { kind, doc }]) => [`\`${name}\``, describeKind(kind), doc]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function answerText({ required, unanswered }: EventKind): string {
  if (required) return 'is needed';
  return unanswered === 'refused'
    ? 'may be missing: not possible'
    : 'may be missing: nothing to do';
}
