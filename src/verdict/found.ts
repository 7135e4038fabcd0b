/**
 * From what explorations found to a finding of a report: in words, with the run that shows it.
 * Leaves out: which findings there are and what they need (needs.ts).
 */
import { judgeAssertions, type Judged } from './assertions.js';
import { hazards, type HazardId, mendsFor } from './hazards.js';
import { type Named, nameApart } from './needs.js';
import type { Finding } from './result.js';
import type { Run, RunSource, Shown } from './runs.js';
import { replay } from './trace.js';

function isHazard(id: string): id is HazardId {
  return Object.hasOwn(hazards, id);
}

/** The run to show of a finding, and what replays it. */
function shownOf(runs: RunSource | null, { run, sighting }: Named): Shown {
  const facts = run.apart ?? runs?.facts;
  if (facts === undefined) throw new Error('a finding of no exploration');
  const own = { run, sighting, facts };
  return run.apart ? own : (runs?.shown?.(run, sighting) ?? own);
}

/**
 * A finding as reports have it, with its run. Without explorations (null) nobody knows yet whether
 * some run avoids it.
 */
export function findingOf(
  runs: RunSource | null,
  named: Named,
  all: readonly Named[],
): Finding {
  const { system, apart } = named.run;
  const { run, sighting, facts } = shownOf(runs, named);
  const { steps, finding } = replay(run, sighting, facts);
  const detail = finding?.detail() ?? {
    message: 'the loop never ends although the newest values would end it',
    expected: 'the loop ends',
    actual: 'it reads the same stale value for ever',
  };
  const [agent = '0', at = '0:0'] = named.place.split('|');
  const [line = 0, column = 0] = at.split(':').map(Number);
  const id = isHazard(named.id) ? named.id : 'assertion';
  const site =
    named.sighting.finding?.site ??
    named.run.stuck.find((each) => each.name === named.sighting.name)?.site ??
    -1;
  const length = system.sites.at(site)?.instruction.at.length ?? 1;
  const causeHere = all.some(
    (each) => each !== named && each.place === named.place && isCause(each),
  );
  return {
    id,
    cause: isCause(named) && !(named.id === 'H12' && causeHere),
    needs: named.needs,
    certain: runs !== null && isCertain(runs, named),
    message:
      named.id === 'H13'
        ? `wrong only when the machine reorders: ${detail.message}`
        : detail.message,
    at: { agent: system.sites.threads[Number(agent)]?.name ?? '?', line, column, length },
    expected: detail.expected,
    actual: detail.actual,
    trace: steps,
    ...(apart ? { anyRun: true } : {}),
    mends: id === 'assertion' ? [] : mendsFor(id, detail.message),
  };
}

function isCause(named: Named): boolean {
  return named.sighting.finding?.cause ?? true;
}

/** Every complete run of the least machine meets it; only a finding that needs nothing can be. */
function isCertain(runs: RunSource, named: Named): boolean {
  if (!named.needs.some((set) => set.length === 0)) return false;
  const { system } = named.run;
  const raw = new Set(named.raw);
  if (named.id === 'H12') return named.run.exploration.completeStates.length === 0;
  return runs.avoidable([], (finding) => raw.has(system.name(finding))) === false;
}

/** A broken `forbidden` or `always`, with its run. */
export function assertionFinding(
  runs: RunSource,
  run: Run,
  judged: Judged,
  index: number,
): Finding[] {
  const { kind, holds, line } = judged.result;
  if (kind === 'exists' || holds !== false || judged.state === null) return [];
  const at = runs.program.assertions[index]?.at;
  const whole = runs.unprojected?.(run.liberties) ?? null;
  const there = whole === null ? null : judgeAssertions(runs.program, whole.run)[index]?.state;
  const own = { run: run.origins?.get('assertion') ?? run, facts: runs.facts, state: judged.state };
  const shown = whole !== null && there != null ? { ...whole, state: there } : own;
  const named = { name: 'assertion', id: 'assertion', finding: null };
  const sighting = { ...named, state: shown.state, action: -1, depth: 0 };
  return [
    {
      id: 'assertion',
      cause: true,
      needs: [],
      certain: false,
      message:
        kind === 'always' ? 'a complete run breaks `always`' : 'a complete run reaches `forbidden`',
      at: { agent: '', line, column: at?.column ?? 1, length: at?.length ?? 1 },
      expected: kind === 'always' ? 'true in every complete run' : 'true in no complete run',
      actual: kind === 'always' ? 'false' : 'true',
      trace: replay(shown.run, sighting, shown.facts).steps,
      mends: [],
    },
  ];
}

/** What the first pass found (contract-pass.ts), as long as nothing else is known. */
export function brokenContracts(run: Run): readonly Finding[] {
  const named = nameApart(run);
  return named.map((each) => findingOf(null, each, named));
}
