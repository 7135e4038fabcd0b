/**
 * Checks of errors: a driver that maps memory which it may not get, and does not ask, gives up
 * where it fails. Only in threads of the CPU, and only on machines where mappings may fail.
 */
import type { CallNode } from '../litmus/ast.js';
import { text } from './arguments.js';
import { type Draft, insertion } from './edit.js';
import { draft, gapSpot, type Scene, statementSpot } from './scene.js';
import type { SourceStatement } from './source.js';

export function errorChecks(scene: Scene): readonly Draft[] {
  return scene.source.statements.flatMap((statement) => {
    const [call] = statement.calls;
    if (statement.thread.role !== 'cpu' || call === undefined) return [];
    const device = scene.machine.devices.find(({ name }) => name === text(scene, call, 'dev'));
    if (device?.mappingMayFail !== true) return [];
    return [...afterwards(scene, statement, call), ...around(scene, statement, call)];
  });
}

/** `if (dma_mapping_error(dev, dma) != 0) return;` behind the mapping. */
function afterwards(scene: Scene, statement: SourceStatement, call: CallNode): readonly Draft[] {
  if (!/^dma_map_(single|page|resource)/u.test(call.callee)) return [];
  const given = scene.names.all.find((name) => name.statement === statement && name.call === call);
  const gap = scene.source.gaps.find(
    ({ thread, at }) => thread === statement.thread && at >= statement.to,
  );
  if (given === undefined || gap === undefined) return [];
  const operation = 'dma_mapping_error';
  const test = `if (${operation}(${text(scene, call, 'dev')}, ${given.name}) != 0)`;
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
function around(scene: Scene, statement: SourceStatement, call: CallNode): readonly Draft[] {
  const { node, from, to } = statement;
  const isPlain = node.kind === 'expression' && node.expression === call;
  const failed = { dma_map_sgtable: '!= 0', dma_map_sg: '== 0' }[call.callee];
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
