/**
 * Arm's recovery rules for mismatched aliases (model.md M9, R1–R4) as theorems: every program of
 * one CPU that obeys them is coherent under M6 `ignore` and `arch`, and some are not under
 * `may-hit`. Exhaustive over programs of up to 4 operations (CIVAC_THEOREMS=5 for 5) on one word,
 * and one less on two words of a line; that each rule is needed is seen by dropping it.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';

type Kind = 'store WB' | 'load WB' | 'store NC' | 'load NC' | 'clean' | 'inv' | 'cinv' | 'dmb';

interface Operation {
  readonly kind: Kind;
  readonly word: number;
}

type Rule = 'R1' | 'R2' | 'R3' | 'R4';

const LENGTH = Number(process.env.CIVAC_THEOREMS ?? 4);

const CALLS: Readonly<Partial<Record<Kind, string>>> = {
  clean: 'dcache_clean_poc(wb, wb + 16);',
  inv: 'dcache_inval_poc(wb, wb + 16);',
  cinv: 'dcache_clean_inval_poc(wb, wb + 16);',
  dmb: 'dma_mb();',
};

function textOf(program: readonly Operation[], hit: string): string {
  const lines = program.map(({ kind, word }, i) => {
    const pointer = kind.endsWith('WB') ? 'wb' : 'nc';
    if (kind.startsWith('store')) return `${pointer}[${word}] = ${i + 1};`;
    if (kind.startsWith('load')) return `u32 r${i} = ${pointer}[${word}];`;
    return CALLS[kind];
  });
  return `machine arm64 {
	.unexpected_hit = ${hit};
}
u32 *wb;
u32 *nc;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	drm_cflush_pages(page, DRM_CFLUSH_BOTH);
	wb = page_address(page);
	nc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
}
cpu c {
	${lines.join('\n\t')}
}
`;
}

/** What the rules keep account of for the line. */
interface Account {
  /** Stored to WB, not cleaned since. */
  dirty: boolean;
  /** Stored to NC, not invalidated since: a copy may be stale. */
  stale: boolean;
  /** Attributes of the accesses since the last barrier. */
  since: Set<string>;
  /** An NC store since the last barrier. */
  stored: boolean;
}

function obeysAccess(account: Account, kind: Kind, words: number): Rule | null {
  const attribute = kind.slice(-2);
  if ([...account.since].some((each) => each !== attribute)) return 'R4';
  if (kind === 'store NC' && account.dirty) return 'R1';
  if (kind === 'load NC' && account.dirty) return 'R2';
  if (kind === 'load WB' && account.stale) return 'R3';
  // A store to the whole of what a line holds needs no invalidate.
  if (kind === 'store WB' && account.stale && words > 1) return 'R3';
  return null;
}

function takeAccess(account: Account, kind: Kind): void {
  account.since.add(kind.slice(-2));
  if (kind === 'store WB') {
    account.dirty = true;
    account.stale = false;
  } else if (kind === 'store NC') {
    account.stale = true;
    account.stored = true;
  }
}

/** The rule that an operation breaks; `lost` when it throws away the CPU's own data. */
function broken(account: Account, kind: Kind, words: number): Rule | 'lost' | null {
  if (kind.startsWith('store') || kind.startsWith('load')) {
    const rule = obeysAccess(account, kind, words);
    takeAccess(account, kind);
    return rule;
  }
  let rule: Rule | 'lost' | null = null;
  if (kind === 'inv' || kind === 'cinv') {
    if (account.stored) rule = 'R4';
    if (kind === 'inv' && account.dirty) rule = 'lost';
    account.stale = false;
  }
  if (kind !== 'dmb') account.dirty = false;
  // The kernel's helpers end in a dsb.
  account.since.clear();
  account.stored = false;
  return rule;
}

function obeys(program: readonly Operation[], words: number, without?: Rule): boolean {
  const account = { dirty: false, stale: false, since: new Set<string>(), stored: false };
  return program.every(({ kind }) => {
    const rule = broken(account, kind, words);
    return rule === null || rule === without;
  });
}

/** Programs that end in a load: of others a shorter one shows as much. */
function* programs(length: number, words: number, without?: Rule): Generator<Operation[]> {
  const places = [...Array(words).keys()];
  const accesses = (['store WB', 'load WB', 'store NC', 'load NC'] as const).flatMap((kind) =>
    places.map((word): Operation => ({ kind, word })),
  );
  const others = (['clean', 'inv', 'cinv', 'dmb'] as const).map(
    (kind): Operation => ({ kind, word: 0 }),
  );
  const open: Operation[][] = [[]];
  for (let program = open.pop(); program !== undefined; program = open.pop()) {
    if (program.at(-1)?.kind.startsWith('load')) yield program;
    if (program.length === length) continue;
    for (const next of [...accesses, ...others]) {
      const longer = [...program, next];
      if (obeys(longer, words, without)) open.push(longer);
    }
  }
}

function isCoherent(program: readonly Operation[], hit: string): boolean {
  const { program: compiled, diagnostics } = compile(textOf(program, hit), 'rules.litmus');
  if (compiled === null) throw new Error(JSON.stringify(diagnostics));
  const { verdict } = check(compiled, { verdictOnly: true });
  expect(verdict).not.toBe('unknown');
  return verdict === 'coherent';
}

function textOfKinds(program: readonly Operation[]): string {
  return program.map(({ kind, word }) => `${kind} ${word}`).join('; ');
}

/** Some program of the set is not coherent. */
function refuted(all: Iterable<Operation[]>, hit: string): boolean {
  for (const program of all) if (!isCoherent(program, hit)) return true;
  return false;
}

const sizes = [
  { words: 1, length: LENGTH },
  { words: 2, length: LENGTH - 1 },
];

describe.each(sizes)('recovery rules: $words words of a line, $length operations', (size) => {
  const { words, length } = size;

  it.each(['ignore', 'arch'])('hold under %s', (hit) => {
    let tried = 0;
    for (const program of programs(length, words)) {
      tried++;
      expect(isCoherent(program, hit), textOfKinds(program)).toBe(true);
    }
    expect(tried).toBeGreaterThan(50);
  });

  it('do not hold under may_hit', () => {
    expect(refuted(programs(length, words), 'may_hit')).toBe(true);
  });

  it.each(['R2', 'R3', 'R4'] as const)('need %s', (rule) => {
    expect(refuted(programs(length, words, rule), 'ignore')).toBe(true);
  });
});

it('needs R1, which takes five operations to see', () => {
  // A dirty line, a barrier, an NC store under it, a clean over that, a load.
  expect(refuted(programs(5, 1, 'R1'), 'ignore')).toBe(true);
});
