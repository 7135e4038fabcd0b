/** Names, kinds and threads: what is accepted, what is refused and how. */
import { describe, expect, it } from 'vitest';
import { codes, compiled, problems, scenario } from './litmus-helper.js';

const accepts = (body: string, rest = '') => expect(problems(scenario(body, rest))).toEqual([]);
const refuses = (body: string, ...expected: string[]) =>
  expect(problems(scenario(body)).map((line) => line.replace(/ \d+:\d+ /, ' '))).toEqual(expected);

const pages = 'sgt = drm_gem_shmem_get_pages_sgt(bo);\n';

describe('kinds', () => {
  it('takes 0 and NULL for pointers and for every family of flags', () => {
    accepts('u32 *q = NULL;\nq = 0;\nif (q == NULL)\n\treturn;');
    accepts('sgt = drm_gem_shmem_get_pages_sgt(bo);\niommu_map_sgtable(vm, 0, sgt, 0);');
  });

  it('does not take any other integer for them', () => {
    refuses('u32 *q = 4;', 'L030 an integer cannot be assigned to a pointer (u32 *)');
    expect(
      codes(scenario('sgt = drm_gem_shmem_get_pages_sgt(bo);\niommu_map_sgtable(vm, 0, sgt, 3);')),
    ).toEqual(['L032']);
  });

  it('keeps families of flags apart', () => {
    accepts(`${pages}iommu_map_sgtable(vm, 0, sgt, IOMMU_READ | IOMMU_CACHE | 0);`);
    expect(
      codes(scenario(`${pages}iommu_map_sgtable(vm, 0, sgt, IOMMU_READ + IOMMU_CACHE);`)),
    ).toEqual(['L030']);
    refuses(
      'u32 x = IOMMU_READ;',
      'L030 IOMMU rights (IOMMU_READ …) cannot be assigned to an integer',
    );
  });

  it('keeps DMA and physical addresses apart, unless a cast says it is meant', () => {
    const page =
      'struct page *page = alloc_pages(GFP_KERNEL, 0);\nphys_addr_t phys = page_to_phys(page);\n';
    accepts(`${page}dma_addr_t dma = (dma_addr_t)phys;\ndma = dma + 64;`);
    expect(codes(scenario(`${page}dma_addr_t dma = phys;`))).toEqual(['L030']);
    expect(codes(scenario(`${page}dma_addr_t dma = 0;\nif (dma == phys)\n\treturn;`))).toEqual([
      'L030',
    ]);
  });

  it('converts pointers only by casts, void pointers freely', () => {
    accepts('void *v = p;\nu64 *q = v;\nu8 *b = (u8 *)q;\nv = b + 1;');
    refuses('u64 *q = p;', 'L030 a pointer (u32 *) cannot be assigned to a pointer (u64 *)');
    refuses('void *v = p;\nv[0] = 1;', "L030 a 'void *' has no elements to access");
    refuses('u32 x = (u32)p;', 'L030 a pointer (u32 *) cannot become an integer by a cast');
  });

  it('names both kinds of a wrong argument', () => {
    refuses(
      'submit(vm);',
      "L032 'dev' of submit() cannot be an IOMMU domain (struct iommu_domain *)",
    );
  });

  it('refuses comparisons that unsigned integers decide', () => {
    expect(codes(scenario('int x = p[0];\nif (x >= 0)\n\treturn;'))).toEqual(['L030']);
    accepts('int x = p[0];\nif (x > 0 && 0 < x)\n\treturn;');
  });

  it('says one thing about one mistake', () => {
    expect(
      codes(scenario('u32 x = nothing;\nu32 y = x + nothing;\np[y] = nothing(x, y);')),
    ).toEqual(['L020', 'L020', 'L021']);
    expect(codes(scenario('uint x = p[0];\nx = x + vm;\nif (x)\n\tp[x] = x;'))).toEqual(['L013']);
  });
});

describe('handles', () => {
  it('come into being by assignment, in any order of the text', () => {
    const text = `machine arm64 { device gpu { }; }
      cpu a { iommu_map_sgtable(copy, 0, sgt, IOMMU_READ); }
      cpu b { copy = vm; sgt = drm_gem_shmem_get_pages_sgt(bo); }
      init { vm = iommu_domain_alloc(gpu); bo = drm_gem_shmem_create(gpu, 4096); }`;
    expect(problems(text)).toEqual([]);
    expect(compiled(text).handles.toSorted()).toEqual(['bo', 'copy', 'sgt', 'vm']);
  });

  it('may be declared with their type, everywhere', () => {
    const rest = 'struct sg_table *table;\nstruct drm_gem_object *other;\n';
    accepts('struct iommu_domain *mine = iommu_domain_alloc(gpu);\nother = bo;\nmine = vm;', rest);
  });

  it('need a declaration when they are pointers or integers', () => {
    refuses('q = mmap(bo);\nq[0] = 1;', "L025 'q' needs a declaration: it is a pointer (void *)");
    refuses('x = p[0];', "L025 'x' needs a declaration: it is an integer");
  });

  it('may stand for flags, and for other handles', () => {
    accepts(`${pages}rights = IOMMU_READ | IOMMU_WRITE;
      iommu_map_sgtable(vm, 0, sgt, rights);\nwhere = gpu;\nsubmit(where);`);
    refuses('a = b;\nb = a;', "L025 nothing says what 'a' is", "L025 nothing says what 'b' is");
    refuses(
      'q = &p[1];\nr = p + 1;',
      "L025 'q' needs a declaration: it is a pointer (void *)",
      "L025 'r' needs a declaration: it is a pointer (u32 *)",
    );
  });

  it('keep to one kind', () => {
    refuses(
      'vm = drm_gem_shmem_get_pages_sgt(bo);',
      "L026 'vm' is an IOMMU domain (struct iommu_domain *) since line 6" +
        ' and is given a scatter list (struct sg_table *) here',
    );
  });

  it('lists locks for the engine', () => {
    const program = compiled(
      `struct mutex m;\nu32 *ring;\nspinlock_t s;\nstruct completion c;\n${scenario(
        'mutex_lock(&m);\nspin_lock(&s);\ncomplete(&c);',
      )}`,
    );
    expect(program.locks).toEqual([
      { handle: 0, kind: 'mutex' },
      { handle: 2, kind: 'mutex' },
      { handle: 3, kind: 'completion' },
    ]);
  });
});

