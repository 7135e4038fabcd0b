/** HTML as strings that cannot be mistaken for text: everything else is escaped on its way in. */

/** Markup that may stand in a page as it is. */
export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | null | readonly Part[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Names of devices and tasks come from the trace, which may come from anywhere. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

function render(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escapeText(part);
  if (typeof part === 'number') return String(part);
  return part.map(render).join('');
}

/** Markup with values in it: html`<b>${name}</b>`. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = markup.map((piece, i) => piece + (i < parts.length ? render(parts[i] ?? null) : ''));
  return new Html(text.join(''));
}
