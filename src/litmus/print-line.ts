/**
 * One statement or one line of a block as text: which tokens have a space between them, and where
 * a line that is too long goes on. Works on tokens alone; the text must be free of syntax errors.
 */
import type { Token } from './lexer.js';
import { combiningWords, isScalarWord } from './types.js';

export const LINE_COLUMNS = 100;
const TAB_COLUMNS = 8;
const CONTINUATION = '\t\t';

/** What a token is, as far as spacing depends on it. */
type Role = 'plain' | 'prefix' | 'infix' | 'cast' | 'keyword' | 'typeStar' | 'member';

const keywords: ReadonlySet<string> = new Set([
  'if',
  'else',
  'while',
  'do',
  'for',
  'return',
  'exists',
  'forbidden',
  'always',
]);
const infixes: ReadonlySet<string> = new Set([
  '=',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '<<=',
  '>>=',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '&&',
  '||',
  '|',
  '^',
  '<<',
  '>>',
  '/',
  '%',
  '?',
]);
/** Infix behind an operand, prefix elsewhere. */
const ambiguous: ReadonlySet<string> = new Set(['*', '&', '-', '+']);
const typeWords: ReadonlySet<string> = new Set(['struct', 'const', 'volatile']);

/** A token or an inner comment, with what stands before it. */
interface Piece {
  readonly text: string;
  readonly spaceBefore: boolean;
  /** A long line may go on in a new line before this piece. */
  readonly mayBreakBefore: boolean;
  /** A `//` comment stands before it. */
  readonly mustBreakBefore: boolean;
}

/** `commentsBefore` gives the comments inside the line that stand before its n-th token. */
export function printLine(
  tokens: readonly Token[],
  indent: string,
  commentsBefore: (index: number) => readonly string[],
): string {
  const pieces: Piece[] = [];
  const roles = rolesOf(tokens);
  let afterLineComment = false;
  tokens.forEach((token, index) => {
    const previous = tokens[index - 1];
    const spaced =
      previous !== undefined &&
      isSpaced(previous, roles[index - 1] ?? 'plain', token, roles[index] ?? 'plain');
    const mayBreak = previous !== undefined && breaksAfter(previous, roles[index - 1] ?? 'plain');
    const comments = index === 0 ? [] : commentsBefore(index);
    for (const text of comments) {
      pieces.push({
        text,
        spaceBefore: true,
        mayBreakBefore: false,
        mustBreakBefore: afterLineComment,
      });
      afterLineComment = text.startsWith('//');
    }
    pieces.push({
      text: token.text,
      spaceBefore: spaced || (comments.length > 0 && !/^[,;)\]]$/u.test(token.text)),
      mayBreakBefore: mayBreak && spaced,
      mustBreakBefore: afterLineComment,
    });
    afterLineComment = false;
  });
  return fill(pieces, indent);
}

function rolesOf(tokens: readonly Token[]): readonly Role[] {
  const roles: Role[] = [];
  const casts: boolean[] = [];
  let questions = 0;
  tokens.forEach((token, index) => {
    const { text } = token;
    const previous = tokens[index - 1];
    let role: Role = 'plain';
    if (text === '(') {
      casts.push(isCast(tokens, index));
    } else if (text === ')') {
      if (casts.pop() === true) role = 'cast';
    } else if (text === '?') {
      questions++;
      role = 'infix';
    } else if (text === ':') {
      if (questions > 0) role = 'infix';
      questions = Math.max(0, questions - 1);
    } else if (text === '.') {
      role = 'member';
    } else if (text === '!' || text === '~') {
      role = 'prefix';
    } else if (ambiguous.has(text)) {
      const inStructType = tokens[index - 2]?.text === 'struct';
      role =
        text === '*' && inStructType ? 'typeStar' : ambiguousRole(text, previous, roles[index - 1]);
    } else if (infixes.has(text)) {
      role = 'infix';
    } else if (token.kind === 'name' && keywords.has(text)) {
      role = 'keyword';
    }
    roles.push(role);
  });
  return roles;
}

function isCast(tokens: readonly Token[], open: number): boolean {
  const before = tokens[open - 1];
  const first = tokens[open + 1];
  if (first === undefined || !isTypeWord(first)) return false;
  // `sizeof(u32)`, and `for (int i = 0; …)`
  return before === undefined || before.kind !== 'name' || before.text === 'return';
}

function isTypeWord({ kind, text }: Token): boolean {
  return kind === 'name' && (typeWords.has(text) || combiningWords.has(text) || isScalarWord(text));
}

function ambiguousRole(text: string, previous: Token | undefined, role: Role | undefined): Role {
  if (previous === undefined || role === 'keyword' || role === 'cast') return 'prefix';
  if (text === '*' && (isTypeWord(previous) || role === 'typeStar')) return 'typeStar';
  const isOperand =
    previous.kind === 'number' ||
    previous.kind === 'name' ||
    previous.text === ')' ||
    previous.text === ']' ||
    previous.text === '++' ||
    previous.text === '--';
  return isOperand ? 'infix' : 'prefix';
}

function isSpaced(left: Token, leftRole: Role, right: Token, rightRole: Role): boolean {
  // `- -x` must not become `--x`.
  if (leftRole === 'prefix')
    return left.text === right.text && left.text !== '*' && left.text !== '!';
  if (leftRole === 'cast' || leftRole === 'member' || leftRole === 'typeStar') return false;
  if (leftRole === 'infix' || rightRole === 'infix') return true;
  if (/^[,;)\]]$/u.test(right.text) || right.text === '++' || right.text === '--') return false;
  if (left.text === ';') return true;
  if (left.text === '(' || left.text === '[' || left.text === ':' || right.text === ':')
    return false;
  if (right.text === '(') return leftRole === 'keyword' || left.kind === 'punctuation';
  return right.text !== '[';
}

function breaksAfter(token: Token, role: Role): boolean {
  return role === 'infix' || token.text === ',' || token.text === '{';
}

/** Puts pieces into lines of at most 100 columns, as far as they have places to break. */
function fill(pieces: readonly Piece[], indent: string): string {
  const lines: string[] = [];
  let line = '';
  let column = widthOf(indent);
  let index = 0;
  while (index < pieces.length) {
    const end = chunkEnd(pieces, index);
    const chunk = pieces
      .slice(index, end)
      .map(({ text, spaceBefore }, at) => (at > 0 && spaceBefore ? ` ${text}` : text))
      .join('');
    const first = pieces[index];
    const gap = line !== '' && first?.spaceBefore === true ? ' ' : '';
    const tooLong =
      column + gap.length + chunk.length > LINE_COLUMNS && first?.mayBreakBefore === true;
    if (line !== '' && (tooLong || first?.mustBreakBefore === true)) {
      lines.push(line);
      line = chunk;
      column = widthOf(indent + CONTINUATION) + chunk.length;
    } else {
      line += gap + chunk;
      column += gap.length + chunk.length;
    }
    index = end;
  }
  lines.push(line);
  return lines.map((text, at) => (at === 0 ? indent : indent + CONTINUATION) + text).join('\n');
}

/** The pieces from `start` that stay together. */
function chunkEnd(pieces: readonly Piece[], start: number): number {
  let end = start + 1;
  for (; end < pieces.length; end++) {
    const piece = pieces[end];
    if (piece?.mayBreakBefore === true || piece?.mustBreakBefore === true) break;
  }
  return end;
}

export function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += char === '\t' ? TAB_COLUMNS - (width % TAB_COLUMNS) : 1;
  return width;
}
