/** Frames that an operation changes by itself are noted for reductions without its doing. */
import { describe, expect, it } from 'vitest';
import { Parts } from '../src/fast/parts.js';
import { bufferArg } from '../src/kernel/args.js';
import { defineOperations, type Operation } from '../src/kernel/registry.js';
import type { Frame } from '../src/kernel/state.js';
import { lineCode, Touched } from '../src/kernel/touched.js';
import { compile } from '../src/litmus/index.js';
import { System } from '../src/system/system.js';
import { libertiesOf } from '../src/verdict/check.js';
import { Facts } from '../src/verdict/recorder.js';
import { some, Watch } from './environment-watch.js';

/** An operation that nobody has told of reductions: another value in memory, and a flag. */
function scribble(name: string, change: (frame: Frame) => Frame): Operation {
  return {
    name,
    family: 'pages',
    where: 'cpu',
    returns: 'void',
    rules: ['M1'],
    params: [{ name: 'page', kinds: ['page'] }],
    doc: 'a test',
    source: 'none',
    effect: (context, args) => {
      for (const slot of bufferArg(context, args[0]).pages) {
        const frame = slot.state === 'resident' ? context.frame(slot.frame) : undefined;
        if (slot.state === 'resident' && frame) context.setFrame(slot.frame, change(frame));
      }
      return 0;
    },
  };
}

describe('an operation that changes frames by itself', () => {
  const lines = ({ lines: old, ...frame }: Frame): Frame => ({
    ...frame,
    lines: old.map((line) => ({ ...line, dram: line.dram.map(() => 9) })),
  });
  defineOperations([
    scribble('test_scribble', lines),
    scribble('test_nomap', (frame) => ({ ...frame, nomap: true })),
  ]);
  const text = (call: string): string => `machine arm64 { device nic { .coherent = false }; }
init { page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0); u32 *p = page_address(page); p[0] = 5; }
cpu driver { ${call}(page); u32 *q = page_address(page); u32 x = q[0]; }
`;

  it.each(['test_scribble', 'test_nomap'])('is noted without its doing: %s', (call) => {
    const { program } = compile(text(call), 'x.litmus');
    if (program === null) throw new Error('does not compile');
    const { layout, states } = some(program, 60);
    const [initial] = states;
    if (initial === undefined) throw new Error('no state');
    const watch = new Watch(program, layout, new Parts(initial));
    for (const state of states) watch.state(state);
    expect(watch.wrong).toEqual([]);
    const liberties = new Set(libertiesOf(program));
    const system = new System(program, layout, liberties, new Facts(), false);
    const noted = states.some((state) =>
      system.groups(state).some((group) => {
        const touched = new Touched();
        if (group.kind !== 'cache') system.stepsOf(state, group, touched);
        return call === 'test_nomap' ? touched.frames.has(0) : touched.lines.has(lineCode(0, 0));
      }),
    );
    expect(noted).toBe(true);
  });
});
