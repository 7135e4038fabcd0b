/** From statements to instructions. */
import { describe, expect, it } from 'vitest';
import { foldBinary, foldUnary } from '../src/litmus/index.js';
import { codes, compiled, listing, lowered, scenario } from './litmus-helper.js';

/** Without the numbers before each instruction, for code without jumps. */
function straight(body: string): string[] {
  return lowered(body).map((line) => line.replace(/^\d+ /, ''));
}

describe('accesses', () => {
  it('makes one instruction of each access, left to right', () => {
    expect(straight('p[0] = p[1] + p[2] * p[3];')).toEqual([
      '%1 = load4 p[4]',
      '%2 = load4 p[8]',
      '%3 = load4 p[12]',
      'store4 p = (%1 + (%2 * %3))',
    ]);
  });

  it('loads straight into the variable when that loses nothing', () => {
    expect(straight('u32 x = p[1];\nu64 y = p[2];\nx = (p[3]);')).toEqual([
      'x = load4 p[4]',
      'y = load4 p[8]',
      'x = load4 p[12]',
    ]);
  });

  it('cuts a value to its variable', () => {
    expect(
      straight('u8 a = p[0];\nbool b = p[1];\nu16 c = 0x12345;\nu64 *q = (u64 *)p;\nu32 d = q[1];'),
    ).toEqual([
      '%1 = load4 p',
      'a = (%1 & 255)',
      '%2 = load4 p[4]',
      'b = (%2 != 0)',
      'c = 9029',
      'q = p',
      '%3 = load8 q[8]',
      'd = (%3 &w 4294967295)',
    ]);
  });

  it('takes the size of an access from the pointer', () => {
    expect(
      straight('u8 *b = (u8 *)p;\nb[3] = p[0];\n*(b + 2) = 1;\n*((u16 *)p + 1) = 0x12345;'),
    ).toEqual([
      'b = p',
      '%1 = load4 p',
      'store1 b[3] = (%1 & 255)',
      'store1 b[2] = 1',
      'store2 p[2] = 9029',
    ]);
  });

  it('scales pointer arithmetic and joins constant offsets', () => {
    expect(
      straight(
        'u32 n = p[0];\nu32 *q = &p[4] + 2;\nq = q - n;\nq += 3;\nq[n + 1] = *q;\n2 + q;'.replace(
          '\n2 + q;',
          '',
        ),
      ),
    ).toEqual([
      'n = load4 p',
      'q = p[24]',
      'q = q[-(n *w 4)]',
      'q = q[12]',
      '%1 = load4 q',
      'store4 q[((n + 1) *w 4)] = %1',
    ]);
  });

  it('reads, changes and writes for compound assignments', () => {
    expect(straight('p[0] += 2;\np[1]++;\nu32 x = p[2];\nx |= 4;\nx--;')).toEqual([
      '%1 = load4 p',
      'store4 p = (%1 + 2)',
      '%2 = load4 p[4]',
      'store4 p[4] = (%2 + 1)',
      'x = load4 p[8]',
      'x = (x | 4)',
      'x = (x - 1)',
    ]);
  });

  it('knows READ_ONCE and its kin', () => {
    expect(
      straight(
        `u32 x = READ_ONCE(p[0]);
         WRITE_ONCE(p[1], x + 1);
         x = smp_load_acquire(&p[2]);
         smp_store_release(&p[3], x);`,
      ),
    ).toEqual([
      'x = load4 p sync',
      'store4 p[4] = (x + 1)',
      'x = load4 p[8] sync acquire',
      'dma_rmb()',
      'store4 p[12] = x release',
    ]);
  });

  it('wraps at 64 bits as soon as one operand has them', () => {
    expect(
      straight(
        'u32 a = p[0];\nu64 b = p[1];\nu64 c = a + 1;\nc = a + b;\nc = a << b;\nc = ~a;\nc = -b;',
      ),
    ).toEqual([
      'a = load4 p',
      'b = load4 p[4]',
      'c = (a + 1)',
      'c = (a +w b)',
      'c = (a << b)',
      'c = (a ^ 4294967295)',
      'c = -b',
    ]);
  });

  it('passes out arguments, options and constants', () => {
    const program = compiled(
      `machine arm64 { device d { }; }\ndma_addr_t shared;\ninit {\n
       u32 *a = dma_alloc_coherent(d, 2 * PAGE_SIZE, &shared, GFP_KERNEL | __GFP_ZERO);
       u32 *b = dma_alloc_coherent(d, sizeof(u64), &implied, 0);
       bo = drm_gem_shmem_create(d, PAGE_SIZE, .map_wc = !false);
       dma_addr_t own;
       u32 *c = dma_alloc_coherent(d, DMA_BIT_MASK(4), &own, GFP_KERNEL);\n}\ncpu x { }`,
    );
    expect(listing(program, program.init.code, program.init.locals)).toEqual([
      '0 a = dma_alloc_coherent(d, 8192, &shared, 256)',
      '1 b = dma_alloc_coherent(d, 8, &implied, 0)',
      '2 bo = drm_gem_shmem_create(d, 4096, .map_wc=1)',
      '3 c = dma_alloc_coherent(d, 15, &own, 0)',
    ]);
    expect(program.handles).toEqual(['shared', 'implied', 'bo']);
  });
});

