/**
 * `.any = true`: a device that nobody knows yet stands for every device (M15). A scenario with one
 * is explored for each importer in turn, and is coherent only if it is for all of them.
 * Leaves out: masks between 32 and 64 bits, and below 32, which a scenario can name itself.
 */
import { kernelProfiles } from '../kernel/profile.js';
import type { DeviceConfig, MachineConfig, Program } from '../litmus/program.js';
import { assumptionsOf } from './assumptions.js';
import type { CheckResult, Finding, ImporterResult } from './result.js';

/** One device that an `any` device may turn out to be: settings of its block and their values. */
export interface Importer {
  readonly device: string;
  readonly settings: readonly (readonly [name: string, value: string])[];
}

const MASK_32 = 2 ** 32 - 1;

/** Every combination that can make a difference on this machine; empty for a known device. */
function importersOfDevice(device: DeviceConfig, machine: MachineConfig): readonly Importer[] {
  if (device.varies.length === 0) return [];
  const { knowsNonCoherent } = kernelProfiles[machine.profile];
  const choices = device.varies.map((name): readonly (readonly [string, string])[] => {
    const values =
      name === 'coherent'
        ? knowsNonCoherent
          ? ['false', 'true']
          : ['true']
        : name === 'iommu'
          ? ['none', 'smmu']
          : machine.memoryAbove4G
            ? ['DMA_BIT_MASK(64)', 'DMA_BIT_MASK(32)']
            : ['DMA_BIT_MASK(64)'];
    return values.map((value) => [name, value]);
  });
  // What cannot differ on this machine needs no word, unless nothing can.
  const open = choices.filter((values) => values.length > 1);
  const all = (open.length === 0 ? choices : open).reduce<Importer['settings'][]>(
    (sets, options) => sets.flatMap((set) => options.map((option) => [...set, option])),
    [[]],
  );
  return all.map((settings) => ({ device: device.name, settings }));
}

/** For every `any` device of the machine, each combined with each of the others. */
export function importersOf(machine: MachineConfig): readonly (readonly Importer[])[] {
  const each = machine.devices
    .map((device) => importersOfDevice(device, machine))
    .filter((importers) => importers.length > 0);
  if (each.length === 0) return [];
  return each.reduce<(readonly Importer[])[]>(
    (sets, importers) => sets.flatMap((set) => importers.map((one) => [...set, one])),
    [[]],
  );
}

/** `gpu .coherent = false, .iommu = smmu`. */
export function importerLabel(importers: readonly Importer[]): string {
  return importers
    .map(({ device, settings }) => {
      const told = settings.map(([name, value]) => `.${name} = ${value}`).join(', ');
      return `${device} ${told}`;
    })
    .join('; ');
}

/** The scenario with these importers in place of the devices that may be any. */
export function resolved(program: Program, importers: readonly Importer[]): Program {
  const devices = program.machine.devices.map((device) => {
    const mine = importers.find((each) => each.device === device.name);
    return mine === undefined ? device : deviceLike(device, new Map(mine.settings));
  });
  return { ...program, machine: { ...program.machine, devices } };
}

function deviceLike(device: DeviceConfig, values: ReadonlyMap<string, string>): DeviceConfig {
  const coherent = values.get('coherent');
  const iommu = values.get('iommu');
  const isNarrow = values.get('dma_mask') === 'DMA_BIT_MASK(32)';
  const believed = coherent === undefined ? device.coherent : coherent === 'true';
  // Where the block says what it really does, that stays.
  const snoops = device.snoops === device.coherent ? believed : device.snoops;
  return {
    ...device,
    varies: [],
    coherent: believed,
    snoops,
    iommu: iommu === undefined ? device.iommu : iommu !== 'none',
    dmaMask: isNarrow ? MASK_32 : device.dmaMask,
    coherentDmaMask: isNarrow ? Math.min(MASK_32, device.coherentDmaMask) : device.coherentDmaMask,
  };
}

/** Explores once, or once for every importer; `one` throws ScenarioFault for any of them. */
export function forEveryImporter(
  program: Program,
  one: (program: Program) => CheckResult,
): CheckResult {
  const importers = importersOf(program.machine);
  if (importers.length === 0) return one(program);
  const told = importers.map((each) => {
    const result = one(resolved(program, each));
    return { label: importerLabel(each), result };
  });
  return together(program, told);
}

interface Told {
  readonly label: string;
  readonly result: CheckResult;
}

/** The result of the importer that fails first, with what the others add. */
function together(program: Program, told: readonly Told[]): CheckResult {
  const results = told.map(({ result }) => result);
  const verdicts = results.map(({ verdict }) => verdict);
  const verdict = (['hazard', 'unknown', 'coherent'] as const).find((v) => verdicts.includes(v));
  const first = results.find((result) => result.verdict === verdict) ?? results[0];
  if (first === undefined) throw new Error('no importer');
  const found = findingsOf(told);
  const portable = results.map((result) => result.portable);
  const { result: stated } = program.header;
  const wanted = [...new Set(stated === null || stated === 'coherent' ? [] : stated)].sort();
  const got = [...new Set(found.map(({ id }) => id))].sort();
  const isDecided = results.every(({ reason }) => reason === null);
  return {
    ...first,
    assumptions: assumptionsOf(program),
    reason: results.find(({ reason }) => reason !== null)?.reason ?? null,
    portable: portable.includes(false) ? false : portable.includes(null) ? null : true,
    hazards: found,
    notes: notesOf(results),
    asExpected: stated === null ? null : isDecided && wanted.join() === got.join(),
    states: sum(results.map(({ states }) => states)),
    transitions: sum(results.map(({ transitions }) => transitions)),
    seconds: sum(results.map(({ seconds }) => seconds)),
    importers: told.map(importerResult),
  };
}

function importerResult({ label, result }: Told): ImporterResult {
  const hazards = [...new Set(result.hazards.map(({ id }) => id))];
  return { importer: label, verdict: result.verdict, hazards };
}

/** Each finding of the first importer that has it, which its message names. */
function findingsOf(told: readonly Told[]): readonly Finding[] {
  const seen = new Set<string>();
  return told.flatMap(({ label, result }) =>
    result.hazards.flatMap((finding) => {
      const { id, at } = finding;
      const key = `${id} ${at.agent} ${at.line} ${at.column}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ ...finding, message: `${finding.message}; with ${label}` }];
    }),
  );
}

/** A call that does nothing for one importer does something for another. */
function notesOf(results: readonly CheckResult[]): CheckResult['notes'] {
  const [first, ...others] = results.map(({ notes }) => notes);
  return (first ?? []).filter((note) =>
    others.every((notes) =>
      notes.some(
        ({ kind, line, operation }) =>
          kind === note.kind && line === note.line && operation === note.operation,
      ),
    ),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
