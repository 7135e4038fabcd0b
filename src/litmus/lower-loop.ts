/**
 * Loops. One whose condition is known in every pass is unrolled, its counters becoming constants;
 * one that waits for memory stays a loop, so that the engine sees it spin.
 */
import type { Expression, LoopNode, NameNode, Statement } from './ast.js';
import { Label } from './code-writer.js';
import { constantOf } from './constant-expression.js';
import { lowerCondition } from './lower-expression.js';
import type { ThreadContext } from './thread-context.js';
import { hasEffect, type LoopFacts, loopFacts, namesIn, straightAssignments } from './walk.js';

const ITERATIONS_MAX = 1024;

type LowerStatement = (context: ThreadContext, node: Statement) => void;
type LowerEffect = (context: ThreadContext, node: Expression) => void;

/** The functions of lower-statement.ts come as arguments: they call this one. */
export function lowerLoop(
  context: ThreadContext,
  node: LoopNode,
  statement: LowerStatement,
  effect: LowerEffect,
): void {
  const lowering = { context, node, statement, effect, facts: loopFacts(node) };
  context.inBlock(() => {
    if (node.init !== null) statement(context, node.init);
    switch (planOf(lowering)) {
      case 'unroll':
        return unroll(lowering);
      case 'keep':
        return keep(lowering);
      case 'endless': {
        const message = 'this loop never ends: nothing in it changes its condition';
        context.diagnostics.error('L040', node.at, message, {
          expected: 'a break, or a condition that memory or the loop itself changes',
        });
        return checkOnly(lowering);
      }
    }
  });
}

interface LoopLowering {
  readonly context: ThreadContext;
  readonly node: LoopNode;
  readonly statement: LowerStatement;
  readonly effect: LowerEffect;
  readonly facts: LoopFacts;
}

function planOf(lowering: LoopLowering): 'unroll' | 'keep' | 'endless' {
  const { context, node, facts } = lowering;
  const { condition } = node;
  if (condition !== null && hasEffect(condition)) return 'keep';
  if (!context.code.reachable) return 'keep';
  const changing =
    condition === null
      ? []
      : [...new Set(namesIn(condition).map(({ name }) => name))].filter((name) =>
          facts.assigned.has(name),
        );
  const first = knownCondition(context, condition);
  if (first === false && node.form !== 'do') return 'unroll';
  if (changing.length === 0) {
    if (first === false) return 'unroll';
    const canEnd = facts.leaves || (first === undefined && mayChangeOutside(context, condition));
    return canEnd ? 'keep' : 'endless';
  }
  const canUnroll =
    (first !== undefined || node.form === 'do') &&
    changing.every((name) => countsPlainly(lowering, name, changing));
  return canUnroll ? 'unroll' : 'keep';
}

/** It reads a handle, which other threads may set, or a name that is an error anyway. */
function mayChangeOutside(context: ThreadContext, condition: Expression | null): boolean {
  if (condition === null) return false;
  return namesIn(condition).some(({ name }) => {
    const local = context.lookUp(name);
    return local === undefined || local.type.kind === 'unknown';
  });
}

/** Every pass changes `name` in the same place, by constants: `i++`, `i = i * 2`. */
function countsPlainly(
  { context, node, facts }: LoopLowering,
  name: string,
  counters: readonly string[],
): boolean {
  const isKnown = (other: NameNode): boolean =>
    constantOf(other, (variable) => context.known(variable)) !== undefined;
  const changes = straightAssignments(node, name);
  if (changes === null || context.code.valueOf(name) === undefined) return false;
  return changes.every(
    ({ value }) =>
      !hasEffect(value) &&
      namesIn(value).every(
        (inner) =>
          counters.includes(inner.name) || (!facts.assigned.has(inner.name) && isKnown(inner)),
      ),
  );
}

function knownCondition(context: ThreadContext, condition: Expression | null): boolean | undefined {
  if (condition === null) return true;
  const constant = constantOf(condition, (name) => context.known(name));
  return constant === undefined ? undefined : constant.value !== 0;
}

