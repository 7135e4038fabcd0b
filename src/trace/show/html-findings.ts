/** The findings on the page: one line each, which opens to what it means and what shows it. */
import { groupDigits } from '../../base/text.js';
import { rules } from '../judge/rules.js';
import { timestamp } from '../judge/words.js';
import type { Certainty, Evidence, Finding } from '../model.js';
import { type Html, html } from './html-text.js';

/** A page with more would be slow to open; the other formats have all. */
export const findingsMax = 500;

const certaintyWords: Readonly<Record<Certainty, string>> = {
  certain: 'Certain: the events alone show it',
  likely: 'Likely: another explanation exists',
  'needs-coherence': 'Only if the device does not snoop the CPU caches, which is not known',
};

function evidenceRow({ role, time, cpu, pid, task, event, text }: Evidence): Html {
  return html`<tr><td class="nowrap">${role}</td><td class="num">${timestamp(time)}</td>
<td class="num">${cpu}</td><td class="nowrap">${task || '?'}-${pid}</td>
<td class="mono">${event} ${text}</td></tr>`;
}

function meaning(finding: Finding): Html | null {
  const rule = rules.find(({ id }) => id === finding.rule);
  if (rule === undefined) return null;
  return html`<p>${rule.meaning}</p><p><b>Mend:</b> ${rule.mend}.</p>`;
}

function body(finding: Finding): Html {
  const dmaDebug =
    finding.dmaDebug === ''
      ? null
      : html`<p class="dim">CONFIG_DMA_API_DEBUG says: <q>${finding.dmaDebug}</q></p>`;
  const often =
    finding.count === 1
      ? null
      : html`<p>${groupDigits(finding.count)} times, from ${timestamp(finding.first.time)} s
to ${timestamp(finding.last.time)} s; shown is the first.</p>`;
  const certainty = certaintyWords[finding.certainty];
  return html`<div class="body"><p class="dim">${certainty} (${finding.id}).</p>
${often}${meaning(finding)}${dmaDebug}
<div class="scroll"><table><tr><th></th><th class="num">time, s</th><th class="num">CPU</th>
<th>task</th><th>event</th></tr>${finding.evidence.map(evidenceRow)}</table></div></div>`;
}

export function findingId(index: number): string {
  return `finding-${index + 1}`;
}

function findingPart(finding: Finding, index: number): Html {
  const count = finding.count === 1 ? null : `${groupDigits(finding.count)} ×`;
  return html`<details id="${findingId(index)}"><summary>
<span class="tag ${finding.severity}">${finding.severity}</span>
<span class="what"><b>${finding.rule}</b> <span class="dim">${finding.device}
 · ${finding.certainty}</span><br>${finding.message}</span>
<span class="dim">${count}</span></summary>${body(finding)}</details>`;
}

export function findingsPart(findings: readonly Finding[]): Html {
  if (findings.length === 0) {
    return html`<h2>Findings</h2><p>None. What limits that is said under Notes.</p>`;
  }
  const shown = findings.slice(0, findingsMax);
  const rest = findings.length - shown.length;
  const more =
    rest === 0
      ? null
      : html`<p class="dim">${groupDigits(rest)} further findings are in the other formats.</p>`;
  return html`<h2>Findings</h2>${shown.map(findingPart)}${more}`;
}
