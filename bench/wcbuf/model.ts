/**
 * wcbuf as a network of components: N lines written through a cacheable and a write-combine alias,
 * handed to a device and back. The same model as wcbuf.pml and wcbuf.m beside it, step for step.
 * Leaves out: everything else a machine does; the litmus corpus has the real thing.
 */
import type { Local, NetworkModel, NetworkStep, Write } from '../../src/fast/model.js';

const CPU = 0;
const DEVICE = 1;
const BELL = 2;
const DONE = 3;
const LINES = 4;
const NOTHING = -1;

/** Memory, the copy in the cache (NOTHING when absent), whether it is dirty, the WC buffer. */
type Line = readonly [number, number, number, number];

function isLine(local: Local): local is Line {
  return typeof local === 'object' && local.length === 4;
}

function line(local: Local): Line {
  if (!isLine(local)) throw new Error('not a line');
  return local;
}

function flushed([memory, copy, dirty, buffer]: Line): Line {
  return [dirty === 1 ? copy : memory, NOTHING, 0, buffer];
}

function drained([memory, copy, dirty, buffer]: Line): Line {
  return [buffer === NOTHING ? memory : buffer, copy, dirty, NOTHING];
}

function step(...writes: Write[]): NetworkStep {
  return { writes, finding: '' };
}

/** `fix`: the CPU cleans and invalidates each line before it writes through the other alias. */
export function wcbuf(lines: number, fix: boolean): NetworkModel {
  const perLine = fix ? 3 : 2;
  const barrier = perLine * lines;
  const loads = barrier + 3;

  function cpu(read: (component: number) => Local): readonly NetworkStep[] {
    const pc = Number(read(CPU));
    const next: Write = { component: CPU, to: pc + 1 };
    if (pc < barrier) {
      const component = LINES + Math.floor(pc / perLine);
      const phase = pc % perLine;
      const [memory, copy, dirty, buffer] = line(read(component));
      if (phase === 0) return [step(next, { component, to: [memory, 1, 1, buffer] })];
      if (phase === perLine - 1) return [step(next, { component, to: [memory, copy, dirty, 2] })];
      return [step(next, { component, to: flushed([memory, copy, dirty, buffer]) })];
    }
    if (pc === barrier) {
      const all = Array.from({ length: lines }, (_, i) => LINES + i);
      const to = (old: Local): Local => drained(line(old));
      return [step(next, ...all.map((component): Write => ({ component, to })))];
    }
    if (pc === barrier + 1) return [step(next, { component: BELL, to: 1 })];
    if (pc === barrier + 2) return read(DONE) === 1 ? [step(next)] : [];
    if (pc >= loads + lines) return [];
    const [memory] = line(read(LINES + pc - loads));
    return [{ writes: [next], finding: memory === 3 ? '' : `cpu reads line ${pc - loads}` }];
  }

  function device(read: (component: number) => Local): readonly NetworkStep[] {
    const pc = Number(read(DEVICE));
    const next: Write = { component: DEVICE, to: pc + 1 };
    if (pc === 0) return read(BELL) === 1 ? [step(next)] : [];
    if (pc === 2 * lines + 1) return [step(next, { component: DONE, to: 1 })];
    if (pc > 2 * lines + 1) return [];
    const index = (pc - 1) >> 1;
    const component = LINES + index;
    const [memory, ...rest] = line(read(component));
    if (pc % 2 === 1) {
      return [{ writes: [next], finding: memory === 2 ? '' : `device reads line ${index}` }];
    }
    return [step(next, { component, to: [3, ...rest] })];
  }

  function hardware(component: number, old: Line): readonly NetworkStep[] {
    const [memory, copy, , buffer] = old;
    const steps: Line[] = [copy === NOTHING ? [memory, memory, 0, buffer] : flushed(old)];
    if (buffer !== NOTHING) steps.push(drained(old));
    return steps.map((to) => step({ component, to }));
  }

  const names = Array.from({ length: lines }, (_, i) => `line ${i}`);
  return {
    components: ['cpu', 'device', 'doorbell', 'done', ...names],
    initial: () => [0, 0, 0, 0, ...names.map(() => [0, NOTHING, 0, NOTHING])],
    groups: 2 + lines,
    steps(group, read) {
      if (group === 0) return cpu(read);
      if (group === 1) return device(read);
      const component = LINES + group - 2;
      return hardware(component, line(read(component)));
    },
  };
}
