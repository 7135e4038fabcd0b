/** Alias facts and notes for the report, out of what the explorations recorded. */
import type { Program } from '../litmus/program.js';
import type { AliasFact, MaintenanceFact, Note } from './result.js';
import type { Run, RunSource } from './runs.js';

/** Mappings of one buffer with different attributes at one time: facts, never a verdict. */
export function aliasFacts(runs: RunSource, run: Run): readonly AliasFact[] {
  return runs.facts.pairs().map(({ buffer, first, second, apart }) => ({
    buffer: run.system.bufferName(buffer),
    first: first.name,
    second: second.name,
    since: lineOf(run, Math.max(first.site, second.site)),
    apart: [...new Set(apart.map((site) => callAt(run, site)))],
    removable: first.name.startsWith('linear') && runs.program.machine.linearMapRemovable,
  }));
}

function lineOf(run: Run, site: number): number {
  return run.system.sites.at(site)?.instruction.at.line ?? 0;
}

function nameOf(run: Run, site: number): string {
  const instruction = run.system.sites.at(site)?.instruction;
  return instruction?.op === 'call' ? instruction.operation.name : 'page fault';
}

/** What a thread that never ends stands before: an access or a call. */
function waitsIn(run: Run, site: number): string {
  const instruction = run.system.sites.at(site)?.instruction;
  return instruction?.op === 'call' ? instruction.operation.name : (instruction?.op ?? '');
}

function callAt(run: Run, site: number): string {
  return `${nameOf(run, site)}:${lineOf(run, site)}`;
}

export function maintenanceOf(runs: RunSource, run: Run): readonly MaintenanceFact[] {
  const { helperLine: lineSize } = runs.program.machine;
  return runs.facts.work().map(({ op, from, size, site }) => ({
    operation: nameOf(run, site),
    line: lineOf(run, site),
    op,
    lines: size <= 0 ? 0 : Math.ceil((from + size) / lineSize) - Math.floor(from / lineSize),
  }));
}

export function notesOf(runs: RunSource, run: Run, program: Program): readonly Note[] {
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
        operation: waitsIn(run, each.site),
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
