/**
 * A rule in words: its page in docs/trace-rules/, and what `civac explain` prints of it. Both come
 * from the rule's own file, so that neither can differ from what the rule does.
 */
import { hang } from '../../base/text.js';
import { palette } from '../../report/paint.js';
import type { RuleInfo } from '../judge/rule.js';
import { rules } from '../judge/rules.js';

const generated = '<!-- Written by npm run promote from the rule; change src/trace/judge/. -->';

function kindWords(rule: RuleInfo): string {
  const hazard = rule.hazard === '' ? '' : `, hazard ${rule.hazard}`;
  return `${rule.severity}${hazard}; at most ${rule.certainty}`;
}

function debugWords(rule: RuleInfo): string {
  return rule.dmaDebug === '' ? 'no message of its own' : `\`${rule.dmaDebug}\``;
}

function paragraphs(text: string): string {
  return hang('', text, 100);
}

/** docs/trace-rules/ID.md */
export function rulePage(rule: RuleInfo): string {
  return `${[
    generated,
    '',
    `# ${rule.id}: ${rule.title}`,
    '',
    `${kindWords(rule)}.`,
    '',
    paragraphs(rule.meaning),
    '',
    '## Evidence',
    '',
    paragraphs(rule.evidence),
    '',
    '## When it says less',
    '',
    paragraphs(rule.limits),
    '',
    '## What mends it',
    '',
    paragraphs(rule.mend),
    '',
    `CONFIG_DMA_API_DEBUG: ${debugWords(rule)}.`,
  ].join('\n')}\n`;
}

/** docs/trace-rules/README.md */
export function ruleIndex(): string {
  const rows = rules.map(
    (rule) =>
      `| [${rule.id}](${rule.id}.md) | ${rule.title} | ${rule.severity} | ${rule.certainty} | ` +
      `${rule.hazard === '' ? '' : rule.hazard} | ${rule.dmaDebug === '' ? '' : 'yes'} |`,
  );
  return `${[
    generated,
    '',
    '# Rules of `civac trace`',
    '',
    'Certainty is the most a rule claims; [trace.md](../trace.md#how-sure) says what it means. The',
    'last column tells whether CONFIG_DMA_API_DEBUG has a message for it.',
    '',
    '| rule | finds | severity | certainty | hazard | dma-debug |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')}\n`;
}

/** `civac explain ID` for a terminal. */
export function explainTraceRule(rule: RuleInfo, width: number, color: boolean): string {
  const paint = palette(color);
  const part = (title: string, text: string) => [
    '',
    paint.strong(title),
    hang('  ', text, Math.min(width, 100)),
  ];
  return `${[
    `${paint.bad(rule.id)} ${paint.strong(rule.title)} (${kindWords(rule)})`,
    ...part('what it is', rule.meaning),
    ...part('evidence', rule.evidence),
    ...part('when it says less', rule.limits),
    ...part('what mends it', rule.mend),
    ...(rule.dmaDebug === '' ? [] : part('CONFIG_DMA_API_DEBUG', rule.dmaDebug)),
  ].join('\n')}\n`;
}
