/**
 * A device tree source (`.dts`, also what `dtc -I dtb -O dts` prints) to nodes: labels, references
 * to labels, properties. Leaves out the C preprocessor (the output of it is read), expressions and
 * /incbin/: no property that counts here uses them.
 */
import { newNode, TreeError, type TreeNode, type TreeProperty } from './tree.js';

/** In this order: blanks and comments, strings, marks, directives, references by path, words. */
const tokenForm = new RegExp(
  [
    /\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*|#[ \t]*(?:line|\d)[^\n]*/,
    /"(?:[^"\\]|\\.)*"/,
    /[{};=<>,:[\]()]/,
    /\/[a-z0-9-]+\//,
    /&\{[^}]*\}/,
    /[^\s{};=<>,:[\]()"][^\s{};=<>:[\]()"]*/,
  ]
    .map((form) => form.source)
    .join('|'),
  'gy',
);

interface Token {
  readonly text: string;
  readonly line: number;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  tokenForm.lastIndex = 0;
  for (let at = 0; at < text.length; at = tokenForm.lastIndex) {
    const found = tokenForm.exec(text);
    if (found === null) throw new TreeError(`line ${line}: a string or comment without end`);
    const [word] = found;
    if (/^#\s*include\b|^\/include\/$/.test(word)) {
      throw new TreeError(`line ${line}: an include; give the .dtb, or run the preprocessor first`);
    }
    const blank = /^(\s|\/\*|\/\/|#[ \t]*(line|\d))/.test(word);
    if (!blank) tokens.push({ text: word, line });
    line += word.split('\n').length - 1;
  }
  return tokens;
}

class Parser {
  private at = 0;
  private readonly labels = new Map<string, TreeNode>();
  readonly root = newNode('', null);

  constructor(private readonly tokens: readonly Token[]) {}

  private get next(): string {
    return this.tokens[this.at]?.text ?? '';
  }

  private fail(expected: string): never {
    const { text, line } = this.tokens[this.at] ?? { text: 'the end', line: 0 };
    const where = line > 0 ? `line ${line}` : 'at the end';
    throw new TreeError(`${where}: expected ${expected}, not '${text}'`);
  }

  private take(text: string): void {
    if (this.next !== text) this.fail(`'${text}'`);
    this.at += 1;
  }

  private word(): string {
    const word = this.next;
    if (word === '') this.fail('more');
    this.at += 1;
    return word;
  }

  /** Everything up to the `;` that ends a directive. */
  private skipDirective(): void {
    while (this.next !== ';') this.word();
    this.take(';');
  }

  parse(): TreeNode {
    let any = false;
    while (this.at < this.tokens.length) {
      const labels = this.takeLabels();
      const word = this.word();
      if (word === '/') {
        this.body(this.root, labels);
        any = true;
      } else if (word.startsWith('&')) {
        this.body(this.referred(word), labels);
      } else if (/^\/[a-z0-9-]+\/$/.test(word)) {
        this.skipDirective();
      } else {
        this.at -= 1;
        this.fail("'/ {'");
      }
    }
    if (!any) throw new TreeError("no root node '/ {': not a device tree");
    return this.root;
  }

  /** A node by label; one of an overlay whose base is not here gets a place of its own. */
  private referred(word: string): TreeNode {
    const name = word.slice(1).replace(/^\{|\}$/g, '');
    const known = this.labels.get(name);
    if (known !== undefined) return known;
    const node = newNode(name, this.root);
    this.labels.set(name, node);
    return node;
  }

  private takeLabels(): string[] {
    const labels: string[] = [];
    while (this.tokens[this.at + 1]?.text === ':') {
      labels.push(this.word());
      this.take(':');
    }
    return labels;
  }

  private body(node: TreeNode, labels: readonly string[]): void {
    for (const label of labels) this.labels.set(label, node);
    this.take('{');
    while (this.next !== '}') this.item(node);
    this.take('}');
    this.take(';');
  }

  private item(node: TreeNode): void {
    const labels = this.takeLabels();
    const name = this.word();
    if (name === '/delete-property/') {
      node.properties.delete(this.word());
      this.take(';');
    } else if (name === '/delete-node/') {
      const gone = this.word();
      const place = node.children.findIndex((child) => child.name === gone);
      if (place >= 0) node.children.splice(place, 1);
      this.take(';');
    } else if (this.next === '{') {
      const known = node.children.find((child) => child.name === name);
      this.body(known ?? newNode(name, node), labels);
    } else if (this.next === '=') {
      this.take('=');
      node.properties.set(name, this.value());
    } else {
      this.take(';');
      node.properties.set(name, { strings: [], cell: null });
    }
  }

  private value(): TreeProperty {
    const strings: string[] = [];
    let cell: number | null = null;
    let cells = false;
    while (this.next !== ';') {
      const word = this.word();
      if (word === '{' || word === '}') {
        this.at -= 1;
        this.fail("';'");
      } else if (word.startsWith('"')) strings.push(...unquoted(word));
      else if (word === '<') cells = true;
      else if (word === '>') cells = false;
      else if (cells && cell === null && /^(0x[0-9a-f]+|\d+)$/i.test(word)) cell = Number(word);
    }
    this.take(';');
    return { strings, cell };
  }
}

/** A string may hold several, with `\0` between them. */
function unquoted(word: string): string[] {
  return word.slice(1, -1).split('\\0');
}

/** Throws TreeError with the line and what is wrong. */
export function readDts(text: string): TreeNode {
  if (!/(^|[\s;])(\/|&\S+)\s*\{/.test(text)) throw new TreeError("has no node '/ {'");
  return new Parser(tokensOf(text)).parse();
}