describe('names', () => {
  it('are local to their thread and block', () => {
    refuses(
      '{\n\tu32 x = 1;\n}\np[0] = x;',
      "L020 'x' is not declared here: only in another block or further down",
    );
    accepts('for (int i = 0; i < 2; i++)\n\t;\nfor (u64 i = 0; i < 2; i++)\n\t;');
  });

  it('are not shadowed', () => {
    expect(codes(scenario('u32 x = 1;\nif (p[0]) {\n\tu32 x = 2;\n}'))).toEqual(['L023']);
    expect(codes(scenario('u32 vm = 1;'))).toEqual(['L023']);
    expect(codes(scenario('u32 gpu = 1;\nu32 PAGE_SIZE = 2;'))).toEqual(['L023', 'L023']);
  });
});

describe('threads', () => {
  it('need their device, and a name of their own', () => {
    expect(
      codes('machine arm64 { device a { }; }\ndevice b { }\ncpu a { }\ncpu c { }\ncpu c { }'),
    ).toEqual(['L027', 'L027', 'L014']);
  });

  it('do only what their processor can', () => {
    expect(codes(scenario('dma_write(vm, 0, 1);', 'device gpu {\nwait(gpu);\n}'))).toEqual([
      'L034',
      'L034',
    ]);
  });

  it('run without a machine block, on arm64 without devices', () => {
    const program = compiled('cpu a { struct page *page = alloc_pages(GFP_KERNEL, 0); }');
    expect(program.machine).toMatchObject({
      profile: 'arm64',
      devices: [],
      swap: 'none',
      lineSize: 64,
    });
  });
});

describe('machine', () => {
  it('reads every setting', () => {
    const { machine } = compiled(`machine arm64 {
      device gpu { .coherent = true, .iommu = smmu, .dma_mask = DMA_BIT_MASK(40) };
      device disk { .iommu = none, .dma_mask = 0xffffffff, };
      .linear_map_removable = true; .swap = disk; .cache_line = 128; .page_size = 16384;
    }\ncpu a { }`);
    expect(machine).toMatchObject({
      linearMapRemovable: true,
      swap: { device: 1 },
      lineSize: 128,
      helperLine: 128,
      pageSize: 16384,
      devices: [
        { name: 'gpu', coherent: true, iommu: true, dmaMask: 2 ** 40 - 1 },
        { name: 'disk', coherent: false, iommu: false, dmaMask: 2 ** 32 - 1 },
      ],
    });
  });

  it('keeps the line of maintenance apart from what is written back at once', () => {
    const machine = (text: string) => compiled(`machine arm64 { ${text} }\ncpu a { }`).machine;
    const both = { helperLine: 64, lineSize: 256 };
    expect(machine('.writeback_granule = 256;')).toMatchObject(both);
    expect(machine('.writeback_granule = 256; .cache_line = 64;')).toMatchObject(both);
  });

  it('knows the kinds of barriers, on arm64', () => {
    const barrier = (kind: string, on = 'arm64') =>
      codes(`machine ${on} { }\ncpu a { ${kind}; }`);
    const domains = ['osh', 'ish', 'nsh'].flatMap((each) => [each, `${each}st`, `${each}ld`]);
    for (const kind of ['sy', 'st', 'ld', ...domains]) {
      expect(barrier(`dmb(${kind})`)).toEqual([]);
      expect(barrier(`dsb(${kind})`)).toEqual([]);
    }
    for (const wrong of ['dmb(inner)', 'dsb(1)']) expect(barrier(wrong)).toEqual(['L037']);
    expect(barrier('dsb()')).toEqual(['L031']);
    expect(barrier('dsb(sy)', 'x86')).toEqual(['L028']);
  });

  it('takes the widest mask for 64 bits', () => {
    const [gpu] = compiled(
      'machine arm64 { device g { .dma_mask = DMA_BIT_MASK(64) }; }\ncpu a { }',
    ).machine.devices;
    expect(gpu?.dmaMask).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('refuses values that make no machine', () => {
    const block = (settings: string) => codes(`machine arm64 { ${settings} }\ncpu a { }`);
    expect(block('.cache_line = 48;')).toEqual(['L037']);
    expect(block('.swap = nothing;')).toEqual(['L022']);
    expect(block('.swap = zram; .swap = none;')).toEqual(['L014']);
    expect(block('.cache_line = 4096; .page_size = 64;')).toEqual(['L022']);
    expect(block('.writeback_granule = 32;')).toEqual(['L022']);
    expect(block('.writeback_granule = 8192;')).toEqual(['L037']);
    expect(block('device none { };')).toEqual(['L023']);
    expect(block('device d { .coherent = 2 };')).toEqual(['L037']);
  });
});
