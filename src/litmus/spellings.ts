/**
 * Macros and small helpers of Linux that are others in other words: `kcalloc(n, size, gfp)` is
 * `kzalloc(n * size, gfp)`, `likely(x)` is x, `cpu_relax()` is nothing. So that code can be
 * copied out of a driver. Leaves out: whatever has an effect of its own, which is an operation, and
 * other names for one with the same arguments (kernel/ops/aliases.ts).
 */

export interface Spelling {
  readonly name: string;
  readonly params: readonly string[];
  /** An expression over the parameters; empty: the call does nothing that can be seen here. */
  readonly body: string;
  /** Kernel path, where the name is defined. */
  readonly source: string;
}

const MM = 'include/linux/gfp.h, mm/page_alloc.c';
const SLAB = 'include/linux/slab.h';
const HIGHMEM = 'include/linux/highmem-internal.h: without highmem, as on 64-bit machines';
const ORDER = 'include/linux/byteorder/generic.h, for a little-endian CPU';
const IO = 'arch/arm64/include/asm/io.h, include/asm-generic/io.h';
const DELAY = 'include/linux/delay.h';
const SPIN = 'include/linux/spinlock.h';
const MATH = 'include/linux/math.h, align.h';
const BITS = 'include/vdso/bits.h, include/linux/wordpart.h';

/** The head as in Linux, what it stands for, where it is defined. */
const table: readonly (readonly [head: string, body: string, source: string])[] = [
  ['__get_free_page(gfp)', '__get_free_pages(gfp, 0)', MM],
  ['get_zeroed_page(gfp)', '__get_free_pages(gfp | __GFP_ZERO, 0)', MM],
  ['free_page(addr)', 'free_pages(addr, 0)', MM],
  ['kcalloc(n, size, gfp)', 'kzalloc(n * size, gfp)', SLAB],
  ['kmalloc_array(n, size, gfp)', 'kmalloc(n * size, gfp)', SLAB],
  ['page_to_virt(page)', 'page_address(page)', 'arch/arm64/include/asm/memory.h'],
  ['__va(phys)', 'phys_to_virt(phys)', 'arch/arm64/include/asm/memory.h'],
  ['__pa(addr)', 'virt_to_phys(addr)', 'arch/arm64/include/asm/memory.h'],
  ['kunmap(page)', '', HIGHMEM],
  ['clear_page(addr)', 'memset(addr, 0, PAGE_SIZE)', 'arch/arm64/lib/clear_page.S'],
  ['clear_highpage(page)', 'memset(page_address(page), 0, PAGE_SIZE)', 'include/linux/highmem.h'],
  ['copy_page(to, from)', 'memcpy(to, from, PAGE_SIZE)', 'arch/arm64/lib/copy_page.S'],
  ['memmove(dst, src, count)', 'memcpy(dst, src, count)', 'include/linux/string.h'],
  ['vmap(pages, count, flags, prot)', 'vmap(pages, prot)', 'mm/vmalloc.c'],
  [
    'dma_resv_wait_timeout(obj, usage, intr, timeout)',
    'dma_resv_wait_timeout(obj)',
    'drivers/dma-buf/dma-resv.c',
  ],
  ['writeq(value, dev)', 'writel(value, dev)', IO],
  ['writew(value, dev)', 'writel(value, dev)', IO],
  ['writeb(value, dev)', 'writel(value, dev)', IO],
  ['iowrite32(value, dev)', 'writel(value, dev)', IO],
  ['ioread32(dev)', 'readl(dev)', IO],
  ['__raw_writel(value, dev)', 'writel_relaxed(value, dev)', IO],
  ['msleep(msecs)', 'udelay(msecs * 1000)', DELAY],
  ['mdelay(msecs)', 'udelay(msecs * 1000)', DELAY],
  ['fsleep(usecs)', 'udelay(usecs)', DELAY],
  ['usleep_range(least, most)', 'udelay(least)', DELAY],
  ['spin_lock_irq(lock)', 'spin_lock(lock)', SPIN],
  ['spin_unlock_irq(lock)', 'spin_unlock(lock)', SPIN],
  ['spin_lock_bh(lock)', 'spin_lock(lock)', SPIN],
  ['spin_unlock_bh(lock)', 'spin_unlock(lock)', SPIN],
  ['spin_lock_irqsave(lock, flags)', 'spin_lock(lock)', SPIN],
  ['spin_unlock_irqrestore(lock, flags)', 'spin_unlock(lock)', SPIN],
  ['spin_lock_init(lock)', '', SPIN],
  ['mutex_init(lock)', '', 'include/linux/mutex.h'],
  ['init_completion(done)', '', 'include/linux/completion.h'],
  ['cpu_relax()', '', 'arch/arm64/include/asm/vdso/processor.h: yield orders nothing'],
  ['cond_resched()', '', 'include/linux/sched.h'],
  ['might_sleep()', '', 'include/linux/kernel.h'],
  ['likely(x)', 'x', 'include/linux/compiler.h'],
  ['unlikely(x)', 'x', 'include/linux/compiler.h'],
  ['WARN_ON(x)', 'x', 'include/asm-generic/bug.h'],
  ['WARN_ON_ONCE(x)', 'x', 'include/asm-generic/bug.h'],
  ['cpu_to_le16(x)', 'x', ORDER],
  ['cpu_to_le32(x)', 'x', ORDER],
  ['cpu_to_le64(x)', 'x', ORDER],
  ['le16_to_cpu(x)', 'x', ORDER],
  ['le32_to_cpu(x)', 'x', ORDER],
  ['le64_to_cpu(x)', 'x', ORDER],
  ['BIT(n)', '1 << n', BITS],
  ['lower_32_bits(n)', 'n & 0xffffffff', BITS],
  ['ALIGN(x, a)', '(x + a - 1) / a * a', MATH],
  ['PAGE_ALIGN(x)', '(x + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE', 'include/linux/mm.h'],
  ['DIV_ROUND_UP(n, d)', '(n + d - 1) / d', MATH],
];

function spelling([head, body, source]: (typeof table)[number]): Spelling {
  const [name = '', list = ''] = head.slice(0, -1).split('(');
  return { name, params: list === '' ? [] : list.split(', '), body, source };
}

const byName: ReadonlyMap<string, Spelling> = new Map(
  table.map((row) => spelling(row)).map((each) => [each.name, each]),
);

export function spellings(): Iterable<Spelling> {
  return byName.values();
}

/** Null where the name is no other spelling; it may be an operation with other arguments. */
export function spellingOf(name: string): Spelling | null {
  return byName.get(name) ?? null;
}

/** `kcalloc(n, size, gfp)`, as the reference shows it. */
export function spellingHead({ name, params }: Spelling): string {
  return `${name}(${params.join(', ')})`;
}
