/**
 * Findings in the making. The same rule at the same call site with the same certainty is one
 * finding with a count, so that memory depends on the program traced and not on how long it ran.
 */

import { double } from '../double.js';
import type { EventHead } from '../events.js';
import type {
  Certainty,
  Evidence,
  Finding,
  Mapping,
  Moment,
  Severity,
  TraceObserver,
} from '../model.js';
import type { Site } from '../track/device.js';
import type { RuleInfo } from './rule.js';

const certainties: readonly Certainty[] = ['certain', 'likely', 'needs-coherence'];

/** One finding that still counts. */
export class Draft {
  count = 0;
  message = '';
  evidence: readonly Evidence[] = [];
  mappings: readonly number[] = [];
  severity: Severity;
  /** How sure it can become once coherence is known. */
  most: Certainty;
  readonly first: Moment;
  lastTime = double;
  lastCpu = 0;
  lastPid = 0;
  lastTask = '';
  lastEvent = '';

  constructor(
    readonly rule: RuleInfo,
    readonly site: Site,
    readonly certainty: Certainty,
    head: EventHead,
  ) {
    this.severity = rule.severity;
    this.most = rule.certainty;
    this.first = momentOf(head);
  }

  /** Completes a finding that was just made. */
  tell(message: string, evidence: readonly Evidence[], mappings: readonly Mapping[]): this {
    this.message = message;
    this.evidence = evidence;
    this.mappings = mappings.map((mapping) => mapping.id);
    return this;
  }

  /** For a case of the rule that is better than usual: how bad, and how sure at most. */
  as(severity: Severity, most: Certainty = this.most): this {
    this.severity = severity;
    this.most = most;
    return this;
  }

  finish(certainty: Certainty, because: string): Finding {
    const { rule, first } = this;
    return {
      id: rule.hazard,
      rule: rule.id,
      severity: this.severity,
      certainty,
      device: this.site.device.name,
      message: this.message + because,
      count: this.count,
      first,
      last: {
        time: this.lastTime,
        cpu: this.lastCpu,
        pid: this.lastPid,
        task: this.lastTask,
        event: this.lastEvent,
      },
      evidence: this.evidence,
      mappings: this.mappings,
      dmaDebug: rule.dmaDebug,
    };
  }
}

export function momentOf(head: EventHead): Moment {
  return {
    time: head.time,
    cpu: head.cpu,
    pid: head.pid,
    task: head.task,
    event: head.name,
  };
}

/** Different findings before further ones are only counted. */
const draftsMax = 5000;

export class Findings {
  readonly drafts: Draft[] = [];
  /** Findings that found no room. */
  dropped = 0;
  private readonly slots = new Map<RuleInfo, number>();

  constructor(private readonly observer: TraceObserver) {}

  /**
   * Counts a match. Returns the draft if it is the first of its kind here, to be completed with
   * `tell`; null if it only had to be counted.
   */
  hit(
    rule: RuleInfo,
    site: Site,
    head: EventHead,
    certainty: Certainty,
    concerned: Mapping | null = null,
    times = 1,
  ): Draft | null {
    const slot = this.slotOf(rule) + certainties.indexOf(certainty);
    let draft = site.drafts[slot];
    const fresh = draft === undefined;
    if (draft === undefined) {
      if (this.drafts.length >= draftsMax) {
        this.dropped += 1;
        return null;
      }
      draft = new Draft(rule, site, certainty, head);
      site.drafts[slot] = draft;
      this.drafts.push(draft);
    }
    draft.count += times;
    draft.lastTime = head.time;
    draft.lastCpu = head.cpu;
    draft.lastPid = head.pid;
    draft.lastTask = head.task;
    draft.lastEvent = head.name;
    if (this.observer.matched !== undefined) {
      this.observer.matched(rule.id, momentOf(head), rule.title, concerned ? [concerned] : []);
    }
    return fresh ? draft : null;
  }

  private slotOf(rule: RuleInfo): number {
    const known = this.slots.get(rule);
    if (known !== undefined) return known;
    const slot = this.slots.size * certainties.length;
    this.slots.set(rule, slot);
    return slot;
  }
}
