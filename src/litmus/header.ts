/**
 * The header: the comments before the first token. `Result:` says what the checker should find,
 * each `Without NAME:` what happens when that call is dropped; the rest is prose.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import { nearestName } from '../diagnostics/nearest.js';
import { findOperation } from '../kernel/registry.js';
import type { Tokens } from './lexer.js';
import type { Header, Program, WithoutClaim } from './program.js';
import { removableCalls } from './without.js';

export interface HeaderLine {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export function readHeader(tokens: Tokens, diagnostics: DiagnosticCollector): Header {
  const lines = headerLines(tokens);
  let result: Header['result'] = null;
  let why = '';
  const without: WithoutClaim[] = [];
  lines.forEach((line, index) => {
    if (/^results?\s*[:=]/iu.test(line.text)) {
      if (result !== null) {
        diagnostics.error('L050', spanOf(line, 0, 7), 'a second Result line', { expected: 'one' });
        return;
      }
      ({ result, why } = readResult(line, lines.slice(index + 1), diagnostics));
    } else if (/^without\s+[A-Za-z_]\w*\s*(#\s*\w+\s*)?:/iu.test(line.text)) {
      const claim = readWithout(line, diagnostics);
      if (claim !== null) without.push(claim);
    }
  });
  return { result, why, without };
}

/** The prose of the comments before the first token, a line each. */
export function headerLines({ comments }: Pick<Tokens, 'comments'>): readonly HeaderLine[] {
  return comments.filter(({ before }) => before === 0).flatMap(linesOf);
}

function linesOf(comment: Tokens['comments'][number]): readonly HeaderLine[] {
  return comment.text.split('\n').flatMap((raw, index) => {
    const opened = /^\s*(?:\/\/+|\/\*+|\*(?!\/))?\s*/u.exec(raw)?.[0].length ?? 0;
    const text = raw
      .slice(opened)
      .replace(/\s*\*+\/\s*$/u, '')
      .trimEnd();
    const column = (index === 0 ? comment.column : 1) + opened;
    return text === '' ? [] : [{ text, line: comment.line + index, column }];
  });
}

function spanOf(line: HeaderLine, offset: number, length: number): Span {
  return { line: line.line, column: line.column + offset, length: Math.max(1, length) };
}

const idList = 'coherent, or hazards out of H1 to H15 and assertion';

function readResult(
  line: HeaderLine,
  following: readonly HeaderLine[],
  diagnostics: DiagnosticCollector,
): { result: Header['result']; why: string } {
  const colon = line.text.search(/[:=]/u);
  if (!line.text.startsWith('Result:')) {
    diagnostics.error('L050', spanOf(line, 0, colon + 1), 'the line is not understood', {
      expected: "'Result:'",
      suggestion: 'Result:',
    });
  }
  const open = line.text.indexOf('(');
  const end = open < 0 ? line.text.length : open;
  const ids = readIds(line, colon + 1, end, true, diagnostics);
  const why = open < 0 ? '' : bracketed(line.text.slice(open), following);
  if (ids.length === 0) {
    diagnostics.error('L050', spanOf(line, 0, end), 'the Result line is empty', {
      expected: idList,
    });
    return { result: null, why };
  }
  if (!ids.includes('coherent')) return { result: ids, why };
  if (ids.length > 1) {
    const message = 'a scenario is coherent or has hazards, not both';
    diagnostics.error('L050', spanOf(line, 0, end), message, { expected: idList });
  }
  return { result: 'coherent', why };
}

