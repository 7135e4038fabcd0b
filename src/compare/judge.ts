/**
 * From the result of exploring an expanded scenario to a cell of the matrix.
 */
import {
  type Design,
  type DesignNode,
  type Expansion,
  everyCall,
  findOperation,
  type Refusal,
  type UseCase,
} from '../litmus/index.js';
import { hazardIds } from '../report/words.js';
import type { CheckResult, Finding } from '../verdict/result.js';
import type { Cell, CellHazard, CellVerdict, Cost, DesignFact, UseCaseFact } from './matrix.js';

export interface CellInput {
  readonly design: Design;
  readonly useCase: UseCase;
  readonly expansion: Expansion;
}

export function designFact(design: Design): DesignFact {
  const { name, file, about, node } = design;
  const calls = callsIn(node);
  return {
    name,
    file,
    about,
    needsDevice: devicesNeeded(node),
    dmaMaps: calls.filter((call) => /^dma_map_|^drm_gem_shmem_get_pages_sgt$/u.test(call)),
    dmaAllocs: calls.filter((call) => /^dma_alloc_/u.test(call)),
  };
}

function callsIn(node: DesignNode): readonly string[] {
  const names = new Set<string>();
  for (const { body } of node.handlers) everyCall(body, ({ callee }) => names.add(callee));
  return [...names];
}

/** Keys must differ: a second one with the same word gets its number. */
export function useCaseFacts(useCases: readonly UseCase[]): readonly UseCaseFact[] {
  const taken = new Set<string>();
  return useCases.map(({ name, file, about, question }, index) => {
    const word = /^[A-Za-z0-9]{1,3}(?=-|$)/u.exec(name)?.[0] ?? `u${index + 1}`;
    const key = taken.has(word) ? `u${index + 1}` : word;
    taken.add(key);
    return { name, key, file, about, question };
  });
}

/** Events that come before anybody says for which device the buffer is. */
const early: ReadonlySet<string> = new Set(['create', 'pages_got', 'map_cpu', 'map_kernel']);
/** Outside the DMA API, but they map for the device that the object was created for. */
const mapsForDevice: ReadonlySet<string> = new Set([
  'drm_gem_shmem_get_pages_sgt',
  'msm_gem_new',
  'msm_gem_pin_pages_locked',
]);

function devicesNeeded(node: DesignNode): readonly string[] {
  const found = new Set<string>();
  for (const handler of node.handlers) {
    if (!early.has(handler.event)) continue;
    const device = handler.params[1]?.name;
    everyCall(handler.body, (call) => {
      const takesIt = call.args.some((arg) => arg.kind === 'name' && arg.name === device);
      const isMapping = findOperation(call.callee)?.family === 'DMA mapping API' && takesIt;
      if (isMapping || mapsForDevice.has(call.callee)) found.add(call.callee);
    });
  }
  return [...found];
}

export function replayCommand(design: Design, useCase: UseCase): string {
  return `civac compare --expand ${design.file} ${useCase.file} | civac check -`;
}

const nothing = { hazards: [], safeIf: [], cost: null, maintenance: [], states: 0 };

export function refusedCell(design: Design, useCase: UseCase, refusal: Refusal): Cell {
  const why = refusal.why === '' ? `refuses ${refusal.event}` : refusal.why;
  const names = { design: design.name, useCase: useCase.name };
  return { ...nothing, ...names, verdict: 'refused', why, replay: '' };
}

export function unknownCell(design: Design, useCase: UseCase, why: string): Cell {
  const names = { design: design.name, useCase: useCase.name };
  return { ...nothing, ...names, verdict: 'unknown', why, replay: replayCommand(design, useCase) };
}

/** `safeIf`: settings under which the same cell was found coherent. */
export function judgeCell(
  input: CellInput,
  result: CheckResult,
  safeIf: readonly string[],
): Cell {
  const { design, useCase, expansion } = input;
  const idle = idleStep(result, expansion);
  const verdict = verdictOf(result, idle, safeIf);
  return {
    design: design.name,
    useCase: useCase.name,
    verdict,
    hazards: hazardsOf(result, expansion),
    safeIf,
    why: verdict === 'idle' ? (idle ?? '') : verdict === 'unknown' ? undecided(result) : '',
    cost: costOf(result, useCase, expansion),
    maintenance: result.maintenance,
    replay: replayCommand(design, useCase),
    states: result.states,
  };
}

function verdictOf(
  result: CheckResult,
  idle: string | null,
  safeIf: readonly string[],
): CellVerdict {
  if (result.verdict === 'hazard') return safeIf.length > 0 ? 'setting' : 'hazard';
  if (result.verdict === 'unknown' || result.portable === null) return 'unknown';
  if (idle !== null) return 'idle';
  return result.portable ? 'safe' : 'core';
}

function undecided(result: CheckResult): string {
  return result.reason ?? 'not decided whether it is portable';
}

/** A step of the use case itself, not of the design, that had no effect (M17). */
function idleStep(result: CheckResult, expansion: Expansion): string | null {
  const note = result.notes.find(
    ({ kind, line }) => kind === 'no-op' && expansion.originOfLine(line)?.event === null,
  );
  return note === undefined ? null : `${note.operation}: ${note.message}`;
}

function hazardsOf(result: CheckResult, expansion: Expansion): readonly CellHazard[] {
  const order = hazardIds(result.hazards);
  const firsts = order.flatMap((id) => {
    const all = result.hazards.filter((each) => each.id === id);
    const best = all.find(({ cause }) => cause) ?? all[0];
    return best === undefined ? [] : [best];
  });
  const causes = firsts.filter(({ cause }) => cause);
  const consequences = firsts.filter(({ cause }) => !cause);
  return [...causes, ...consequences].map((finding) => hazardOf(finding, expansion));
}

function hazardOf(finding: Finding, expansion: Expansion): CellHazard {
  const { id, message, expected, actual, certain, needs, trace } = finding;
  const fewest = [...needs].sort((a, b) => a.length - b.length)[0] ?? [];
  const steps = trace.map(({ agent, rule, text, line, wrong }) => {
    const origin = line === 0 ? null : expansion.originOfLine(line);
    const place =
      origin === null ? null : { file: origin.file, line: origin.at.line, event: origin.event };
    return { agent, rule, text, line, wrong, place };
  });
  return { id, message, expected, actual, certain, needs: fewest, steps };
}

/** Maintenance in answers to events of the frame, and all other. */
function costOf(result: CheckResult, useCase: UseCase, expansion: Expansion): Cost {
  const raised = (name: string): number =>
    Math.max(1, useCase.events.filter(({ node }) => node.event === name).length);
  let life = 0;
  let frame = 0;
  for (const { line, lines } of result.maintenance) {
    if (expansion.originOfLine(line)?.event?.phase === 'frame') frame += lines;
    else life += lines;
  }
  return { life: life / raised('create'), frame: frame / raised('submit') };
}
