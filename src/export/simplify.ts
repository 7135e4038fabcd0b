/**
 * Conditions and statements without what can never hold or matters to nobody, so that an export is
 * short and can be read.
 * Leaves out: anything that would need to know which states there are.
 */
import { always, and, type Cond, never, type Option, or, type Statement } from './model.js';

function isAlways(cond: Cond): boolean {
  return cond.kind === 'and' && cond.parts.length === 0;
}

function isNever(cond: Cond): boolean {
  return (cond.kind === 'or' && cond.parts.length === 0) || isEmpty(cond);
}

function isEmpty(cond: Cond): boolean {
  return cond.kind === 'in' && cond.values.length === 0;
}

export function simpler(cond: Cond): Cond {
  if (cond.kind === 'not') {
    const part = simpler(cond.part);
    if (isAlways(part)) return never;
    if (isNever(part)) return always;
    return part.kind === 'not' ? part.part : { kind: 'not', part };
  }
  if (cond.kind !== 'and' && cond.kind !== 'or') return cond;
  const parts = cond.parts.map(simpler);
  if (cond.kind === 'and') {
    return parts.some(isNever) ? never : and(parts.filter((part) => !isAlways(part)));
  }
  return parts.some(isAlways) ? always : or(parts.filter((part) => !isNever(part)));
}

function isWrong(body: readonly Statement[]): boolean {
  return body.length === 1 && body[0]?.kind === 'wrong';
}

function simplerBody(body: readonly Statement[]): readonly Statement[] {
  return body.flatMap((statement): readonly Statement[] => {
    if (statement.kind !== 'if') return [statement];
    const cond = simpler(statement.cond);
    const then = simplerBody(statement.body);
    const otherwise = simplerBody(statement.otherwise);
    if (isAlways(cond) || (isWrong(then) && isWrong(otherwise))) return then;
    if (isNever(cond) || (then.length === 0 && otherwise.length === 0)) return otherwise;
    return [{ kind: 'if', cond, body: then, otherwise }];
  });
}

/** The options that can be taken at all, each as short as it can be said. */
export function simplified(options: readonly Option[]): readonly Option[] {
  return options
    .map(({ comment, guard, body }) => ({
      comment,
      guard: simpler(guard),
      body: simplerBody(body),
    }))
    .filter(({ guard }) => !isNever(guard));
}
