/**
 * `explain dma_sync_single_for_cpu` and `explain M4` in full: the page of a word of the language,
 * and a rule's own wording out of docs/model.md, whose text the caller has read.
 * Leaves out: tables of the page, which keep their bars.
 */
import { hang } from '../base/text.js';
import type { WordPage } from '../litmus/index.js';
import { palette } from './paint.js';
import { citedRules, ruleTitle } from './rules.js';

export interface WordOptions {
  readonly width: number;
  readonly color: boolean;
  /** Corpus files that use the word. */
  readonly usedBy: readonly string[];
}

/** So many scenarios are named; a common call stands in hundreds. */
const namedAtMost = 8;

export function explainWord(page: WordPage, options: WordOptions): string {
  const { width, usedBy } = options;
  const paint = palette(options.color);
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', paint.strong(title), ...lines];
  const more = usedBy.length - namedAtMost;
  return `${[
    hang('', paint.strong(page.title), width),
    '',
    hang('  ', `${page.meaning.replaceAll('`', '')}.`, width),
    ...part(
      'arguments',
      page.parameters.map(([name, text]) =>
        text.startsWith('(') ? hang(`  ${name} `, text, width) : hang(`  ${name}: `, text, width),
      ),
    ),
    ...part(
      'and',
      page.facts.map((fact) => hang('  - ', fact.replaceAll('`', ''), width)),
    ),
    ...part(
      'rules',
      citedRules(page.rules).map((rule) =>
        hang(`  ${rule.padEnd(4)}`, ruleTitle(rule) ?? '', width),
      ),
    ),
    ...part('source', page.source === null ? [] : [hang('  ', page.source, width)]),
    ...part('scenarios that use it', [
      ...usedBy.slice(0, namedAtMost).map((file) => `  ${file}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ]),
  ].join('\n')}\n`;
}

/** `explain M4`; `model` is docs/model.md, or null where it is not there. null: no such rule. */
export function explainRule(name: string, width: number, model: string | null): string | null {
  const id = name.toUpperCase();
  const title = ruleTitle(id);
  if (title === undefined) return null;
  const wording = model === null ? [] : ruleWording(model, id);
  const rest = wording.length === 0 ? ['The full wording is in docs/model.md.'] : [];
  const paragraphs = wording.map((text) => paragraph(text, width));
  return `${[`${id} ${title}`, ...paragraphs, ...rest].join('\n\n')}\n`;
}

/** The paragraphs from the one that opens with the rule's number to the next rule or heading. */
function ruleWording(model: string, id: string): string[] {
  const paragraphs = model.split(/\n{2,}/);
  const first = paragraphs.findIndex((text) => text.startsWith(`**${id} `));
  if (first < 0) return [];
  const next = paragraphs.findIndex((text, i) => i > first && /^(\*\*[MK]\d+ |#)/.test(text));
  return paragraphs.slice(first, next < 0 ? undefined : next);
}

/** Markdown as plain text: a link keeps its words, a table its rows. */
function paragraph(text: string, width: number): string {
  const plain = text.replaceAll('**', '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  if (!plain.startsWith('|')) return hang('  ', plain.replaceAll('\n', ' '), width);
  const rows = plain.split('\n').filter((row) => !/^[|\s:-]+$/.test(row));
  return rows.map((row) => hang('  - ', row.replace(/^\|\s*|\s*\|$/g, ''), width)).join('\n');
}