describe('branches', () => {
  it('lowers if and else', () => {
    expect(lowered('if (p[0] == 1)\n\tp[1] = 1;\nelse\n\tp[1] = 2;\np[2] = 3;')).toEqual([
      '1 %1 = load4 p sync',
      '2 unless (%1 == 1) goto 5',
      '3 store4 p[4] = 1',
      '4 goto 6',
      '5 store4 p[4] = 2',
      '6 store4 p[8] = 3',
    ]);
  });

  it('short-circuits where the right side has an effect', () => {
    expect(lowered('if (p[0] && p[1])\n\tp[2] = 1;')).toEqual([
      '1 %1 = load4 p sync',
      '2 unless %1 goto 6',
      '3 %2 = load4 p[4] sync',
      '4 unless %2 goto 6',
      '5 store4 p[8] = 1',
    ]);
    expect(lowered('if (p[0] || p[1])\n\tp[2] = 1;')).toEqual([
      '1 %1 = load4 p sync',
      '2 unless %1 goto 4',
      '3 goto 6',
      '4 %2 = load4 p[4] sync',
      '5 unless %2 goto 7',
      '6 store4 p[8] = 1',
    ]);
  });

  it('keeps pure logic in one expression', () => {
    expect(lowered('u32 a = p[0];\nu32 b = a && a != 3 || !a;')).toEqual([
      '1 a = load4 p sync',
      '2 b = ((a && (a != 3)) || !a)',
    ]);
  });

  it('makes a value of short-circuit logic', () => {
    expect(lowered('u32 a = p[0] && p[1];')).toEqual([
      '1 %2 = load4 p sync',
      '2 unless %2 goto 7',
      '3 %3 = load4 p[4] sync',
      '4 unless %3 goto 7',
      '5 %1 = 1',
      '6 goto 8',
      '7 %1 = 0',
      '8 a = %1',
    ]);
  });

  it('lowers the ternary operator', () => {
    expect(lowered('u32 a = p[0] ? p[1] : 7;')).toEqual([
      '1 %2 = load4 p sync',
      '2 unless %2 goto 6',
      '3 %3 = load4 p[4]',
      '4 %1 = %3',
      '5 goto 7',
      '6 %1 = 7',
      '7 a = %1',
    ]);
  });

  it('decides constant conditions and drops what cannot be reached', () => {
    expect(lowered('if (1 > 2)\n\tp[0] = 1;\nelse\n\tp[0] = 2;\nreturn;\np[1] = 1;')).toEqual([
      '1 store4 p = 2',
    ]);
  });
});

