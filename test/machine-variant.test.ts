/**
 * A scenario on another machine without compiling it again: the same program as `compile` makes of
 * the changed text. Leaves out what it is for (matrix.test.ts).
 */
import { describe, expect, it } from 'vitest';
import { compile, machineVariant } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { platformsOf } from '../src/matrix/platforms.js';
import { scenarios } from './corpus-scenarios.js';

function programOf(text: string): Program {
  const { program } = compile(text, 'test');
  if (program === null) throw new Error('does not compile');
  return program;
}

/** Without places, which move in the line that a setting is written into. */
function told({ machine, init, threads, assertions, overrides, handles, locks }: Program): string {
  const all = { machine, init, threads, assertions, overrides, handles, locks };
  const places = ['at', 'doc', 'source', 'rules', 'params'];
  return JSON.stringify(all, (key, value: unknown) => (places.includes(key) ? undefined : value));
}

const TEXT = `machine arm64 {
	device nic { .coherent = false };
}
cpu driver {
	page = alloc_pages(GFP_KERNEL, 0);
	submit(nic);
}
device nic {
}
`;

describe('a machine variant', () => {
  it('is what compile makes of the changed text, in every cell of the corpus', () => {
    let made = 0;
    for (const { text } of scenarios().filter((_, i) => i % 6 === 0)) {
      const written = programOf(text);
      for (const { label, change } of platformsOf(written)) {
        const changed = change(text);
        const variant = machineVariant(written, changed, label);
        if (variant === null) continue;
        made++;
        const { program } = compile(changed, label);
        expect(program === null ? 'refused' : told(program), label).toBe(told(variant));
        expect(variant).toMatchObject({ file: label, text: changed });
      }
    }
    expect(made).toBeGreaterThan(300);
  });

  it('is not made where more than settings may differ', () => {
    const written = programOf(TEXT);
    const other = (from: string, to: string) =>
      machineVariant(written, TEXT.replace(from, to), 'other');
    expect(other('.coherent = false', '.coherent = true')?.machine.devices[0]?.coherent).toBe(true);
    expect(other('submit(nic);', '')).toBeNull();
    expect(other('nic {', 'net {')).toBeNull();
    expect(other('arm64', 'x86')).toBeNull();
    expect(other('.coherent', '.coherence')).toBeNull();
    expect(other('};\n}', '};\n}\nmachine arm64 {\n}')).toBeNull();
    expect(other('false };', 'false }; .page_size = 16384;')).toBeNull();
    const commented = `/*\n*/\n${TEXT}`;
    expect(machineVariant(programOf(commented), commented, 'other')).toBeNull();
  });
});
