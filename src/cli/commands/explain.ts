/**
 * `civac explain H3`, and the same as an option of `civac` and `civac check`: a hazard, a rule, a
 * rule of `civac trace`, a message, or a word of the language.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { diagnosticCodes } from '../../diagnostics/codes.js';
import { nearestName } from '../../diagnostics/nearest.js';
import { wordNames, wordPage } from '../../litmus/index.js';
import { explainHazard, hazardNamed, hazardNames } from '../../report/explain.js';
import { explainRule, explainWord } from '../../report/explain-words.js';
import { ruleOf, rules } from '../../trace/judge/rules.js';
import { explainTraceRule } from '../../trace/show/rule-page.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { openOutput } from '../output.js';
import { packageRoot } from '../package-root.js';

/** Corpus files of which `holds`, by their text: compiling all would take a second. */
function corpusFiles(holds: (text: string) => boolean): string[] {
  const folder = join(packageRoot(), 'litmus');
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  const files = names.filter((name) => name.endsWith('.litmus')).map((name) => join(folder, name));
  const found = files.sort().filter((file) => holds(readFileSync(file, 'utf8')));
  return found.map((file) => {
    const near = relative(process.cwd(), file);
    return near.startsWith('..') ? file : near;
  });
}

/** Those whose header states the hazard. */
function shownBy(id: string): string[] {
  return corpusFiles((text) => {
    const stated = /^[\s/*]*results?\s*[:=]([^\n(]*)/im.exec(text)?.[1] ?? '';
    return stated.split(/[\s,]+/).includes(id);
  });
}

/** Those whose code, comments aside, has the word; a setting where it is given a value. */
function usedBy(name: string): string[] {
  const word = name.replace(/\(\)?$/, '').replace('.', '\\.');
  const used = new RegExp(word.startsWith('\\.') ? `${word} *=` : `\\b${word}\\b`);
  return corpusFiles((text) => used.test(text.replace(/\/\/.*$/gm, '')));
}

/** docs/model.md, which a package has with it; null when somebody took it away. */
function modelPage(): string | null {
  const file = join(packageRoot(), 'docs', 'model.md');
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function traceRuleIds(): string[] {
  return rules.map(({ id }) => id);
}

/** What `explain` prints of a name, or null when nothing is called so. */
function explanation(name: string, width: number, color: boolean): string | null {
  const narrow = Math.min(width, 100);
  const id = hazardNamed(name);
  if (id !== null) return explainHazard(id, { width: narrow, color, shownBy: shownBy(id) });
  const rule = explainRule(name, narrow, modelPage());
  if (rule !== null) return rule;
  const traceRule = ruleOf(name.toLowerCase());
  if (traceRule !== undefined) return explainTraceRule(traceRule, width, color);
  const code = Object.entries(diagnosticCodes).find(([known]) => known === name.toUpperCase());
  if (code !== undefined) return `${code[0]} ${code[1]}\n`;
  const word = wordPage(name);
  if (word !== null) return explainWord(word, { width: narrow, color, usedBy: usedBy(name) });
  return null;
}

export function runExplain(name: string, options: { readonly color: boolean }): number {
  const output = openOutput({ noColor: !options.color, inputs: [] });
  const text = explanation(name, output.width, output.color);
  if (text !== null) {
    output.write(text);
    return exitCode.ok;
  }
  const near =
    nearestName(name.toLowerCase(), traceRuleIds()) ??
    nearestName(name.toUpperCase(), hazardNames()) ??
    nearestName(name, wordNames());
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new InputError(
    `explain: no hazard, rule, message or function is called '${name}'${hint}\n` +
      'hazards are H1 to H15, rules M1 to M18 and K1 to K9, messages L001 and up; functions and ' +
      "settings are those of 'civac reference'; rules of civac trace are those it names",
  );
}