/** Hazard ids between two offsets of a line; says which are none. */
function readIds(
  line: HeaderLine,
  from: number,
  to: number,
  withCoherent: boolean,
  diagnostics: DiagnosticCollector,
): readonly string[] {
  const ids = new Set<string>();
  for (const match of line.text.slice(from, to).matchAll(/[^\s,]+/gu)) {
    const [word] = match;
    const isId =
      /^H([1-9]|1[0-5])$/u.test(word) ||
      word === 'assertion' ||
      (withCoherent && word === 'coherent');
    if (!isId) {
      const code = withCoherent ? 'L050' : 'L051';
      const at = spanOf(line, from + match.index, word.length);
      diagnostics.error(code, at, `'${word}' is no hazard`, {
        expected: withCoherent ? idList : 'H1 to H15, assertion, or redundant: and why',
        suggestion: nearestName(word, ['coherent', 'assertion', 'redundant']),
      });
    }
    // Kept all the same: one wrong id must not turn into "the line is empty".
    ids.add(word);
  }
  return [...ids];
}

/** `(why …)`, which may go on over the next lines of the comment. */
function bracketed(start: string, following: readonly HeaderLine[]): string {
  let text = start;
  for (const line of following) {
    if (depthOf(text) <= 0 || /^(Result|Without)\b/u.test(line.text)) break;
    text += ` ${line.text}`;
  }
  return text
    .replace(/^\(/u, '')
    .replace(/\)\s*$/u, '')
    .trim();
}

function depthOf(text: string): number {
  return text.split('(').length - text.split(')').length;
}

function readWithout(line: HeaderLine, diagnostics: DiagnosticCollector): WithoutClaim | null {
  const match = /^(without\s+)([A-Za-z_]\w*)\s*(?:#\s*(\w+))?\s*:\s*/iu.exec(line.text);
  const [head = '', lead = '', word = '', number] = match ?? [];
  // A call by another name that Linux has for the operation is counted with the others.
  const operation = findOperation(word)?.name ?? word;
  const at = spanOf(
    line,
    lead.length,
    word.length + (number === undefined ? 0 : number.length + 1),
  );
  const occurrence = number === undefined ? 1 : Number(number);
  if (!lead.startsWith('Without') || !Number.isSafeInteger(occurrence) || occurrence < 1) {
    diagnostics.error('L051', at, 'the line is not understood', {
      expected: "'Without NAME#k: H1 …' with k from 1",
    });
    return null;
  }
  const rest = line.text.slice(head.length);
  const redundant = /^redundant\b\s*[:;,]?\s*/u.exec(rest);
  if (redundant !== null) {
    const why = rest.slice(redundant[0].length);
    if (why === '') {
      const claim = spanOf(line, head.length, rest.length);
      diagnostics.error('L051', claim, 'why it is redundant is not said', {
        expected: 'redundant: and why',
      });
    }
    return { operation, occurrence, hazards: 'redundant', why, at };
  }
  const semicolon = rest.indexOf(';');
  const end = semicolon < 0 ? line.text.length : head.length + semicolon;
  const hazards = readIds(line, head.length, end, false, diagnostics);
  if (hazards.length === 0) {
    diagnostics.error('L051', at, 'no hazard is named', {
      expected: 'H1 to H15, or redundant: and why',
    });
  }
  const why = semicolon < 0 ? '' : rest.slice(semicolon + 1).trim();
  return { operation, occurrence, hazards, why, at };
}

/** Every claim must be about a call that stands in the file. */
export function checkClaims(program: Program, diagnostics: DiagnosticCollector): void {
  const calls = removableCalls(program);
  const seen = new Set<string>();
  for (const { operation, occurrence, at } of program.header.without) {
    const count = calls.filter((call) => call.operation === operation).length;
    const key = `${operation}#${occurrence}`;
    if (count === 0) {
      diagnostics.error('L051', at, `no sync or barrier '${operation}' is called in this file`, {
        expected: 'a call that can be dropped',
        suggestion: nearestName(operation, new Set(calls.map((call) => call.operation))),
      });
    } else if (occurrence > count) {
      const times = count === 1 ? 'once' : `${count} times`;
      const message = `'${operation}' is called ${times}: no #${occurrence}`;
      diagnostics.error('L051', at, message, { expected: `#1${count > 1 ? ` to #${count}` : ''}` });
    } else if (seen.has(key)) {
      diagnostics.error('L051', at, `a second line about ${key}`, {
        expected: 'one line for each call',
      });
    }
    seen.add(key);
  }
}
