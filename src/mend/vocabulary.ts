/**
 * The vocabulary of one scenario: every single edit that mend may combine, numbered and priced.
 * None of them touches an access, a doorbell, a wait or a device's program (useCaseOf checks it).
 */
import type { Program } from '../litmus/program.js';
import { changes } from './changes.js';
import { errorChecks } from './checks.js';
import type { Costs } from './costs.js';
import type { Draft, Edit } from './edit.js';
import { insertions } from './inserts.js';
import { moves } from './moves.js';
import { readNames } from './names.js';
import { paddings } from './padding.js';
import { makeScene } from './scene.js';
import { readSource } from './source.js';

export function vocabularyOf(text: string, program: Program, costs: Costs): readonly Edit[] {
  const source = readSource(text);
  if (source === null) return [];
  const { machine } = program;
  const scene = makeScene(source, readNames(source, machine.pageSize), machine, costs);
  const drafts = [
    ...insertions(scene),
    ...errorChecks(scene),
    ...changes(scene),
    ...paddings(scene),
    ...moves(scene),
  ];
  const plain = drafts.map((each, id) => priced(each, id, costs));
  return plain.flatMap((edit, id) => {
    const after = drafts[id]?.after ?? '';
    if (after === '') return [edit];
    const enabler = plain.find(
      ({ slots, operation, kind }, other) =>
        slots.includes(after) &&
        drafts[other]?.after === '' &&
        (kind === 'insert' || operation.startsWith('dma_map')),
    );
    return enabler === undefined ? [] : [{ ...edit, enablers: [enabler] }];
  });
}

function priced(draft: Draft, id: number, costs: Costs): Edit {
  const { runtime, extra, after: _, ...rest } = draft;
  return { ...rest, id, cost: costs[rest.kind] + runtime + extra, enablers: [] };
}

/** Of what a thread does with a device, what may be added: none of it gives the device work. */
const addable: ReadonlySet<string> = new Set(['wait', 'readl', 'panthor_gpu_flush_caches']);

/**
 * What the use case does, thread by thread: accesses and doorbells in their order, and the devices'
 * programs whole. Equal before and after any set of edits. (Waits may be added, never taken.)
 */
export function useCaseOf(program: Program): string {
  const threads = [program.init, ...program.threads].map((thread) => {
    const events = thread.code.flatMap((instruction): string[] => {
      switch (instruction.op) {
        case 'load':
        case 'store':
          return [`${instruction.op}${instruction.size}`];
        case 'branch':
          // Checks of errors may be added; no edit takes a branch away.
          return instruction.spin ? ['spin'] : [];
        case 'call': {
          const { name, family } = instruction.operation;
          if (family === 'threads') return [name];
          if (family !== 'device' || addable.has(name)) return [];
          return [name.replace('writel_relaxed', 'writel')];
        }
        default:
          return [];
      }
    });
    return `${thread.name}: ${events.join(' ')}`;
  });
  const asserted = program.assertions.map(({ kind }) => kind);
  return [...threads, ...asserted].join('\n');
}
