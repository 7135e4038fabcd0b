/** Books of coherence from what the user says and from the sidecar of a recording. */
import type { Sidecar } from '../sidecar.js';
import type { CoherenceBook } from './coherence.js';

/** `*` at the end of a name stands for any rest; `*` alone for every device. */
function matches(pattern: string, device: string): boolean {
  return pattern.endsWith('*') ? device.startsWith(pattern.slice(0, -1)) : pattern === device;
}

/** `--coherent` and `--non-coherent`; the longest pattern that fits decides. */
export function statedBook(
  coherent: readonly string[],
  nonCoherent: readonly string[],
): CoherenceBook {
  const stated = [
    ...coherent.map((pattern) => ({ pattern, coherent: true })),
    ...nonCoherent.map((pattern) => ({ pattern, coherent: false })),
  ].sort((a, b) => b.pattern.length - a.pattern.length);
  return (device) => {
    const found = stated.find(({ pattern }) => matches(pattern, device));
    if (found === undefined) return null;
    return { coherent: found.coherent, from: 'command line', because: 'as stated' };
  };
}

export function sidecarBook(sidecar: Sidecar): CoherenceBook {
  const byName = new Map(sidecar.devices.map((device) => [device.name, device]));
  return (name) => {
    const device = byName.get(name);
    if (device === undefined || device.coherent === null) return null;
    return { coherent: device.coherent, from: 'sidecar', because: device.coherentFrom };
  };
}
