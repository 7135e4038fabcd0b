/**
 * Random scenarios over the whole model: two-thirds are corpus scenarios with statements taken
 * out, doubled or swapped and the machine changed, which reaches every operation there is; the
 * others are drawn from a small grammar of accesses, syncs and barriers on lines that may share
 * words. Seeded; whether a scenario compiles, or makes sense, is for its user to see.
 */
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import type { Scenario } from './corpus-scenarios.js';

/** A small generator of random numbers (mulberry32): the same seed, the same scenarios. */
export class Random {
  constructor(private state: number) {}

  /** 0 to n - 1. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }
}

/** Lines of a scenario that are a statement of their own. */
function statements(lines: readonly string[]): number[] {
  return lines.flatMap((line, i) => (/^\t+[^.}/{]*;(\s*\/\/.*)?$/.test(line) ? [i] : []));
}

function mutated(random: Random, text: string): string {
  const lines = text.split('\n');
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const places = statements(lines);
    if (places.length < 2) break;
    const at = random.pick(places);
    const line = lines[at] ?? '';
    const kind = random.below(3);
    if (kind === 0) lines.splice(at, 1);
    else if (kind === 1) lines.splice(random.pick(places), 0, line);
    else {
      const other = random.pick(places);
      lines[at] = lines[other] ?? '';
      lines[other] = line;
    }
  }
  return lines
    .map((line) => {
      if (random.below(4) === 0) {
        return line.replace(/\.coherent = (true|false)/, (_, is) =>
          is === 'true' ? '.coherent = false' : '.coherent = true',
        );
      }
      if (!/^machine arm64 \{/.test(line) || text.includes('.unexpected_hit')) return line;
      const hit = random.pick(['', '', ' .unexpected_hit = arch;', ' .unexpected_hit = may_hit;']);
      return line.replace('{', `{${hit}`);
    })
    .join('\n');
}

const WORDS = ['0', '1', '16', '32'];

function cpuStatement(random: Random, n: number): string {
  const word = random.pick(WORDS);
  return random.pick([
    `buf[${word}] = ${n};`,
    `buf[${word}] = ${n};`,
    `WRITE_ONCE(buf[${word}], ${n});`,
    `u32 v${n} = buf[${word}];`,
    `u32 v${n} = READ_ONCE(buf[${word}]);`,
    `if (READ_ONCE(buf[${word}]) == 1) { buf[${random.pick(WORDS)}] = ${n}; }`,
    'dma_wmb();',
    'dma_rmb();',
    'smp_mb();',
    'wmb();',
    'submit(nic);',
    'submit(nic);\n\twait(nic);',
    `dcache_clean_poc(buf + ${word}, buf + ${word} + 1);`,
    `dcache_inval_poc(buf + ${word}, buf + ${word} + 1);`,
    'dma_sync_single_for_cpu(nic, bus, 256, DMA_BIDIRECTIONAL);',
    'dma_sync_single_for_device(nic, bus, 256, DMA_BIDIRECTIONAL);',
    `u32 p${n} = wc[${word}];`,
    `wc[${word}] = ${n};`,
  ]);
}

function deviceStatement(random: Random, n: number): string {
  const offset = 4 * Number(random.pick(WORDS));
  return random.pick([
    `dma_write(bus + ${offset}, ${n});`,
    `u32 r${n} = dma_read(bus + ${offset});`,
    `u32 r${n} = dma_read_sync(bus + ${offset});`,
  ]);
}

function drawn(random: Random): string {
  const list = (n: number, from: number, make: (random: Random, n: number) => string): string =>
    Array.from({ length: n }, (_, i) => `\t${make(random, from + i)}`).join('\n');
  const second = random.below(3) === 0;
  const settings = random.pick([
    '',
    '',
    '\t.unexpected_hit = arch;\n',
    '\t.writeback_granule = 128;\n',
  ]);
  const clean = random.below(2) === 0 ? '\tdcache_clean_inval_poc(buf, buf + 64);\n' : '';
  const body = [
    `machine arm64 {\n${settings}\tdevice nic { .coherent = ${random.below(4) === 0} };\n}`,
    'u32 *buf;\nu32 *wc;\ndma_addr_t bus;',
    'init {\n\tpage = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);\n\tbuf = page_address(page);',
    `${clean}\twc = vmap(page, pgprot_writecombine(PAGE_KERNEL));`,
    '\tbus = dma_map_single(nic, buf, 256, DMA_BIDIRECTIONAL);\n}',
    `cpu one {\n${list(2 + random.below(4), 1, cpuStatement)}\n}`,
    second ? `cpu two {\n${list(1 + random.below(2), 20, cpuStatement)}\n}` : '',
    `device nic {\n${list(1 + random.below(3), 40, deviceStatement)}\n}`,
  ];
  return `${body.filter((part) => part !== '').join('\n')}\n`;
}

/** The scenario of a seed. */
export function randomScenario(seed: number, corpus: readonly Scenario[]): string {
  const random = new Random(seed);
  return random.below(3) === 0 ? drawn(random) : mutated(random, random.pick(corpus).text);
}

export interface RandomProgram {
  readonly seed: number;
  readonly text: string;
  readonly program: Program;
}

/** Those of so many seeds that compile. */
export function* randomPrograms(
  firstSeed: number,
  count: number,
  corpus: readonly Scenario[],
): Generator<RandomProgram> {
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const text = randomScenario(seed, corpus);
    const { program } = compile(text, 'random.litmus');
    if (program !== null) yield { seed, text, program };
  }
}
