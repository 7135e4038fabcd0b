/**
 * The programs that the oracle understands: one CPU thread and one device program over one or two
 * words of one page, and how such a program is written as a scenario. No branches, no loops, and
 * stores of constants only, so that what is executed depends on nothing that is read.
 */
export type Attr = 'WB' | 'NC';
export type How = 'clean' | 'inval' | 'cinv';
export type Barrier =
  | 'dma_wmb'
  | 'dma_rmb'
  | 'dma_mb'
  | 'smp_wmb'
  | 'smp_rmb'
  | 'smp_mb'
  | 'wmb'
  | 'mb'
  | 'arch_sync_dma_flush';

export type CpuOp =
  | {
      readonly op: 'store';
      readonly attr: Attr;
      readonly word: number;
      readonly value: number;
      readonly release?: boolean;
    }
  | {
      readonly op: 'load';
      readonly attr: Attr;
      readonly word: number;
      readonly sync: boolean;
      /** Always a synchronising read. */
      readonly acquire?: boolean;
    }
  | { readonly op: 'maintain'; readonly how: How; readonly line: number; readonly dsb: boolean }
  | { readonly op: 'barrier'; readonly name: Barrier }
  | { readonly op: 'bell'; readonly ordered: boolean }
  | { readonly op: 'wait' };

export type DeviceOp =
  | { readonly op: 'read'; readonly word: number; readonly sync: boolean }
  | { readonly op: 'write'; readonly word: number; readonly value: number };

export interface Litmus {
  /** Line of each word: [0], [0, 0] or [0, 1]. */
  readonly lineOf: readonly number[];
  readonly cpu: readonly CpuOp[];
  readonly device: readonly DeviceOp[];
}

export interface Printed {
  readonly text: string;
  /** Source line of each CPU operation, then of each device operation. */
  readonly cpuLines: readonly number[];
  readonly deviceLines: readonly number[];
}

const bytesPerLine = 64;

/** Index of a word in the page, in u32. */
function indexOf({ lineOf }: Litmus, word: number): number {
  const line = lineOf[word] ?? 0;
  const before = lineOf.slice(0, word).filter((other) => other === line).length;
  return (line * bytesPerLine) / 4 + before;
}

export function print(litmus: Litmus): Printed {
  const lines = [
    'machine arm64 {',
    '\tdevice dev { .coherent = false };',
    '}',
    'u32 *wb;',
    'u32 *nc;',
    'init {',
    '\tpage = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);',
    '\tphys = page_to_phys(page);',
    '\twb = page_address(page);',
    '\tdcache_clean_inval_poc(wb, wb + 32);',
    '\tnc = vmap(page, pgprot_writecombine(PAGE_KERNEL));',
    '}',
    'cpu driver {',
  ];
  const cpuLines = litmus.cpu.map((op, i) => lines.push(`\t${cpuText(litmus, op, i)};`));
  lines.push('}', 'device dev {');
  const deviceLines = litmus.device.map((op, i) => lines.push(`\t${deviceText(litmus, op, i)};`));
  lines.push('}', '');
  return { text: lines.join('\n'), cpuLines, deviceLines };
}

function cpuText(litmus: Litmus, op: CpuOp, i: number): string {
  switch (op.op) {
    case 'store': {
      const place = `${op.attr.toLowerCase()}[${indexOf(litmus, op.word)}]`;
      return op.release ? `smp_store_release(&${place}, ${op.value})` : `${place} = ${op.value}`;
    }
    case 'load': {
      const place = `${op.attr.toLowerCase()}[${indexOf(litmus, op.word)}]`;
      if (op.acquire) return `u32 r${i} = smp_load_acquire(&${place})`;
      return `u32 r${i} = ${op.sync ? `READ_ONCE(${place})` : place}`;
    }
    case 'maintain': {
      const name = { clean: 'clean', inval: 'inval', cinv: 'clean_inval' }[op.how];
      const from = (op.line * bytesPerLine) / 4;
      const to = from + bytesPerLine / 4;
      return `dcache_${name}_poc${op.dsb ? '' : '_nosync'}(wb + ${from}, wb + ${to})`;
    }
    case 'barrier':
      return `${op.name}()`;
    case 'bell':
      return op.ordered ? 'writel(1, dev)' : 'writel_relaxed(1, dev)';
    case 'wait':
      return 'wait(dev)';
  }
}

function deviceText(litmus: Litmus, op: DeviceOp, i: number): string {
  const address = `phys + ${indexOf(litmus, op.word) * 4}`;
  if (op.op === 'write') return `dma_write(${address}, ${op.value})`;
  return `u32 r${i} = dma_read${op.sync ? '_sync' : ''}(${address})`;
}