describe('loops', () => {
  it('unrolls constant bounds, counters becoming constants', () => {
    expect(straight('for (int i = 0; i < 3; i++)\n\tp[i] = i * 2;')).toEqual([
      'store4 p = 0',
      'store4 p[4] = 2',
      'store4 p[8] = 4',
    ]);
    expect(straight('u32 i = 4;\nwhile (i) {\n\tp[i] = 1;\n\ti /= 2;\n}')).toEqual([
      'store4 p[16] = 1',
      'store4 p[8] = 1',
      'store4 p[4] = 1',
    ]);
    expect(straight('int i = 0, n = 2;\ndo {\n\tp[i] = 1;\n\ti += n;\n} while (i < 4);')).toEqual([
      'n = 2',
      'store4 p = 1',
      'store4 p[8] = 1',
    ]);
  });

  it('unrolls loops inside loops', () => {
    expect(
      straight('for (int i = 0; i < 2; i++)\n\tfor (int j = i; j < 2; j++)\n\t\tp[i * 2 + j] = 1;'),
    ).toEqual(['store4 p = 1', 'store4 p[4] = 1', 'store4 p[12] = 1']);
  });

  it('jumps out of unrolled passes', () => {
    expect(
      lowered(
        `for (int i = 0; i < 2; i++) {
           if (p[i])
             continue;
           if (p[i + 2])
             break;
           p[i] = 1;
         }`,
      ),
    ).toEqual([
      '1 %1 = load4 p sync',
      '2 unless %1 goto 4',
      '3 goto 8',
      '4 %2 = load4 p[8] sync',
      '5 unless %2 goto 7',
      '6 goto 15',
      '7 store4 p = 1',
      '8 %3 = load4 p[4] sync',
      '9 unless %3 goto 11',
      '10 goto 15',
      '11 %4 = load4 p[12] sync',
      '12 unless %4 goto 14',
      '13 goto 15',
      '14 store4 p[4] = 1',
    ]);
  });

  it('keeps loops that wait for memory, and marks what they spin on', () => {
    const spins = ['1 %1 = load4 p sync', '2 unless (%1 == 0) goto 4 spin', '3 goto 1'];
    expect(lowered('while (READ_ONCE(p[0]) == 0)\n\t;')).toEqual(spins);
    expect(lowered('while (p[0] == 0)\n\t;')).toEqual(spins);
    expect(lowered('u32 v = 0;\nwhile (v == 0)\n\tv = p[0];')).toEqual([
      '1 v = 0',
      '2 unless (v == 0) goto 5 spin',
      '3 v = load4 p sync',
      '4 goto 2',
    ]);
    expect(lowered('u32 v;\nwhile ((v = p[0]) != 3)\n\t;')).toEqual([
      '1 v = load4 p sync',
      '2 unless (v != 3) goto 4 spin',
      '3 goto 1',
    ]);
    expect(lowered('u32 v;\ndo {\n\tv = p[0];\n} while (!v);')).toEqual([
      '1 v = load4 p sync',
      '2 unless !v goto 4 spin',
      '3 goto 1',
    ]);
    expect(lowered('for (;;) {\n\tif (p[0])\n\t\tbreak;\n}')).toEqual([
      '1 %1 = load4 p sync',
      '2 unless %1 goto 4 spin',
      '3 goto 5',
      '4 goto 1',
    ]);
  });

  it('keeps a loop whose counter depends on what it reads', () => {
    expect(lowered('u32 go = 1;\nwhile (go) {\n\tif (p[0])\n\t\tgo = 0;\n}')).toEqual([
      '1 go = 1',
      '2 unless go goto 7',
      '3 %1 = load4 p sync',
      '4 unless %1 goto 6',
      '5 go = 0',
      '6 goto 2',
    ]);
    expect(lowered('u32 n = p[0];\nfor (u32 i = 0; i < n; i++)\n\tp[i] = 1;')).toEqual([
      '1 n = load4 p sync',
      '2 i = 0',
      '3 unless (i < n) goto 7',
      '4 store4 p[(i *w 4)] = 1',
      '5 i = (i + 1)',
      '6 goto 3',
    ]);
  });

  it('does not trust a counter that continue may pass by', () => {
    expect(lowered('u32 i = 0;\nwhile (i < 2) {\n\tif (p[0])\n\t\tcontinue;\n\ti++;\n}')[1]).toBe(
      '2 unless (i < 2) goto 8',
    );
  });

  it('forgets in a loop what the loop changes', () => {
    expect(lowered('u32 x = 1;\nwhile (p[0]) {\n\tp[x] = 1;\n\tx = 2;\n}\np[x] = 3;')).toEqual([
      '1 x = 1',
      '2 %1 = load4 p sync',
      '3 unless %1 goto 7 spin',
      '4 store4 p[(x *w 4)] = 1',
      '5 x = 2',
      '6 goto 2',
      '7 store4 p[(x *w 4)] = 3',
    ]);
  });

  it('keeps a counter that a condition behind the threads asks for', () => {
    const body = 'int i;\nfor (i = 0; i < 2; i++)\n\tp[i] = 1;';
    expect(straight(body)).toHaveLength(2);
    expect(lowered(body, 'exists (user:i == 2)\n')).toHaveLength(5);
  });

  it('has limits', () => {
    expect(codes(scenario('for (int i = 0; i < 1024; i++)\n\tp[i] = 1;'))).toEqual([]);
    expect(codes(scenario('for (int i = 0; i < 1025; i++)\n\tp[i] = 1;'))).toEqual(['L041']);
    const nested = 'for (int i = 0; i < 200; i++)\n\tfor (int j = 0; j < 100; j++)\n\t\tp[j] = 1;';
    expect(codes(scenario(nested))).toEqual(['L042']);
    expect(codes(scenario('while (1)\n\t;'))).toEqual(['L040']);
    expect(codes(scenario('while (0)\n\t;'))).toEqual([]);
    expect(codes(scenario('u32 n = p[0];\nwhile (n)\n\tp[1] = 1;'))).toEqual(['L040']);
  });
});

