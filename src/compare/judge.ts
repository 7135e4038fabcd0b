/**
 * From the result of exploring an expanded scenario to a cell of the matrix.
 */
import {
  type Design,
  type DesignNode,
  type Expansion,
  everyCall,
  expand,
  findOperation,
  type Refusal,
  type UseCase,
} from '../litmus/index.js';
import { hazardIds } from '../report/words.js';
import type { CheckResult, Finding } from '../verdict/result.js';
import type {
  Cell,
  CellHazard,
  CellVerdict,
  Cost,
  DesignFact,
  Matrix,
  StepPlace,
  UseCaseFact,
} from './matrix.js';
import { mapsByDma, type Setting } from './settings.js';

/** One cell on its way: what is explored for it, and what its places mean. */
export interface CellSource {
  readonly design: string;
  readonly useCase: string;
  /** The scenario, as `civac check` takes it. */
  readonly file: string;
  readonly text: string;
  /** A command that prints it; null for one that is a file. */
  readonly expand: string | null;
  /** How many buffers and jobs it has, for the cost of each. */
  readonly buffers: number;
  readonly jobs: number;
  /** null for a scenario that nobody expanded. */
  readonly expansion: Expansion | null;
}

export function sourceOf(design: Design, useCase: UseCase): CellSource {
  const raised = (...names: readonly string[]): number =>
    Math.max(1, useCase.events.filter(({ node }) => names.includes(node.event)).length);
  const expansion = expand(design, useCase);
  return {
    design: design.name,
    useCase: useCase.name,
    file: `${useCase.name}.${design.name}.litmus`,
    text: expansion.text,
    expand: `civac compare --expand ${shellWord(design.file)} ${shellWord(useCase.file)}`,
    buffers: raised('create', 'import_user'),
    jobs: raised('submit'),
    expansion,
  };
}

