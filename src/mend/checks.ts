/**
 * Checks of errors: a driver that maps or allocates memory which it may not get, and does not ask,
 * gives up where it fails. Only in threads of the CPU, and only on machines where that may fail.
 */
import { findOperation } from '../kernel/registry.js';
import type { CallNode } from '../litmus/ast.js';
import { text } from './arguments.js';
import { type Draft, insertion } from './edit.js';
import { draft, gapSpot, type Scene, statementSpot } from './scene.js';
import type { SourceStatement } from './source.js';

export function errorChecks(scene: Scene): readonly Draft[] {
  return scene.source.statements.flatMap((statement) => {
    const [call] = statement.calls;
    if (statement.thread.role !== 'cpu' || call === undefined) return [];
    if (scene.machine.allocationMayFail) {
      const drafts = afterAllocation(scene, statement, call);
      if (drafts.length > 0) return drafts;
    }
    const device = scene.machine.devices.find(({ name }) => name === text(scene, call, 'dev'));
    if (device?.mappingMayFail !== true) return [];
    return [...afterwards(scene, statement, call), ...around(scene, statement, call)];
  });
}

/** `if (dma_mapping_error(dev, dma) != 0) return;` behind the mapping. */
function afterwards(scene: Scene, statement: SourceStatement, call: CallNode): readonly Draft[] {
  if (!/^dma_map_(single|page|resource)/u.test(call.callee)) return [];
  const operation = 'dma_mapping_error';
  const asks = (name: string): string => `${operation}(${text(scene, call, 'dev')}, ${name}) != 0`;
  return behind(scene, statement, call, operation, asks);
}

/** `if (!p) return;`, `if (IS_ERR(bo)) return;` or `if (pin(…) != 0) return;`, as Linux says it. */
function afterAllocation(
  scene: Scene,
  statement: SourceStatement,
  call: CallNode,
): readonly Draft[] {
  const operation = findOperation(call.callee);
  if (operation?.fails === undefined) return [];
  // iommu_map_sgtable() says how many bytes it mapped.
  if (operation.name === 'iommu_map_sgtable') return [];
  if (operation.returns === 'int') return around(scene, statement, call, '!= 0');
  const isNull = operation.fails.returns === 0;
  const asks = (name: string): string => (isNull ? `!${name}` : `IS_ERR(${name})`);
  return behind(scene, statement, call, isNull ? call.callee : 'IS_ERR', asks);
}

/** A question about what a call gave, in the next line, and the end of the thread if it failed. */
function behind(
  scene: Scene,
  statement: SourceStatement,
  call: CallNode,
  operation: string,
  asks: (name: string) => string,
): readonly Draft[] {
  const given = scene.names.all.find((name) => name.statement === statement && name.call === call);
  const gap = scene.source.gaps.find(
    ({ thread, at }) => thread === statement.thread && at >= statement.to,
  );
  if (given === undefined || gap === undefined) return [];
  const test = `if (${asks(given.name)})`;
  const apart = gap.after === '\n' ? `\n${gap.before}\t` : ' ';
  return [
    draft({
      kind: 'insert',
      operation,
      title: `insert \`${test} return;\` behind line ${statement.line}`,
      patches: [insertion(gap, `${test}${apart}return;`)],
      spots: [gapSpot(gap)],
      root: scene.names.rootOf(call),
      line: gap.line,
      slots: [`check ${statement.from}`],
      runtime: scene.costs.call,
    }),
  ];
}

/** `if (dma_map_sgtable(...) != 0) return;`: what it returns says whether it failed. */
function around(
  scene: Scene,
  statement: SourceStatement,
  call: CallNode,
  failed: string | undefined = { dma_map_sgtable: '!= 0', dma_map_sg: '== 0' }[call.callee],
): readonly Draft[] {
  const { node, from, to } = statement;
  const isPlain = node.kind === 'expression' && node.expression === call;
  if (!isPlain || failed === undefined) return [];
  return [
    draft({
      kind: 'change',
      operation: call.callee,
      title: `return where \`${call.callee}\` in line ${statement.line} fails`,
      patches: [
        { from, to: from, text: 'if (' },
        { from: to - 1, to, text: ` ${failed}) return;` },
      ],
      spots: [statementSpot(statement)],
      root: scene.names.rootOf(call),
      line: statement.line,
      slots: [`check ${from}`],
      runtime: 0,
    }),
  ];
}
