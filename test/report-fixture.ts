/** Results made by hand, so that the reports are tested without the engine. */
import type { CellView, CheckResult, Finding, TraceStep } from '../src/verdict/result.js';

export const panthorSource = `// A write-combined buffer is used before the zeroes left the cache.
// Result: H2 H3
machine arm64 {
	device gpu { .coherent = false };
}
cpu user {
	u32 *p = mmap(bo);
	u32 fresh = p[0];
	p[0] = 1;
	submit(gpu);
}
`;

function cell(dram: string, cache: string, buffer: string, ideal: string): CellView {
  return { name: 'bo[0x0]', dram, cache, buffer, ideal };
}

export function step(agent: string, line: number, rule: string, text: string, at: CellView) {
  const made: TraceStep = { agent, rule, text, line, cells: [at], wrong: false };
  return made;
}

const start: readonly TraceStep[] = [
  step(
    'user',
    7,
    'K1 M5',
    'mmap(bo): a page from shmem, zeroed through the linear map',
    cell('secret', 'dirty 0', '-', '0'),
  ),
  step(
    'user',
    8,
    'M5 M6',
    'load p[0] through WC: the value comes from memory',
    cell('secret', 'dirty 0', '-', '0'),
  ),
];

export const staleRead: Finding = {
  id: 'H2',
  cause: true,
  needs: [[]],
  certain: true,
  message: 'user reads memory while the newest value of bo[0x0] is only in the cache',
  at: { agent: 'user', line: 8, column: 14, length: 4 },
  expected: '0',
  actual: 'secret of the previous owner',
  trace: start.map((s, i) => ({ ...s, wrong: i === 1 })),
  mends: ['clean the pages before the first write-combined access (dma_map_sgtable at creation)'],
};

export const leak: Finding = {
  ...staleRead,
  id: 'H6',
  cause: false,
  message: 'user reads what another owner left in the page',
  mends: [],
};

export const lostWrite: Finding = {
  id: 'H3',
  cause: true,
  needs: [['eviction'], ['reorder', 'speculation']],
  certain: false,
  message: 'the write-back of the old zeroes overwrites the newest value of bo[0x0]',
  at: { agent: 'gpu', line: 10, column: 2, length: 6 },
  expected: '1',
  actual: '0',
  trace: [
    ...start,
    step(
      'user',
      9,
      'M7',
      'store p[0] = 1 through WC enters the store buffer',
      cell('secret', 'dirty 0', 'NC 1', '1'),
    ),
    step('bus', 0, 'M7', 'the store drains to memory', cell('1', 'dirty 0', '-', '1')),
    step('cache', 0, 'M3', 'dirty line written back and dropped', cell('0', '-', '-', '1')),
    { ...step('gpu', 10, 'M10', 'reads bo[0x0]', cell('0', '-', '-', '1')), wrong: true },
  ],
  mends: ['clean and invalidate before the store'],
};

export const panthor: CheckResult = {
  file: 'litmus/panthor.litmus',
  name: 'panthor',
  verdict: 'hazard',
  reason: null,
  portable: false,
  assumptions: { profile: 'arm64', lineSize: 64, unexpectedHit: 'ignore', linearMap: true },
  hazards: [staleRead, leak, lostWrite],
  aliases: [
    {
      buffer: 'bo',
      first: 'linear map (WB)',
      second: 'mmap (WC)',
      since: 7,
      apart: ['dma_map_sgtable:14'],
      removable: false,
    },
  ],
  notes: [
    {
      kind: 'no-op',
      rule: 'M17',
      operation: 'drm_clflush_pages',
      line: 9,
      message: 'did nothing: not implemented on arm64',
    },
  ],
  maintenance: [
    { operation: 'dma_map_sgtable', line: 14, op: 'clean', lines: 64 },
  ],
  assertions: [
    { kind: 'exists', line: 12, holds: true },
    { kind: 'forbidden', line: 13, holds: null },
  ],
  expected: 'H2 H3',
  asExpected: false,
  states: 1192,
  transitions: 4017,
  seconds: 0.0421,
};

export const coherent: CheckResult = {
  ...panthor,
  file: 'litmus/clean first.litmus',
  name: 'clean first',
  verdict: 'coherent',
  portable: true,
  hazards: [],
  aliases: [],
  notes: [],
  assertions: [],
  expected: 'coherent',
  asExpected: true,
};

export const unknown: CheckResult = {
  ...coherent,
  file: 'litmus/big.litmus',
  name: 'big',
  verdict: 'unknown',
  reason: 'the limit of 10 states was reached',
  portable: null,
  asExpected: false,
};
