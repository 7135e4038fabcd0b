/**
 * Random scenarios over the whole model: half are scenarios of a pool (the corpus, or that and
 * those for single functions) with statements taken out, doubled and swapped, words of a family
 * exchanged, and the machine changed, which reaches every operation and setting there is; the
 * others are drawn from a small grammar of accesses, syncs, barriers and locks on lines that may
 * share words. Seeded; whether a scenario makes sense is for its user to see.
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

/** Words of which one may stand where another does. */
const FAMILIES: readonly (readonly string[])[] = [
  ['DMA_TO_DEVICE', 'DMA_FROM_DEVICE', 'DMA_BIDIRECTIONAL'],
  ['pgprot_writecombine', 'pgprot_noncached', 'pgprot_dmacoherent', 'pgprot_device'],
  ['dma_wmb', 'dma_rmb', 'dma_mb', 'wmb', 'rmb', 'mb', 'smp_wmb', 'smp_rmb', 'smp_mb', 'barrier'],
  ['writel', 'writel_relaxed', 'submit'],
  ['dma_read', 'dma_read_sync', 'dma_read_unpriv'],
  ['dma_write', 'dma_write_unpriv'],
  ['dma_iova_addr', 'dma_use_iova'],
  ['drm_gem_prime_export', 'panthor_gem_prime_export'],
  ['dcache_clean_poc', 'dcache_inval_poc', 'dcache_clean_inval_poc', 'dcache_clean_poc_nosync'],
  ['GFP_KERNEL', 'GFP_DMA32', 'GFP_DMA'],
  ['IOMMU_READ', 'IOMMU_WRITE', 'IOMMU_CACHE'],
  ['iommu_unmap', 'iommu_unmap_fast'],
  ['smp_load_acquire', 'READ_ONCE'],
  ['smp_store_release', 'WRITE_ONCE'],
  ['drm_cflush_pages', 'drm_clflush_pages'],
];

/** A line with one word of a family exchanged for another; the line itself where none is in it. */
function exchanged(random: Random, line: string): string {
  const words = line.match(/\b\w+\b/g) ?? [];
  const may = words.filter((word) => FAMILIES.some((family) => family.includes(word)));
  if (may.length === 0) return line;
  const word = random.pick(may);
  const family = FAMILIES.find((each) => each.includes(word)) ?? [word];
  return line.replace(new RegExp(`\\b${word}\\b`), random.pick(family));
}

function changed(random: Random, lines: string[], places: readonly number[]): void {
  const at = random.pick(places);
  const line = lines[at] ?? '';
  const kind = random.below(4);
  if (kind === 0) lines.splice(at, 1);
  else if (kind === 1) lines.splice(random.pick(places), 0, line);
  else if (kind === 2) {
    const other = random.pick(places);
    lines[at] = lines[other] ?? '';
    lines[other] = line;
  } else {
    const all = [...lines.keys()].filter((i) => exchangeable(lines[i] ?? ''));
    if (all.length === 0) return;
    const where = random.pick(all);
    lines[where] = exchanged(random, lines[where] ?? '');
  }
}

function exchangeable(line: string): boolean {
  return line.startsWith('\t') && FAMILIES.some((each) => each.some((word) => line.includes(word)));
}

const MACHINE_SETTINGS = [
  '.unexpected_hit = arch',
  '.unexpected_hit = arch',
  '.unexpected_hit = may_hit',
  '.writeback_granule = 128',
  '.cache_line = 32',
  '.swiotlb = force',
  '.swiotlb = noforce',
  '.iommu_strict = false',
  '.memory_above_4g = true',
  '.zone_dma = DMA_BIT_MASK(30)',
  '.linear_map_removable = true',
  '.dirty_at_boot = true',
  '.strict_alias = true',
  '.swiotlb_slots = 2',
  '.allocation_may_fail = true',
  '.swap = zram',
  '.page_size = 16384',
  '.svpbmt = false',
  '.arch_dma_prep_coherent = none',
  ...['device', 'cpu'].flatMap((whom) => [
    `.arch_sync_dma_for_${whom} = clean_inval`,
    `.arch_sync_dma_for_${whom}_to_device = inval`,
    `.arch_sync_dma_for_${whom}_from_device = none`,
    `.arch_sync_dma_for_${whom}_bidirectional = clean`,
  ]),
];

