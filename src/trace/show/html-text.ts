/**
 * HTML as strings that cannot be mistaken for text: everything else is escaped on its way in. Names
 * of devices and tasks come from the trace, which may come from anywhere.
 */
import { escapeHtml } from '../../base/html.js';

/** Markup that may stand in a page as it is. */
export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | null | readonly Part[];

function render(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return part.map(render).join('');
}

/** Markup with values in it: html`<b>${name}</b>`. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = markup.map((piece, i) => piece + (i < parts.length ? render(parts[i] ?? null) : ''));
  return new Html(text.join(''));
}
