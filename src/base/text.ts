/**
 * Plain text in columns: wrapping, counting, digits. Widths are UTF-16 units, which is exact for
 * everything civac itself prints. Leaves out: colour, which is added after the padding.
 */

/** `1,234,567`, the same in every locale. */
export function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+(?!\d))/g, ',');
}

/** `1 state`, `2 states`. */
export function count(value: number, noun: string, plural = `${noun}s`): string {
  return `${groupDigits(value)} ${value === 1 ? noun : plural}`;
}

/** Where to cut a word that is longer than a line: after punctuation, if there is any. */
function cutAt(word: string, width: number): number {
  // A tail of a letter or two on a line of its own would look lost.
  const head = word.slice(0, Math.min(width, word.length - 3));
  const after =
    Math.max(...['_', '(', ')', '/', ',', '.', '-'].map((c) => head.lastIndexOf(c))) + 1;
  return after > width / 2 ? after : width;
}

/** Breaks text at spaces into lines of at most `width`; a longer word is cut. Never empty. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(/\s+/).filter((w) => w !== '')) {
      let rest = word;
      if (line !== '' && line.length + 1 + rest.length <= width) {
        line += ` ${rest}`;
        continue;
      }
      if (line !== '') lines.push(line);
      while (rest.length > width) {
        const cut = cutAt(rest, width);
        lines.push(rest.slice(0, cut));
        rest = rest.slice(cut);
      }
      line = rest;
    }
    lines.push(line);
  }
  return lines;
}

/** Wrapped text with `first` before its first line and as many spaces before the others. */
export function hang(first: string, text: string, width: number): string {
  const indent = ' '.repeat(first.length);
  const lines = wrap(text, Math.max(20, width - first.length));
  return lines.map((line, i) => (i === 0 ? first : indent) + line).join('\n');
}