const DEVICE_SETTINGS = [
  '.snoops = true',
  '.snoops = false',
  '.any = true',
  '.write_back_cache = true',
  '.read_cache = true',
  '.remoteproc = true',
  '.unordered_interrupt = true',
  '.rogue = true',
  '.iommu = smmu',
  '.iommu = smmu, .coherent_walk = true',
  '.iommu = smmu, .coherent_walk = false',
  '.iommu = smmu, .coherent_walk = true, .walk_snoops = false',
  '.iommu = smmu, .coherent_walk = false, .caches_faults = true',
  '.coherent_walk = true',
  '.coherent_walk = false, .walk_snoops = true',
  '.mapping_may_fail = true',
  '.dma_mask = DMA_BIT_MASK(30)',
  '.dma_mask = DMA_BIT_MASK(20)',
  '.coherent_dma_mask = DMA_BIT_MASK(32)',
  '.bus_dma_limit = DMA_BIT_MASK(32)',
  '.bus_passes = DMA_BIT_MASK(30)',
];

/** Another machine: what devices are, a setting more here and there, another architecture. */
function onOtherMachine(random: Random, text: string): string {
  const devices = /^(\tdevice \w+ \{)(?=.* \};$)/gm;
  return text
    .split('\n')
    .map((line) => {
      if (random.below(4) > 0) return line;
      return line.replace(/\.coherent = (true|false)/, (_, is) =>
        is === 'true' ? '.coherent = false' : '.coherent = true',
      );
    })
    .join('\n')
    .replace(devices, (head) =>
      random.below(3) === 0 ? `${head} ${random.pick(DEVICE_SETTINGS)},` : head,
    )
    .replace(/^machine arm64 \{/m, (head) => {
      if (random.below(20) === 0) return head.replace('arm64', random.pick(['riscv', 'x86']));
      return random.below(2) === 0 ? `${head} ${random.pick(MACHINE_SETTINGS)};` : head;
    });
}

function mutated(random: Random, text: string): string {
  const lines = text.split('\n');
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const places = statements(lines);
    if (places.length < 2) break;
    changed(random, lines, places);
  }
  return onOtherMachine(random, lines.join('\n'));
}

/** Of every ten mutants four do not compile; a seed tries some before it gives up. */
const TRIES = 6;

/** Scenarios of a pool by the operations in them, so that rare ones come up as others do. */
const byOperation = new WeakMap<readonly Scenario[], readonly (readonly Scenario[])[]>();

function shelves(pool: readonly Scenario[]): readonly (readonly Scenario[])[] {
  let found = byOperation.get(pool);
  if (found === undefined) {
    const all = new Map<string, Scenario[]>();
    for (const each of pool) {
      for (const name of operationsOf(each.program)) {
        all.set(name, [...(all.get(name) ?? []), each]);
      }
    }
    found = [...all.keys()].sort().map((name) => all.get(name) ?? []);
    byOperation.set(pool, found);
  }
  return found;
}

/** The kernel's functions that a scenario calls. */
export function operationsOf({ init, threads }: Program): ReadonlySet<string> {
  const code = [init, ...threads].flatMap((thread) => thread.code);
  return new Set(code.flatMap((each) => (each.op === 'call' ? [each.operation.name] : [])));
}

function compiling(random: Random, pool: readonly Scenario[]): string {
  let text = '';
  for (let i = 0; i < TRIES; i++) {
    const from = random.below(2) === 0 ? pool : random.pick(shelves(pool));
    text = mutated(random, random.pick(from).text);
    if (compile(text, 'random.litmus').program !== null) break;
  }
  return text;
}

const WORDS = ['0', '1', '16', '32'];
const BARRIERS = ['smp_mb', 'smp_wmb', 'smp_rmb', 'mb', 'rmb', 'dma_mb', 'barrier'];

/** What most drivers do, and what most findings come of. */
function common(random: Random, n: number): string {
  const word = random.pick(WORDS);
  return random.pick([
    `buf[${word}] = ${n};`,
    `buf[${word}] = ${n};`,
    `u32 v${n} = buf[${word}];`,
    `u32 v${n} = READ_ONCE(buf[${word}]);`,
    `u32 p${n} = wc[${word}];`,
    `wc[${word}] = ${n};`,
    'submit(nic);',
    'submit(nic);\n\twait(nic);',
    'dma_sync_single_for_cpu(nic, bus, SIZE, DMA_BIDIRECTIONAL);',
    'dma_sync_single_for_device(nic, bus, SIZE, DMA_BIDIRECTIONAL);',
  ]);
}

