/** A counterexample as a table: who, what, and where it is written: the event and its answer. */
import { escapeHtml as esc } from '../base/html.js';
import type { CellStep, StepPlace } from './matrix.js';

const machineAgents: ReadonlySet<string> = new Set(['cache', 'bus', 'iommu', 'machine']);

export function runTable(steps: readonly CellStep[]): string {
  if (steps.length === 0) return '';
  const rows = steps.map(({ agent, rule, text, place, wrong }, index) => {
    const kind = wrong ? ' class="wrong"' : machineAgents.has(agent) ? ' class="machine"' : '';
    const cells = [
      `<td>${index + 1}</td>`,
      `<td class="agent">${esc(agent)}</td>`,
      `<td>${esc(text)}</td>`,
      `<td class="place">${esc(placeText(place))}</td>`,
      `<td class="place">${esc(eventText(place))}</td>`,
      `<td class="place">${esc(rule)}</td>`,
    ];
    return `<tr${kind}>${cells.join('')}</tr>`;
  });
  return (
    '<div class="wide"><table class="run"><thead><tr><th></th><th>agent</th><th>step</th>' +
    '<th>written in</th><th>for the event</th><th>rule</th></tr></thead>' +
    `<tbody>${rows.join('\n')}</tbody></table></div>`
  );
}

/** `drm-cflush.design:9`; the machine's own steps are written nowhere. */
export function placeText(place: StepPlace | null): string {
  return place === null ? '' : `${place.file.replace(/^.*[/\\]/u, '')}:${place.line}`;
}

/** `pages_got:11`, with the line in the use case. */
function eventText(place: StepPlace | null): string {
  const event = place?.event ?? null;
  return event === null ? '' : `${event.name}:${event.line}`;
}