export function designFact(design: Design): DesignFact {
  const { name, file, about, node } = design;
  const calls = callsIn(node);
  return {
    name,
    file,
    about,
    needsDevice: devicesNeeded(node),
    dmaMaps: calls.filter(mapsByDma),
    dmaAllocs: calls.filter((call) => /^dma_alloc_/u.test(call)),
    zones: calls.filter((call) => call === 'mapping_set_gfp_mask'),
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

/** A command that shows the runs of a cell again, maybe with a setting changed. */
function replayOf({ expand, file }: CellSource, setting?: string): string {
  const changed = setting === undefined ? '' : ` --with '${setting}'`;
  if (expand === null) return `civac check${changed} ${shellWord(file)}`;
  return `${expand} | civac check${changed} -`;
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const nothing = {
  hazards: [],
  onOtherCores: null,
  safeIf: [],
  unsafeIf: [],
  cost: null,
  maintenance: [],
  states: 0,
  replay: '',
};

export function refusedCell(design: string, useCase: string, refusal: Refusal): Cell {
  const why = refusal.why === '' ? `refuses ${refusal.event}` : refusal.why;
  return { ...nothing, design, useCase, verdict: 'refused', why };
}

export function unknownCell(source: CellSource, why: string): Cell {
  const { design, useCase } = source;
  const replay = replayOf(source);
  return { ...nothing, design, useCase, replay, verdict: 'unknown', why };
}

/** `decides`: settings under which the same cell was found safe, if it is unsafe, or unsafe. */
export function judgeCell(
  source: CellSource,
  result: CheckResult,
  decides: readonly string[],
): Cell {
  const safeIf = result.verdict === 'hazard' ? decides : [];
  const { design, useCase } = source;
  const idle = idleStep(result, source);
  const verdict = verdictOf(result, idle, safeIf);
  return {
    design,
    useCase,
    verdict,
    hazards: hazardsOf(result, source),
    onOtherCores: null,
    safeIf,
    unsafeIf: result.verdict === 'coherent' ? decides : [],
    why: verdict === 'idle' ? (idle ?? '') : verdict === 'unknown' ? undecided(result) : '',
    cost: costOf(result, source),
    maintenance: result.maintenance,
    replay: replayOf(source),
    states: result.states,
  };
}

/** A core cell with what was found on it with the setting that other cores come to. */
export function withOtherCores(
  cell: Cell,
  source: CellSource,
  result: CheckResult,
  { label }: Setting,
): Cell {
  const hazards = hazardsOf(result, source);
  if (cell.verdict !== 'core' || hazards.length === 0) return cell;
  return {
    ...cell,
    onOtherCores: { setting: label, hazards, replay: replayOf(source, label) },
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
function idleStep(result: CheckResult, { expansion }: CellSource): string | null {
  if (expansion === null) return null;
  const note = result.notes.find(
    ({ kind, line }) => kind === 'no-op' && expansion.originOfLine(line)?.event === null,
  );
  return note === undefined ? null : `${note.operation}: ${note.message}`;
}

/** One finding for each id, the one with the shortest run; causes before consequences. */
function hazardsOf(result: CheckResult, source: CellSource): readonly CellHazard[] {
  const sorted = [...result.hazards].sort(
    (a, b) => Number(b.cause) - Number(a.cause) || a.trace.length - b.trace.length,
  );
  return hazardIds(sorted).flatMap((id) => {
    const finding = sorted.find((each) => each.id === id);
    return finding === undefined ? [] : [hazardOf(finding, source)];
  });
}

function hazardOf(finding: Finding, source: CellSource): CellHazard {
  const { id, message, expected, actual, certain, needs, trace } = finding;
  const fewest = [...needs].sort((a, b) => a.length - b.length)[0] ?? [];
  const steps = trace.map(({ agent, rule, text, line, wrong }) => {
    return { agent, rule, text, line, wrong, place: placeOf(line, source) };
  });
  return { id, message, expected, actual, certain, needs: fewest, steps };
}

function placeOf(line: number, { expansion, file }: CellSource): StepPlace | null {
  if (line === 0) return null;
  if (expansion === null) return { file, line, event: null };
  const origin = expansion.originOfLine(line);
  return origin === null ? null : { file: origin.file, line: origin.at.line, event: origin.event };
}

/** Maintenance in answers to events of the frame, and all other. */
function costOf(result: CheckResult, { expansion, buffers, jobs }: CellSource): Cost {
  let life = 0;
  let frame = 0;
  for (const { line, lines } of result.maintenance) {
    if (expansion?.originOfLine(line)?.event?.phase === 'frame') frame += lines;
    else life += lines;
  }
  return { life: life / buffers, frame: frame / jobs };
}

/** Safest first; among equals the one that can do most, then the cheapest. */
export function ranked(matrix: Matrix): Matrix {
  const rank = new Map(
    matrix.designs.map(({ name }) => {
      const cells = matrix.cells.filter(({ design }) => design === name);
      const unsafe = cells.filter(({ verdict }) => verdict === 'hazard' || verdict === 'setting');
      const undone = cells.filter(({ verdict }) => verdict !== 'safe' && verdict !== 'core');
      const cost = cells.reduce((sum, each) => sum + (each.cost?.frame ?? 0) * 100, 0);
      const life = cells.reduce((sum, each) => sum + (each.cost?.life ?? 0), 0);
      return [name, [unsafe.length, undone.length, cost + life]] as const;
    }),
  );
  const designs = [...matrix.designs].sort((a, b) => {
    const left = rank.get(a.name) ?? [];
    const right = rank.get(b.name) ?? [];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
  });
  const cells = designs.flatMap(({ name }) => matrix.cells.filter(({ design }) => design === name));
  return { ...matrix, designs, cells };
}

/** Rival scenarios of one flow: a design each, and the flow as the only use case. */
export function rivalsMatrix(
  rivals: readonly { readonly name: string; readonly file: string; readonly about: string }[],
  cells: readonly Cell[],
): Matrix {
  const about = 'the flow that these scenarios have in common';
  const flow = { name: 'flow', key: 'flow', file: '', about, question: null };
  const designs = rivals.map((each) => ({
    ...each,
    needsDevice: [],
    dmaMaps: [],
    dmaAllocs: [],
    zones: [],
  }));
  return { kind: 'rivals', designs, useCases: [flow], cells };
}