function cpuStatement(random: Random, n: number, isArm: boolean): string {
  if (random.below(2) === 0) return common(random, n);
  const word = random.pick(WORDS);
  return random.pick([
    `WRITE_ONCE(buf[${word}], ${n});`,
    `if (READ_ONCE(buf[${word}]) == 1) { buf[${random.pick(WORDS)}] = ${n}; }`,
    'dma_wmb();',
    'dma_rmb();',
    'wmb();',
    `${random.pick(BARRIERS)}();`,
    `writel${random.pick(['', '_relaxed'])}(${n}, nic);`,
    `spin_lock(&lock);\n\tbuf[${word}] = ${n};\n\tspin_unlock(&lock);`,
    `smp_store_release(&buf[${word}], ${n});`,
    `u32 a${n} = smp_load_acquire(&buf[${word}]);`,
    `readl(nic);\n\tudelay(1);\n\tu32 l${n} = buf[${word}];`,
    'if (dma_need_sync(nic, bus)) { dma_wmb(); }',
    `if (${random.pick(['dma_addressing_limited', 'dma_get_max_seg_size'])}(nic)) { dma_rmb(); }`,
    `u32 w${n} = buf[READ_ONCE(buf[${word}]) & 1];`,
    `while (READ_ONCE(buf[${word}]) == 0)\n\t\t;`,
    ...(isArm ? armStatements(word, n) : []),
  ]);
}

function armStatements(word: string, n: number): readonly string[] {
  return [
    `dcache_clean_poc(buf + ${word}, buf + ${word} + 1);`,
    `dcache_inval_poc(buf + ${word}, buf + ${word} + 1);`,
    `dcache_clean_poc_nosync(buf + ${word}, buf + ${word} + 1);\n\tarch_sync_dma_flush();`,
    `buf[cache_line_size() / 4] = ${n};`,
    `set_memory_${['ro', 'rw', 'x', 'nx'][n % 4]}(buf, 1);`,
    'dmb(ish);',
    'dsb(osh);',
  ];
}

function deviceStatement(random: Random, n: number): string {
  const offset = 4 * Number(random.pick(WORDS));
  return random.pick([
    `dma_write(bus + ${offset}, ${n});`,
    `dma_write(bus + ${offset}, ${n}, .relaxed = true);`,
    `dma_write(bus + ${offset}, ${n}, .no_snoop = true);`,
    `u32 r${n} = dma_read(bus + ${offset});`,
    `u32 r${n} = dma_read(bus + ${offset});`,
    `u32 r${n} = dma_read_sync(bus + ${offset});`,
    `dma_write_range(bus, ${n}, 128);`,
    'dma_read_range(bus, 128);',
  ]);
}

function drawn(random: Random): string {
  const profile = random.pick(['arm64', 'arm64', 'arm64', 'arm64', 'arm64', 'riscv', 'x86']);
  const isArm = profile === 'arm64';
  const list = (n: number, from: number, make: typeof cpuStatement): string =>
    Array.from({ length: n }, (_, i) => `\t${make(random, from + i, isArm)}`).join('\n');
  const second = random.below(3) === 0;
  const settings = random.below(2) === 0 ? `\t${random.pick(MACHINE_SETTINGS)};\n` : '';
  const device = [
    `.coherent = ${random.below(4) === 0}`,
    ...(random.below(3) === 0 ? [random.pick(DEVICE_SETTINGS)] : []),
  ];
  const clean = isArm && random.below(2) === 0 ? '\tdcache_clean_inval_poc(buf, buf + 64);\n' : '';
  const body = [
    `machine ${profile} {\n${settings}\tdevice nic { ${device.join(', ')} };\n}`,
    'u32 *buf;\nu32 *wc;\ndma_addr_t bus;\nspinlock_t lock;',
    'init {\n\tpage = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);\n\tbuf = page_address(page);',
    `${clean}\twc = vmap(page, pgprot_writecombine(PAGE_KERNEL));`,
    '\tbus = dma_map_single(nic, buf, SIZE, DMA_BIDIRECTIONAL);\n}',
    `cpu one {\n${list(2 + random.below(4), 1, cpuStatement)}\n}`,
    second ? `cpu two {\n${list(1 + random.below(2), 20, cpuStatement)}\n}` : '',
    `device nic {\n${list(1 + random.below(3), 40, deviceStatement)}\n}`,
  ];
  // What is mapped is one object: with less than a line there are others beside it (H10).
  const size = random.pick(['256', '256', '64', '4']);
  const text = body.filter((part) => part !== '').join('\n');
  return `${text.replaceAll('SIZE', size)}\n`;
}

/** The scenario of a seed. */
export function randomScenario(seed: number, corpus: readonly Scenario[]): string {
  const random = new Random(seed);
  return random.below(2) === 0 ? drawn(random) : compiling(random, corpus);
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
