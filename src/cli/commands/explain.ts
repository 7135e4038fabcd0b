/** `civac explain H3`, and the same as an option of `civac` and `civac check`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { diagnosticCodes } from '../../diagnostics/codes.js';
import { nearestName } from '../../diagnostics/nearest.js';
import { explainHazard, explainRule, hazardNamed, hazardNames } from '../../report/explain.js';
import { ruleOf, rules } from '../../trace/judge/rules.js';
import { explainTraceRule } from '../../trace/show/rule-page.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { openOutput } from '../output.js';
import { packageRoot } from '../package-root.js';

/** Corpus files whose header states the hazard; headers only, compiling all would take a second. */
function shownBy(id: string): string[] {
  const folder = join(packageRoot(), 'litmus');
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  const files = names.filter((name) => name.endsWith('.litmus')).map((name) => join(folder, name));
  const showing = files.sort().filter((file) => {
    const text = readFileSync(file, 'utf8');
    const stated = /^[\s/*]*results?\s*[:=]([^\n(]*)/im.exec(text)?.[1] ?? '';
    return stated.split(/[\s,]+/).includes(id);
  });
  return showing.map((file) => {
    const near = relative(process.cwd(), file);
    return near.startsWith('..') ? file : near;
  });
}

function traceRuleIds(): string[] {
  return rules.map(({ id }) => id);
}

export function runExplain(name: string, options: { readonly color: boolean }): number {
  const output = openOutput({ noColor: !options.color, inputs: [] });
  const id = hazardNamed(name);
  const rule = explainRule(name);
  const traceRule = ruleOf(name.toLowerCase());
  const code = Object.entries(diagnosticCodes).find(([known]) => known === name.toUpperCase());
  if (id !== null) {
    const { width, color } = output;
    output.write(explainHazard(id, { width: Math.min(width, 100), color, shownBy: shownBy(id) }));
  } else if (rule !== null) {
    output.write(rule);
  } else if (traceRule !== undefined) {
    output.write(explainTraceRule(traceRule, output.width, output.color));
  } else if (code !== undefined) {
    output.write(`${code[0]} ${code[1]}\n`);
  } else {
    const near =
      nearestName(name.toLowerCase(), traceRuleIds()) ??
      nearestName(name.toUpperCase(), hazardNames());
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new InputError(
      `explain: no hazard, rule or message is called '${name}'${hint}\n` +
        'hazards are H1 to H15, rules M1 to M18 and K1 to K9, messages L001 and up; rules of ' +
        'civac trace are those it names',
    );
  }
  return exitCode.ok;
}
