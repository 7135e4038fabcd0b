/**
 * `exists`, `forbidden` and `always`: names of threads and locals become numbers.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import { nearestName } from '../diagnostics/nearest.js';
import type { AssertionNode, ConditionNode, SyntaxTree } from './ast.js';
import { constantOf } from './constant-expression.js';
import type { Assertion, Condition } from './program.js';

/** A thread as conditions see it: its name and its locals, in the order of their numbers. */
export interface ThreadNames {
  readonly name: string;
  readonly locals: readonly string[];
}

export function resolveAssertions(
  tree: SyntaxTree,
  threads: readonly ThreadNames[],
  diagnostics: DiagnosticCollector,
): readonly Assertion[] {
  return tree.items.flatMap((item) =>
    item.kind === 'assertion' ? resolveAssertion(item, threads, diagnostics) : [],
  );
}

function resolveAssertion(
  node: AssertionNode,
  threads: readonly ThreadNames[],
  diagnostics: DiagnosticCollector,
): readonly Assertion[] {
  const condition = resolve(node.condition, threads, diagnostics);
  return condition === null ? [] : [{ kind: node.form, condition, at: node.at }];
}

function resolve(
  node: ConditionNode,
  threads: readonly ThreadNames[],
  diagnostics: DiagnosticCollector,
): Condition | null {
  if (node.kind === 'compare') return resolveCompare(node, threads, diagnostics);
  if (node.kind === 'not') {
    const operand = resolve(node.operand, threads, diagnostics);
    return operand === null ? null : { kind: 'not', operand };
  }
  const left = resolve(node.left, threads, diagnostics);
  const right = resolve(node.right, threads, diagnostics);
  return left === null || right === null ? null : { kind: node.kind, left, right };
}

function resolveCompare(
  node: ConditionNode & { readonly kind: 'compare' },
  threads: readonly ThreadNames[],
  diagnostics: DiagnosticCollector,
): Condition | null {
  const constant = constantOf(node.value);
  if (constant === undefined) {
    diagnostics.error('L037', node.value.at, 'a final value is compared with a constant', {
      expected: 'a number',
    });
  }
  const thread = threads.findIndex(({ name }) => name === node.thread);
  const found = threads[thread];
  if (found === undefined) {
    diagnostics.error('L060', node.threadAt, `no thread is called '${node.thread}'`, {
      expected: 'the name of a cpu or device thread',
      suggestion: nearestName(
        node.thread,
        threads.map(({ name }) => name),
      ),
    });
    return null;
  }
  const local = found.locals.indexOf(node.local);
  if (local < 0) {
    const message = `thread '${node.thread}' has no local variable '${node.local}'`;
    diagnostics.error('L060', node.localAt, message, {
      expected: 'a variable declared in that thread',
      suggestion: nearestName(
        node.local,
        found.locals.filter((name) => !name.startsWith('%')),
      ),
    });
    return null;
  }
  if (constant === undefined) return null;
  const { operator } = node;
  return { kind: 'compare', operator, thread, local, value: constant.value };
}
