/** Scenarios about barriers, locks, completions and doorbells; see functions.ts. */
import { type Part, text } from './part.js';

const plain = { device: '.coherent = false', settings: '' };

/** Two words of coherent memory, on lines of their own. */
const ring: Part = {
  ...plain,
  names: 'u32 *p;\ndma_addr_t dma;\nstruct mutex lock;\nstruct completion done;\nspinlock_t spin;',
  init: 'p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);',
};

/** A cacheable page that holds nothing dirty, and the address of its memory. */
const cached: Part = {
  ...plain,
  names: 'u32 *p;\nu32 *flag;\nstruct mutex lock;\nspinlock_t spin;\nstruct completion done;',
  init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	flag = kzalloc(PAGE_SIZE, GFP_KERNEL);
	dcache_clean_inval_poc(p, p + 16);
	phys = virt_to_phys(p);`,
};

type Scenarios = readonly (readonly [string, string])[];

function barriers(): Scenarios {
  const stores = ['mb', 'wmb', 'dma_mb', 'dma_wmb'].map(
    (name) =>
      [
        `${name}: a store before a relaxed doorbell`,
        text('coherent', {
          ...ring,
          cpu: `p[0] = 1;\n\t${name}();\n\twritel_relaxed(1, nic);`,
          nic: 'u32 x = dma_read(dma);',
        }),
      ] as const,
  );
  const waits = ['mb', 'wmb'].map(
    (name) =>
      [
        `${name}: maintenance before a relaxed doorbell`,
        text('coherent', {
          ...cached,
          cpu: `p[0] = 1;
	dcache_clean_poc_nosync(p, p + 16);
	${name}();
	writel_relaxed(1, nic);`,
          nic: 'u32 x = dma_read(phys);',
        }),
      ] as const,
  );
  const loads = ['mb', 'rmb', 'dma_mb', 'dma_rmb'].map(
    (name) =>
      [
        `${name}: a flag before the data behind it`,
        text('coherent', {
          ...ring,
          cpu: `while (READ_ONCE(p[0]) == 0)\n\t\t;\n\t${name}();\n\tu32 got = p[16];`,
          nic: 'dma_write(dma + 64, 7);\n\tdma_write(dma, 1);',
        }),
      ] as const,
  );
  const smp = ['smp_mb', 'smp_wmb'].map(
    (name) =>
      [
        `${name}: data before a flag in cacheable memory`,
        text('coherent', {
          ...cached,
          cpu: `p[0] = 1;\n\t${name}();\n\tWRITE_ONCE(flag[0], 1);`,
          reader: `while (READ_ONCE(flag[0]) == 0)\n\t\t;\n\tsmp_rmb();\n\tu32 got = p[0];`,
          after: 'always (reader:got == 1)',
        }),
      ] as const,
  );
  return [...stores, ...waits, ...loads, ...smp];
}

function locks(name: string, lock: string): Scenarios {
  const take = `${name}_lock(&${lock});`;
  const give = `${name}_unlock(&${lock});`;
  return [
    [
      `${name}_unlock: the store is there for who comes next`,
      text('coherent', {
        ...cached,
        cpu: `${take}\n\tp[0] = 1;\n\tflag[0] = 1;\n\t${give}`,
        reader: `${take}
	u32 ready = flag[0];
	if (ready) {
		dcache_clean_poc(p, p + 16);
		writel_relaxed(1, nic);
	}
	${give}`,
        nic: 'u32 x = dma_read(phys);',
      }),
    ],
    [
      `${name}_unlock: lets the next one in`,
      text('H2', {
        ...cached,
        cpu: `${take}\n\tp[0] = 1;\n\t${give}\n\t${take}\n\twritel(1, nic);\n\t${give}`,
        nic: 'u32 x = dma_read(phys);',
      }),
    ],
    [
      `${name}_lock: keeps the other out`,
      text('coherent', {
        ...cached,
        cpu: `${take}\n\tflag[0] = 1;\n\tu32 mine = flag[0];\n\t${give}`,
        reader: `${take}\n\tflag[0] = 2;\n\tu32 mine = flag[0];\n\t${give}`,
        after: 'always (driver:mine == 1 && reader:mine == 2)',
      }),
    ],
    [
      `${name}_lock: orders after the last holder`,
      text('H2', {
        ...cached,
        init: `${cached.init}\n\tpg = virt_to_page(p);`,
        cpu: `${take}\n\tp[0] = 1;\n\t${give}`,
        reader: `u32 *nc = vmap(pg, pgprot_writecombine(PAGE_KERNEL));
	${take}
	u32 got = nc[0];
	${give}`,
      }),
    ],
  ];
}

const completions: Scenarios = [
  [
    'complete: the store is there for who waits',
    text('coherent', {
      ...cached,
      cpu: 'p[0] = 1;\n\tcomplete(&done);',
      reader: `wait_for_completion(&done);
	dcache_clean_poc(p, p + 16);
	writel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    'wait_for_completion: one waiter for each complete',
    text('coherent', {
      ...cached,
      cpu: 'p[0] = 1;\n\tcomplete(&done);',
      reader: `wait_for_completion(&done);
	wait_for_completion(&done);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    'complete: orders before who waits',
    text('H2', {
      ...cached,
      init: `${cached.init}\n\tpg = virt_to_page(p);`,
      cpu: 'p[0] = 1;\n\tcomplete(&done);',
      reader: `u32 *nc = vmap(pg, pgprot_writecombine(PAGE_KERNEL));
	wait_for_completion(&done);
	u32 got = nc[0];`,
    }),
  ],
];

/** The wait is for the last doorbell, however many there were. */
const doorbells: Scenarios = ['submit(nic);', 'writel(1, nic);', 'writel_relaxed(1, nic);'].map(
  (ringing) => [
    `${ringing} waits for the last of two`,
    text('coherent', {
      ...cached,
      cpu: `${ringing}\n\t${ringing}\n\twait(nic);\n\tkfree(p);`,
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
);

const others: Scenarios = [
  [
    'dma_read: the second of two reads is not older',
    text('H3', {
      ...cached,
      init: `${cached.init}
	pg = virt_to_page(p);
	flag = vmap(pg, pgprot_writecombine(PAGE_KERNEL));`,
      cpu: 'p[0] = 1;\n\tflag[0] = 2;',
      nic: 'u32 x = dma_read(phys);\n\tu32 y = dma_read(phys);',
    }),
  ],
  [
    'readl: posted writes have arrived',
    text('coherent', {
      ...cached,
      cpu: `p[0] = 1;
	dcache_clean_poc(p, p + 16);
	writel_relaxed(1, nic);
	u32 status = readl(nic);
	wait(nic);
	kfree(p);`,
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    'memcpy: what it copied is there',
    text('coherent', {
      ...cached,
      cpu: 'p[0] = 5;\n\tmemcpy(flag, p, 4);\n\tu32 got = flag[0];',
      after: 'always (driver:got == 5)',
    }),
  ],
  [
    'memcpy: the copy is newer than what was there',
    text('H2', {
      ...cached,
      cpu: 'flag[0] = 5;\n\tmemcpy(p, flag, 4);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    'memset: what it stored is newer than what was there',
    text('H2', {
      ...cached,
      cpu: 'memset(p, 0x11, 64);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    'memcpy: a read of it counts as an access for M6',
    text('H4', {
      ...cached,
      settings: '.unexpected_hit = arch;',
      init: `${cached.init}\n\tpg = virt_to_page(p);`,
      cpu: `u32 *nc = vmap(pg, pgprot_writecombine(PAGE_KERNEL));
	memcpy(flag, p, 4);
	nc[0] = 2;
	writel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
];

/** What was read early in one turn of a loop may not be used in a later one, behind the barrier. */
const polls: Scenarios = ['smp_mb', 'smp_rmb'].map((name) => [
  `${name}: between two turns of a loop`,
  text('coherent', {
    ...ring,
    cpu: 'p[0] = 1;\n\tdma_wmb();\n\tWRITE_ONCE(p[32], 1);',
    reader: `u32 ready = 0;
	u32 got = 2;
	while (got == 2) {
		u32 now = READ_ONCE(p[32]);
		if (ready)
			got = p[0];
		${name}();
		ready = now;
	}`,
  }),
]);

const waits: Scenarios = [
  [
    'wmb: a store before a later load',
    text('coherent', {
      ...ring,
      cpu: 'u32 x = p[32];\n\tp[0] = 1;\n\twmb();\n\tu32 y = p[16];',
      reader: 'p[16] = 1;\n\tmb();\n\tu32 z = p[0];',
      after: 'forbidden (driver:y == 0 && reader:z == 0)',
    }),
  ],
  [
    'wait: the second one is for the second run',
    text('coherent', {
      ...ring,
      cpu: 'writel(1, nic);\n\twait(nic);\n\tcomplete(&done);\n\twait(nic);\n\tu32 got = p[0];',
      reader: 'wait_for_completion(&done);\n\twritel(1, nic);',
      nic: 'u32 n = dma_read(dma);\n\tdma_write(dma, n + 1);',
      after: 'always (driver:got == 2)',
    }),
  ],
];

export function orderScenarios(): Scenarios {
  return [
    ...polls,
    ...waits,
    ...barriers(),
    ...locks('mutex', 'lock'),
    ...locks('spin', 'spin'),
    ...completions,
    ...doorbells,
    ...others,
  ];
}
