/**
 * Random scenarios that compile, for property tests: the program as a list of tokens, and a
 * layout, that is, what stands between one token and the next: spaces, line ends, comments.
 */
import fc from 'fast-check';

/** Statements know how deep they are, so that generated programs stay small. */
interface Depth {
  readonly left: number;
}

type Words = readonly string[];

const integers: fc.Arbitrary<Words> = fc.constantFrom(
  ['0'],
  ['7'],
  ['0x1F'],
  ['PAGE_SIZE'],
  ['sizeof', '(', 'u32', ')'],
  ['DMA_BIT_MASK', '(', '12', ')'],
);
const variables: fc.Arbitrary<Words> = fc.constantFrom(['x'], ['y'], ['b']);

function joined(...parts: readonly fc.Arbitrary<Words>[]): fc.Arbitrary<Words> {
  return fc.tuple(...parts).map((words) => words.flat());
}

function word(...words: string[]): fc.Arbitrary<Words> {
  return fc.constant(words);
}

function bracketed(inner: fc.Arbitrary<Words>): fc.Arbitrary<Words> {
  return joined(word('('), inner, word(')'));
}

function expression({ left }: Depth): fc.Arbitrary<Words> {
  if (left <= 0) return fc.oneof(integers, variables);
  const inner = expression({ left: left - 1 });
  const operand = fc.oneof(integers, variables, bracketed(inner));
  const binary = fc
    .constantFrom('+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '==', '!=', '>', '&&', '||')
    .chain((operator) => joined(operand, word(operator), operand));
  const unary = fc
    .constantFrom('-', '~', '!', '+')
    .chain((operator) => joined(word(operator), operand));
  return fc.oneof(
    integers,
    variables,
    binary,
    unary,
    joined(unary, word('-'), unary),
    joined(word('p', '['), inner, word(']')),
    joined(word('*', '('), word('p', '+'), operand, word(')')),
    joined(word('READ_ONCE', '(', 'p', '['), inner, word(']', ')')),
    joined(word('(', 'u64', ')'), operand),
    bracketed(joined(inner, word('?'), inner, word(':'), inner)),
  );
}

function simple(depth: Depth): fc.Arbitrary<Words> {
  const value = expression(depth);
  return fc.oneof(
    joined(fc.constantFrom(['x'], ['y'], ['b']), fc.constantFrom(['='], ['+='], ['|=']), value),
    joined(word('p', '['), value, word(']', '='), value),
    joined(word('WRITE_ONCE', '(', 'p', '[', '1', ']', ','), value, word(')')),
    joined(
      word('iommu_map_sgtable', '(', 'vm', ','),
      value,
      word(',', 'sgt', ',', 'IOMMU_READ', '|', 'IOMMU_WRITE', ')'),
    ),
    word('sgt', '=', 'drm_gem_shmem_get_pages_sgt', '(', 'bo', ')'),
    word(
      'ring',
      '=',
      'dma_alloc_coherent',
      '(',
      'gpu',
      ',',
      '64',
      ',',
      '&',
      'dma',
      ',',
      'GFP_KERNEL',
      ')',
    ),
    fc.constantFrom(['x', '++'], ['wmb', '(', ')'], ['submit', '(', 'gpu', ')']),
  );
}

function statement(depth: Depth): fc.Arbitrary<Words> {
  const plain = joined(simple({ left: Math.min(depth.left, 2) }), word(';'));
  if (depth.left <= 0) return fc.oneof(plain, word(';'));
  const inner = statement({ left: depth.left - 1 });
  const condition = bracketed(expression({ left: 1 }));
  const block = joined(
    word('{'),
    fc.array(inner, { maxLength: 3 }).map((list) => list.flat()),
    word('}'),
  );
  const body = fc.oneof(plain, block);
  return fc.oneof(
    { weight: 4, arbitrary: plain },
    block,
    joined(word('if'), condition, body),
    // Always braced before `else`, so that the `else` belongs where it seems to.
    joined(word('if'), condition, block, word('else'), fc.oneof(body, inner)),
    joined(
      word('while', '(', 'READ_ONCE', '(', 'p', '[', '0', ']', ')', ')'),
      fc.oneof(body, word(';')),
    ),
    joined(word('do'), body, word('while', '(', 'p', '[', '1', ']', ')', ';')),
    joined(word('for', '(', 'int', 'i', '=', '0', ';', 'i', '<', '2', ';', 'i', '++', ')'), plain),
  );
}

const head: Words = [
  'machine',
  'arm64',
  '{',
  'device',
  'gpu',
  '{',
  '.',
  'coherent',
  '=',
  'false',
  ',',
  '.',
  'iommu',
  '=',
  'smmu',
  '}',
  ';',
  '.',
  'swap',
  '=',
  'zram',
  ';',
  '}',
  'u32',
  '*',
  'ring',
  ';',
  'dma_addr_t',
  'dma',
  ';',
  'init',
  '{',
  'bo',
  '=',
  'drm_gem_shmem_create',
  '(',
  'gpu',
  ',',
  'PAGE_SIZE',
  ',',
  '.',
  'map_wc',
  '=',
  'true',
  ')',
  ';',
  'vm',
  '=',
  'iommu_domain_alloc',
  '(',
  'gpu',
  ')',
  ';',
  'sgt',
  '=',
  'drm_gem_shmem_get_pages_sgt',
  '(',
  'bo',
  ')',
  ';',
  '}',
  'cpu',
  'user',
  '{',
  'u32',
  '*',
  'p',
  '=',
  'mmap',
  '(',
  'bo',
  ')',
  ';',
  'u32',
  'x',
  '=',
  '1',
  ',',
  'y',
  ';',
  'u64',
  'b',
  '=',
  'p',
  '[',
  '3',
  ']',
  ';',
];
const tail: Words = [
  '}',
  'device',
  'gpu',
  '{',
  'u32',
  'd',
  '=',
  'dma_read',
  '(',
  'vm',
  ',',
  '0x1000',
  ')',
  ';',
  'dma_write',
  '(',
  'vm',
  ',',
  '0x1000',
  ',',
  'd',
  '+',
  '1',
  ')',
  ';',
  '}',
  'exists',
  '(',
  'user',
  ':',
  'x',
  '==',
  '2',
  '&&',
  '!',
  '(',
  'gpu',
  ':',
  'd',
  '!=',
  '0',
  ')',
  ')',
];

const programWords: fc.Arbitrary<Words> = fc
  .array(statement({ left: 3 }), { maxLength: 6 })
  .map((statements) => [...head, ...statements.flat(), ...tail]);

const gap = fc.oneof(
  { weight: 20, arbitrary: fc.constant(' ') },
  fc.constantFrom(
    '\n',
    '\n\n\n',
    '\t',
    '  ',
    ' /* a */ ',
    ' // b\n',
    '\n// c\n',
    '\n/*\n * d\n */\n',
  ),
  fc.constantFrom(' /* e\nf */ ', '\n\n/* g */ // h\n'),
);

/** The text of a program in some layout. */
export const programTexts: fc.Arbitrary<string> = programWords.chain((words) =>
  fc
    .array(gap, { minLength: words.length, maxLength: words.length })
    .map((gaps) => words.map((text, index) => text + (gaps[index] ?? ' ')).join('')),
);