describe('synchronising reads', () => {
  it('follows values through variables into conditions', () => {
    expect(lowered('u32 a = p[0];\nu32 b = a + 1;\nu32 c = p[1];\nif (b)\n\tp[2] = c;')).toEqual([
      '1 a = load4 p sync',
      '2 b = (a + 1)',
      '3 c = load4 p[4]',
      '4 unless b goto 6',
      '5 store4 p[8] = c',
    ]);
  });

  it('follows them round a loop', () => {
    const code = lowered('u32 a = 0, b = 0;\nwhile (a < 9) {\n\ta = b;\n\tb = p[0];\n}');
    expect(code.find((line) => line.includes('load'))).toContain('sync');
  });

  it('marks device reads by their use or their name', () => {
    const rest = `device gpu {
      u32 a = dma_read(vm, 0x1000);
      u32 b = dma_read(vm, 0x2000);
      u32 c = dma_read_sync(vm, 0x3000);
      if (b) dma_write(vm, 0x1000, a + c);
    }`;
    const program = compiled(scenario('', rest));
    const [, device] = program.threads;
    expect(listing(program, device?.code ?? [], device?.locals ?? []).slice(0, 3)).toEqual([
      '0 a = dma_read(vm, 4096)',
      '1 b = dma_read(vm, 8192) sync',
      '2 c = dma_read_sync(vm, 12288) sync',
    ]);
  });
});

describe('arithmetic', () => {
  it('is unsigned and wraps', () => {
    expect(foldBinary('-', 32, 1, 2)).toBe(0xffff_ffff);
    expect(foldBinary('+', 32, 0xffff_ffff, 1)).toBe(0);
    expect(foldBinary('+', 64, 0xffff_ffff, 1)).toBe(0x1_0000_0000);
    expect(foldBinary('*', 32, 0xffff, 0x1_0001)).toBe(0xffff_ffff);
    expect(foldBinary('<<', 32, 1, 33)).toBe(2);
    expect(foldBinary('&', 64, 0x1f_0000_0000, 0x10_0000_0000)).toBe(0x10_0000_0000);
    expect(foldUnary('~', 32, 0)).toBe(0xffff_ffff);
    expect(foldUnary('-', 32, 1)).toBe(0xffff_ffff);
    expect(foldUnary('!', 32, 5)).toBe(0);
  });

  it('divides by zero as arm64 does', () => {
    expect(foldBinary('/', 32, 7, 0)).toBe(0);
    expect(foldBinary('%', 32, 7, 0)).toBe(7);
  });
});
