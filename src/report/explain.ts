/**
 * `explain H3`: what a hazard is, how it usually happens, by which rules, what mends it, and where
 * to see it. All of it comes from the list of hazards. Rules and words: explain-words.ts.
 */
import { hang } from '../base/text.js';
import { type HazardId, hazards } from '../verdict/hazards.js';
import { palette } from './paint.js';
import { citedRules, ruleTitle } from './rules.js';

export interface ExplainOptions {
  readonly width: number;
  readonly color: boolean;
  /** Corpus files whose header states this hazard. */
  readonly shownBy: readonly string[];
}

/** `h3` and `H3` both name H3; null when it is no hazard. */
export function hazardNamed(name: string): HazardId | null {
  const id = name.toUpperCase();
  return Object.keys(hazards).includes(id) ? (id as HazardId) : null;
}

/** Every id that `explain` knows, for suggestions. */
export function hazardNames(): string[] {
  return Object.keys(hazards);
}

export function explainHazard(id: HazardId, options: ExplainOptions): string {
  const { name, meaning, story, mends, sources } = hazards[id];
  const { width } = options;
  const paint = palette(options.color);
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', paint.strong(title), ...lines];
  const item = (text: string) => hang('  - ', text, width);
  const rule = (r: string) => hang(`  ${r.padEnd(4)}`, ruleTitle(r) ?? '', width);
  return `${[
    `${paint.bad(id)} ${paint.strong(name)}`,
    ...part('what it is', [hang('  ', meaning, width)]),
    ...part('how it usually happens', [hang('  ', story, width)]),
    ...part('rules it comes from', citedRules(sources).map(rule)),
    ...part('what mends it', mends.map(item)),
    ...part('sources', sources.map(item)),
    ...part(
      'scenarios that show it',
      options.shownBy.map((file) => `  ${file}`),
    ),
  ].join('\n')}\n`;
}
