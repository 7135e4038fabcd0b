/**
 * Walks an export model step by step, as plainly as it can be said: what Spin and Rumur do with
 * it, for machines that have neither, and to tell a writer's mistake from a model's.
 */
import type { Cond, ExportModel, Statement } from '../src/export/model.js';
import type { Count } from './witness-tools.js';

type Values = readonly number[];

function holds(cond: Cond, values: Values): boolean {
  switch (cond.kind) {
    case 'in':
      return cond.values.includes(values[cond.variable] ?? -1);
    case 'same':
      return values[cond.a] === values[cond.b];
    case 'and':
      return cond.parts.every((part) => holds(part, values));
    case 'or':
      return cond.parts.some((part) => holds(part, values));
    case 'not':
      return !holds(cond.part, values);
  }
}

function run(body: readonly Statement[], values: number[], met: Set<number>): void {
  for (const statement of body) {
    if (statement.kind === 'set') values[statement.variable] = statement.value;
    else if (statement.kind === 'wrong') throw new Error('a rule and the explorer disagree');
    else if (statement.kind === 'copy') {
      values[statement.variable] = values[statement.from] ?? -1;
    } else if (statement.kind === 'hazard') met.add(statement.hazard);
    else {
      run(holds(statement.cond, values) ? statement.body : statement.otherwise, values, met);
    }
  }
}

/** `most`: gives up above that many states. */
export function walk(model: ExportModel, most = 100_000): Count {
  const { variables, running, agents, forbidden, hazards } = model;
  const first = variables.map(({ initial }) => initial);
  const seen = new Map<string, Values>([[first.join(), first]]);
  const options = agents.flatMap((agent) => agent.options);
  const met = new Set<number>();
  let transitions = 0;
  for (const values of seen.values()) {
    for (const { cond, hazard } of forbidden) if (holds(cond, values)) met.add(hazard);
    if (seen.size > most) break;
    if (running !== null && !holds(running, values)) continue;
    for (const { guard, body } of options) {
      if (!holds(guard, values)) continue;
      transitions++;
      const next = values.slice();
      run(body, next, met);
      variables.forEach(({ name, size }, v) => {
        if ((next[v] ?? size) >= size) throw new Error(`${name} is ${next[v]}`);
      });
      const key = next.join();
      if (!seen.has(key)) seen.set(key, next);
    }
  }
  const keys = [...met].map((hazard) => hazards[hazard]?.key ?? '').sort();
  return { states: seen.size, transitions, hazards: keys };
}
