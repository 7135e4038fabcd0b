/**
 * From drafts to findings: what needs to know about coherence is settled or left open, and all of
 * it is put in order.
 */
import type { CoherenceFact } from '../devices/coherence.js';
import type { Certainty, Finding, Severity } from '../model.js';
import type { DeviceState } from '../track/device.js';
import type { Draft } from './findings.js';

const severities: readonly Severity[] = ['error', 'warning', 'note'];

export interface Settled {
  readonly findings: readonly Finding[];
  /** Matches that were dropped since the device snoops, by rule. */
  readonly coherent: ReadonlyMap<string, number>;
}

function settle(draft: Draft, fact: CoherenceFact): Finding | null {
  if (draft.certainty !== 'needs-coherence') return draft.finish(draft.certainty, '');
  if (fact.coherent === null) {
    return draft.finish('needs-coherence', ', if the device does not snoop');
  }
  if (fact.coherent) return null;
  const { most } = draft;
  if (fact.from !== 'inferred') return draft.finish(most, '');
  const certainty: Certainty = most === 'certain' ? 'likely' : most;
  return draft.finish(certainty, '');
}

export function settleAll(
  drafts: readonly Draft[],
  factOf: (device: DeviceState) => CoherenceFact,
): Settled {
  const findings: Finding[] = [];
  const coherent = new Map<string, number>();
  for (const draft of drafts) {
    const finding = settle(draft, factOf(draft.site.device));
    if (finding !== null) findings.push(finding);
    else coherent.set(draft.rule.id, (coherent.get(draft.rule.id) ?? 0) + draft.count);
  }
  findings.sort(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      a.first.time - b.first.time ||
      (a.rule < b.rule ? -1 : 1),
  );
  return { findings, coherent };
}
