/** The map event of a mapping as a head, for findings that are only made later. */
import type { EventHead } from '../events.js';
import type { LiveMapping } from '../track/live-mapping.js';

export function headOf(m: LiveMapping): EventHead {
  return {
    index: -1,
    time: m.mappedAt,
    cpu: m.mapCpu,
    pid: m.mapPid,
    task: m.mapTask,
    name: m.mapEvent,
  };
}

/** A copy that outlives the event. */
export function keepHead(head: EventHead): EventHead {
  const { index, time, cpu, pid, task, name } = head;
  return { index, time, cpu, pid, task, name };
}
