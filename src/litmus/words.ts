/**
 * What one word of the language means, in parts: an operation, a part of the language, an event, a
 * setting of the machine block, a constant. The reference page and `civac explain` are made of
 * these, so that neither can say what the compiler does not do. Leaves out: types.
 */
import { constants } from '../kernel/constants.js';
import {
  allAliases,
  allOperations,
  findOperation,
  type Operation,
  type Param,
} from '../kernel/registry.js';
import { eventSignature, events } from './events.js';
import { builtins } from './lower-builtin.js';
import { signature } from './lower-call.js';
import { deviceSettings, machineSettings } from './machine-settings.js';
import { spellingHead, spellingOf, spellings } from './spellings.js';
import { describeKind } from './types.js';

export interface WordPage {
  /** As it is written: a signature, or the name. */
  readonly title: string;
  readonly meaning: string;
  /** Arguments and options, each with what it may be. */
  readonly parameters: readonly (readonly [name: string, text: string])[];
  /** What else holds of it; `rules` not among them. */
  readonly facts: readonly string[];
  /** Rules of model.md by number. */
  readonly rules: readonly string[];
  /** Kernel path and function, or null where the language itself is the source. */
  readonly source: string | null;
}

/** The page of a word, by its exact name; `()` behind it may stand. null: no such word. */
export function wordPage(name: string): WordPage | null {
  const word = name.replace(/\(\)?$/, '');
  const operation = findOperation(word);
  if (operation !== undefined) {
    const alias = allAliases().find((each) => each.name === word);
    const page = operationPage(operation, word);
    if (alias === undefined) return page;
    return { ...page, meaning: `as ${alias.to}(): ${page.meaning}`, source: alias.source };
  }
  const builtin = builtins.get(word);
  if (builtin !== undefined) {
    const facts = ['part of the language'];
    return plainPage(`${word}(${builtin.params})`, builtin.doc, facts);
  }
  const spelling = spellingOf(word);
  if (spelling !== null) {
    const meaning = spelling.body === '' ? 'does nothing here' : `stands for ${spelling.body}`;
    return { ...plainPage(spellingHead(spelling), meaning, []), source: spelling.source };
  }
  const event = events.find((each) => each.name === word);
  if (event !== undefined) {
    const facts = ['an event: a use case raises it, a design answers it'];
    return plainPage(eventSignature(event), event.doc, facts);
  }
  const constant = constants.get(word);
  if (constant !== undefined) return plainPage(word, constant.doc, [describeKind(constant.kind)]);
  return settingPage(word);
}

/** Every word that `wordPage` knows, settings with their dot. */
export function wordNames(): string[] {
  return [
    ...allOperations().map(({ name }) => name),
    ...allAliases().map(({ name }) => name),
    ...builtins.keys(),
    ...[...spellings()].map(({ name }) => name),
    ...events.map(({ name }) => name),
    ...constants.keys(),
    ...[...machineSettings.keys(), ...deviceSettings.keys()].map((name) => `.${name}`),
  ];
}

/** `name`: the one of its names that was asked for. */
export function operationPage(operation: Operation, name = operation.name): WordPage {
  const { doc, source, rules, params, options = [] } = operation;
  const returns = operation.returns === 'void' ? 'nothing' : describeKind(operation.returns);
  const facts = [
    `returns ${returns}`,
    operation.where === 'device' ? 'device threads only' : null,
    operation.profiles === undefined ? null : `only on ${operation.profiles.join(' and ')}`,
    aliasText(operation, name),
    operation.fails === undefined ? null : failureText(operation.fails.returns),
    operation.blocks === true ? 'may wait' : null,
    operation.removable === undefined ? null : 'a sync or barrier: `Without` may name it',
  ].filter((fact) => fact !== null);
  const parameters = [
    ...params.map((param) => [param.name, parameterText(param)] as const),
    ...options.map(({ name, kind, doc: text }) => [`.${name}`, `(${kind}): ${text}`] as const),
  ];
  const title = signature({ ...operation, name });
  return { title, meaning: doc, parameters, facts, rules, source };
}

/** Its other names in Linux. */
function aliasText({ name }: Operation, asked: string): string | null {
  const all = [name, ...allAliases().flatMap((each) => (each.to === name ? [each.name] : []))];
  const others = all.filter((each) => each !== asked);
  return others.length === 0 ? null : `also ${others.map((each) => `\`${each}()\``).join(', ')}`;
}

/** What `.allocation_may_fail` makes it return. */
function failureText(value: number): string {
  return `${value === 0 ? 'NULL' : '-ENOMEM, or ERR_PTR(-ENOMEM),'} where memory may run out`;
}

function parameterText(param: Param): string {
  const kinds = param.kinds.map(describeKind).join(' or ');
  const extra =
    param.out === true ? ', written by the call' : param.optional === true ? ', optional' : '';
  return `${kinds}${extra}`;
}

function plainPage(title: string, meaning: string, facts: readonly string[]): WordPage {
  return { title, meaning, parameters: [], facts, rules: [], source: null };
}

function settingPage(word: string): WordPage | null {
  if (!word.startsWith('.')) return null;
  const name = word.slice(1);
  const ofMachine = machineSettings.get(name);
  const ofDevice = deviceSettings.get(name);
  const doc = ofMachine ?? ofDevice;
  if (doc === undefined) return null;
  const place = ofMachine !== undefined ? 'the machine block' : '`device NAME { … };`';
  return plainPage(word, doc, [`a setting of ${place}`]);
}