function unroll(lowering: LoopLowering): void {
  const { context, node } = lowering;
  const { condition } = node;
  // From here on the condition is only folded: its mistakes have to be found now.
  const errors = context.diagnostics.count;
  if (condition !== null) context.code.onlyCheck(() => void context.lower(condition));
  const runs = node.form === 'do' || knownCondition(context, condition) === true;
  if (!runs || context.diagnostics.count > errors) {
    checkOnly(lowering);
    return;
  }
  const breakTo = new Label();
  noteCounters(lowering);
  for (let passes = 1, again = true; again && context.code.reachable; passes++) {
    if (!mayGoOn(lowering, passes)) break;
    const continueTo = new Label();
    body(lowering, { breakTo, continueTo, endless: false });
    context.code.place(continueTo);
    if (node.step !== null) lowering.effect(context, node.step);
    const next = knownCondition(context, condition);
    if (next === undefined && context.code.reachable) reportBounds(lowering);
    again = next === true;
  }
  context.code.place(breakTo);
}

function noteCounters({ context, node, facts }: LoopLowering): void {
  for (const { name } of node.condition === null ? [] : namesIn(node.condition)) {
    const local = context.lookUp(name);
    if (local !== undefined && facts.assigned.has(name)) context.counters.add(local.index);
  }
}

function mayGoOn({ context, node }: LoopLowering, passes: number): boolean {
  if (passes > ITERATIONS_MAX) {
    context.diagnostics.error('L041', node.at, `this loop runs more than ${ITERATIONS_MAX} times`, {
      expected: `at most ${ITERATIONS_MAX} passes; integers are unsigned here`,
    });
    return false;
  }
  const allowed = context.budget.allowsPass(context.code.length);
  if (!allowed) context.budget.tell(context.diagnostics, node.at);
  return allowed;
}

function reportBounds({ context, node }: LoopLowering): void {
  const message = 'the bounds of this loop are not constant throughout';
  context.diagnostics.error('L041', node.at, message, {
    expected: 'a counter that every pass changes by a constant',
  });
}

/** A loop at run time. */
function keep(lowering: LoopLowering): void {
  const { context, node, facts } = lowering;
  const head = new Label();
  const breakTo = new Label();
  const continueTo = new Label();
  // The head is reached again with whatever the loop made of these.
  for (const name of facts.assigned) context.code.setValue(name, undefined);
  context.code.place(head);
  const endless = knownCondition(context, node.condition) === true && node.form !== 'do';
  const spin = spinsOnMemory(node, facts);
  if (node.condition !== null && node.form !== 'do') {
    lowerCondition(context, node.condition, breakTo, spin);
  }
  body(lowering, { breakTo, continueTo, endless });
  context.code.place(continueTo);
  if (node.step !== null) lowering.effect(context, node.step);
  if (node.condition !== null && node.form === 'do') {
    lowerCondition(context, node.condition, breakTo, spin);
  }
  context.code.jump(head, node.at);
  context.code.place(breakTo);
}

function spinsOnMemory({ condition }: LoopNode, facts: LoopFacts): boolean {
  if (condition === null) return false;
  return hasEffect(condition) || namesIn(condition).some(({ name }) => facts.fromMemory.has(name));
}

function body(
  { context, node, statement }: LoopLowering,
  labels: { breakTo: Label; continueTo: Label; endless: boolean },
): void {
  context.inLoop(labels, () => context.inBlock(() => statement(context, node.body)));
}

/** Looks for mistakes in a loop that gives no code. */
function checkOnly(lowering: LoopLowering): void {
  const { context, node } = lowering;
  context.code.onlyCheck(() => {
    if (node.condition !== null) context.lower(node.condition);
    body(lowering, { breakTo: new Label(), continueTo: new Label(), endless: false });
    if (node.step !== null) lowering.effect(context, node.step);
  });
}
