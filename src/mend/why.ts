/**
 * Why nothing mends a scenario: the run that every edit leaves as it is, and what it would take
 * that no edit is. Leaves out: proofs; those are the search's (search.ts).
 */
import { count } from '../base/text.js';
import { hazards, type HazardId } from '../verdict/hazards.js';
import type { DeviceConfig, MachineConfig } from '../litmus/program.js';
import type { Conflict } from './conflicts.js';
import { type Counterexample, touches } from './counterexample.js';
import type { Edit } from './edit.js';
import type { Outcome } from './refute.js';
import { lineStarts } from './source.js';
import { AS_WRITTEN } from './variant.js';

/** Masks from here on reach all memory there is. */
const ALL_ADDRESSES = Number.MAX_SAFE_INTEGER;

/**
 * A run that no edit takes away, but such as make no sense by themselves; undefined where each
 * run has a remedy.
 */
export function stubborn(
  conflicts: readonly Conflict[],
  allowed: readonly Edit[],
  isSenseless: (edit: Edit) => boolean,
): Counterexample | undefined {
  const stays = ({ kills }: Conflict): boolean =>
    !allowed.some((edit) => kills.has(edit) && !isSenseless(edit));
  return conflicts.find(stays)?.run;
}

/** What was tried on a run that stays, in a sentence. */
export function triedOn(run: Counterexample, vocabulary: readonly Edit[]): string {
  const near = vocabulary.filter((edit) => touches(edit, run)).length;
  const all = count(vocabulary.length, 'possible edit');
  if (near === 0) return `None of the ${all} comes by this run, its memory or its order`;
  const rest = vocabulary.length - near;
  const others = rest === 0 ? '' : `; the other ${rest} do not come by it`;
  const come = near === 1 ? 'one comes' : `${near} come`;
  return (
    `Of ${all} ${come} by this run, and with each of them it is still there or the scenario ` +
    `makes no sense${others}`
  );
}

/** What it would take, where that is known: what no edit can give. */
export function beyondEdits(run: Counterexample): string {
  const { machine } = run.variant.program;
  const { finding } = run.sighting;
  const thread = run.variant.sites.threads[finding?.agent ?? -1];
  const device = machine.devices[thread?.device ?? -1];
  switch (run.id) {
    case 'H7':
      return device === undefined ? '' : reach(device, machine);
    case 'H14':
      return fault(run, machine) || generally(device);
    case 'assertion':
      return 'An assertion asks for a value or an order of your own, and no edit changes a value';
    case 'H12':
      return 'The loop waits for a value that never reaches it: no edit changes what a thread does';
    default:
      return generally(device);
  }
}

function generally(device: DeviceConfig | undefined): string {
  const what = 'the accesses, their order in the program, and what the devices do';
  if (device === undefined) return `It depends on what no edit may change: ${what}`;
  const { name, coherent, snoops } = device;
  if (coherent === snoops) return `It depends on what no edit may change: ${what}`;
  const [fact, belief] = snoops ? ['snoops', 'does not'] : ['does not snoop', 'does'];
  return `${name} ${fact}, and the kernel takes it that it ${belief}: no edit changes either`;
}

function reach(device: DeviceConfig, machine: MachineConfig): string {
  const limit = Math.min(device.dmaMask, device.busPasses);
  if (limit >= ALL_ADDRESSES) return '';
  const lowest = machine.zoneDma <= limit ? '' : '; GFP_DMA gives no memory that low either';
  const bounce = machine.swiotlb === 'noforce';
  const slots = bounce ? 'there are no bounce buffers' : 'bounce buffers lie no lower than GFP_DMA';
  const iommu = device.iommu ? 'its IOMMU has no address that low' : 'it has no IOMMU';
  return (
    `${device.name} cannot reach the memory: it emits addresses up to 0x${limit.toString(16)}` +
    `${lowest}; ${iommu}, and ${slots}. No operation changes that; an IOMMU, memory within its ` +
    'reach (.zone_dma) or bounce buffers there would'
  );
}

function fault(run: Counterexample, machine: MachineConfig): string {
  const { finding } = run.sighting;
  const message = finding === null ? '' : finding.detail().message;
  if (!/speculative/u.test(message)) return '';
  const removable = machine.linearMapRemovable;
  return removable
    ? 'The CPU speculates through the linear map until the pages have left it'
    : 'The CPU speculates through the linear map, and this machine cannot take pages out of it ' +
        '(.linear_map_removable)';
}

/** ` with .swiotlb = force`; nothing for the machine as written. */
export function onPlatform(run: Counterexample): string {
  const { platform } = run.variant;
  return platform === AS_WRITTEN ? '' : `, with ${platform}`;
}

/** `H1 stale copy read at line 18 (app): …`, in lines of the user's file. */
export function describe(text: string, run: Counterexample): string {
  const { id, sighting, variant } = run;
  const name = isHazard(id) ? `${id} ${hazards[id].name}` : 'an assertion that fails';
  const where = onPlatform(run);
  const { finding } = sighting;
  if (finding === null) return `${name}${where}`;
  const origin = variant.origins[finding.site] ?? '';
  const thread = variant.sites.threads[finding.agent]?.name ?? '?';
  const { message } = finding.detail();
  if (!origin.startsWith('o')) return `${name} in the new text (${thread}${where}): ${message}`;
  const offset = Number.parseInt(origin.slice(1), 10);
  const line = lineStarts(text).filter((start) => start <= offset).length;
  return `${name} at line ${line} (${thread}${where}): ${message}`;
}

function isHazard(id: string): id is HazardId {
  return Object.hasOwn(hazards, id);
}

/** Edits looked at for an explanation; each costs an exploration. */
const LOOKED_AT = 12;

/** Each finding has its remedies, but they bring others: what comes after those of the first. */
export function inVain(
  conflicts: readonly Conflict[],
  allowed: readonly Edit[],
  text: string,
  alone: (edit: Edit) => Outcome['kind'] | Counterexample,
): string {
  const kills = conflicts[0]?.kills ?? new Set();
  const remedies = allowed.filter((edit) => kills.has(edit)).sort((a, b) => a.cost - b.cost);
  const after = new Map<string, Edit[]>();
  for (const edit of remedies.slice(0, LOOKED_AT)) {
    const found = alone(edit);
    const then = typeof found === 'string' ? otherwise[found] : whatComes(found, conflicts, text);
    after.set(then, [...(after.get(then) ?? []), edit]);
  }
  // What another finding shows comes first; what made no sense says least.
  const groups = [...after].sort(([a], [b]) => a.length - b.length).reverse();
  const told = groups.map(([then, edits]) => {
    const more = edits.length > 1 ? ` (and ${count(edits.length - 1, 'edit')} like it)` : '';
    return `${edits[0]?.title ?? ''}${more}: ${then}`;
  });
  const one = remedies.length === 1;
  const many = one ? 'One edit takes' : `${remedies.length} edits, each alone, take`;
  return `${many} that run away, in vain: ${told.join('; ')}`;
}

/** The finding after an edit; briefly when it is the one that was to go. */
function whatComes(run: Counterexample, conflicts: readonly Conflict[], text: string): string {
  if (conflicts.some((each) => each.run.name === run.name)) return SAME;
  return `then ${describe(text, run)}`;
}

const SAME = 'it comes in another run';

const otherwise: Readonly<Record<Outcome['kind'], string>> = {
  coherent: 'an access reaches other memory',
  hazard: 'something else goes wrong',
  unknown: 'it is too large to explore',
  senseless: 'the scenario makes no sense',
};
