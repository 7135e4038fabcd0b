/** Alias facts and notes for the report, out of what the explorations recorded. */
import type { Program } from '../litmus/program.js';
import type { AliasFact, MaintenanceFact, Note } from './result.js';
import type { Run, Runs } from './runs.js';

interface Mapping {
  readonly name: string;
  readonly line: number;
}

/** Pairs of live mappings of one buffer with different attributes: facts, never a verdict. */
export function aliasFacts(runs: Runs, run: Run): readonly AliasFact[] {
  const { facts } = runs;
  const byBuffer = new Map<number, Mapping[]>();
  for (const map of facts.maps()) {
    const line = lineOf(run, map.site);
    const mappings = byBuffer.get(map.buffer) ?? [{ name: 'linear map (WB)', line: 0 }];
    mappings.push({ name: map.mapping, line });
    byBuffer.set(map.buffer, mappings);
  }
  return [...byBuffer].flatMap(([buffer, mappings]) =>
    pairs(mappings).map(([first, second]) => ({
      buffer: run.system.bufferName(buffer),
      first: first.name,
      second: second.name,
      since: Math.max(first.line, second.line),
      apart: facts.maintainedAt(buffer).map((site) => callAt(run, site)),
      removable: first.name.startsWith('linear') && runs.program.machine.linearMapRemovable,
    })),
  );
}

function attribute(name: string): string {
  return name.slice(name.indexOf('('));
}

/** Each pair of names once, at the line that made it. */
function pairs(mappings: readonly Mapping[]): [Mapping, Mapping][] {
  const found = new Map<string, [Mapping, Mapping]>();
  mappings.forEach((second, i) => {
    for (const first of mappings.slice(0, i)) {
      const key = `${first.name}|${second.name}`;
      const differ = attribute(first.name) !== attribute(second.name);
      if (differ && !found.has(key)) found.set(key, [first, second]);
    }
  });
  return [...found.values()];
}

function lineOf(run: Run, site: number): number {
  return run.system.sites.at(site)?.instruction.at.line ?? 0;
}

function nameOf(run: Run, site: number): string {
  const instruction = run.system.sites.at(site)?.instruction;
  return instruction?.op === 'call' ? instruction.operation.name : 'page fault';
}

function callAt(run: Run, site: number): string {
  return `${nameOf(run, site)}:${lineOf(run, site)}`;
}

export function maintenanceOf(runs: Runs, run: Run): readonly MaintenanceFact[] {
  return runs.facts.work().map(({ op, lines, site }) => ({
    operation: nameOf(run, site),
    line: lineOf(run, site),
    op,
    lines,
  }));
}

export function notesOf(runs: Runs, run: Run, program: Program): readonly Note[] {
  const recorded = runs.facts.notes().map(
    (note): Note => ({
      kind: note.kind,
      rule: note.rule,
      operation: nameOf(run, note.site),
      line: lineOf(run, note.site),
      message: note.message,
    }),
  );
  const stuck = run.stuck
    .filter((each) => !each.lost)
    .map(
      (each): Note => ({
        kind: 'stuck',
        rule: '§1',
        operation: nameOf(run, each.site),
        line: lineOf(run, each.site),
        message: `thread ${nameOfThread(program, each.agent)} may wait here for ever`,
      }),
    );
  const unique = new Map(
    [...recorded, ...stuck].map((note) => [`${note.line}|${note.message}`, note] as const),
  );
  return [...unique.values()].sort((a, b) => a.line - b.line);
}

function nameOfThread(program: Program, agent: number): string {
  return [program.init, ...program.threads][agent]?.name ?? '?';
}
