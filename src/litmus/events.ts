/**
 * The events of a buffer's life: the moments at which a driver gets control, and may act on the
 * cache. A use case raises them, a design answers them. Every event begins with the buffer, the
 * device it is for and its size in bytes; what follows differs.
 * Leaves out: what an answer consists of (any operation of the registry).
 */

/** `life`: once or seldom in a buffer's life; `frame`: for every job or access. */
export type EventPhase = 'life' | 'frame';

export interface EventKind {
  readonly name: string;
  readonly params: readonly string[];
  readonly phase: EventPhase;
  /** A design without an answer is incomplete; elsewhere no answer means: nothing to do. */
  readonly required: boolean;
  /** What a design without an answer does: nothing, or it cannot take part at all. */
  readonly unanswered: 'nothing' | 'refused';
  readonly doc: string;
}

function event(
  name: string,
  phase: EventPhase,
  more: readonly string[],
  doc: string,
  required = false,
  unanswered: EventKind['unanswered'] = 'nothing',
): EventKind {
  return { name, params: ['bo', 'dev', 'size', ...more], phase, required, unanswered, doc };
}

export const events: readonly EventKind[] = [
  event('create', 'life', [], 'the object comes into being; gives `bo` its meaning', true),
  event('pages_got', 'life', [], 'its pages become resident, at the latest when it faults', true),
  event(
    'import_user',
    'life',
    ['p'],
    'instead of both: memory that user space has at `p` becomes the object; without an answer ' +
      'the design takes none',
    false,
    'refused',
  ),
  event('map_cpu', 'life', ['p'], 'user space maps it; gives `p` its value', true),
  event('map_kernel', 'life', ['p'], 'the kernel maps it (vmap); gives `p` its value'),
  event(
    'map_device',
    'life',
    ['vm', 'iova', 'prot'],
    'it enters a page table of the device, with IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE as given',
    true,
  ),
  event(
    'map_bus',
    'life',
    ['addr'],
    'it is given to a device without page tables; gives `addr` the address that the device emits',
  ),
  event('cpu_access_begin', 'frame', ['dir'], 'user space says that it will access the buffer'),
  event('cpu_access_end', 'frame', ['dir'], 'user space says that its accesses are over'),
  event('submit', 'frame', [], 'a job that uses it is about to be given to the device'),
  event('fence', 'frame', [], 'the job is finished'),
  event('unmap_device', 'life', ['vm', 'iova'], 'it leaves a page table of the device'),
  event('unmap_cpu', 'life', ['p'], 'user space unmaps it'),
  event('unpin', 'life', [], 'reclaim may take the pages from now on'),
  event('swap_in', 'life', [], 'the pages are needed again, other ones perhaps'),
  event('madvise', 'life', ['madv'], 'user space needs the contents, or no longer does'),
  event('purge', 'life', [], 'the shrinker takes pages and contents that are not needed'),
  event('release_user', 'life', [], 'user space has its memory for itself again'),
  event('free', 'life', [], 'the last user is gone'),
];

const byName = new Map(events.map((each) => [each.name, each]));

export function findEvent(name: string): EventKind | undefined {
  return byName.get(name);
}

export function eventNames(): readonly string[] {
  return [...byName.keys()];
}

/** `map_cpu(bo, dev, size, p)` */
export function eventSignature({ name, params }: EventKind): string {
  return `${name}(${params.join(', ')})`;
}
