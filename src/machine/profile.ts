/**
 * The architectures a scenario may run on, and how each orders what leaves a CPU (M7, M8, M9).
 * Sources: arch/{arm64,x86,riscv}/include/asm/barrier.h, arch/riscv/include/asm/mmio.h (v6.12);
 * Arm ARM B2.3 "Barrier-ordered-before" (a Store-Release comes after what stands before it, for
 * every observer; what stands behind is not held); Intel SDM 3A ch. 9 "Memory Ordering" and 12.3.1
 * (write-combining buffers); RISC-V ISA manual, FENCE and CMO chapter, "Memory Ordering"
 * (management instructions are stores, W for a FENCE).
 * Leaves out: 32-bit Arm, x86 without SFENCE, RISC-V without Zicbom.
 */
export const profileNames = ['arm64', 'x86', 'riscv'] as const;

export type ProfileName = (typeof profileNames)[number];

export function isProfile(name: string): name is ProfileName {
  return profileNames.some((each) => each === name);
}

export interface OrderProfile {
  /** Stores to cacheable and Device memory stay in order, loads too: total store order. */
  readonly totalStoreOrder: boolean;
  /** A fence orders cache maintenance as it does stores: no completion of its own is needed. */
  readonly fencesOrderMaintenance: boolean;
  /** What stands in the buffer for a call; `none` is a barrier to the compiler only. */
  readonly dmaWmb: 'st' | 'none';
  /** `dsb`: the thread waits until its buffer is empty. */
  readonly wmb: 'dsb' | 'st';
  readonly smpWmb: 'ish' | 'w' | 'none';
  readonly smpMb: 'ish-full' | 'w-full';
  /** Inside writel(), before its store. */
  readonly writel: 'st' | 'wo' | 'none';
  /** smp_store_release: its store waits itself, or a barrier stands before a plain store. */
  readonly release: 'store' | 'w' | 'none';
  /** Later loads may go before it: calls that order no loads, by name. */
  readonly earlyLoadsPass: ReadonlySet<string>;
  /** Earlier loads may be done behind it: calls that order no later store behind a load. */
  readonly lateLoadsPass: ReadonlySet<string>;
  /** Orders loads alone: a load put off past one is done before the next. */
  readonly loadsOnly: ReadonlySet<string>;
}

/** Barriers that order stores alone, everywhere. */
const STORES = ['dma_wmb', 'smp_wmb', 'barrier'];
const NONE: ReadonlySet<string> = new Set();

export const orderProfiles: Readonly<Record<ProfileName, OrderProfile>> = {
  arm64: {
    totalStoreOrder: false,
    fencesOrderMaintenance: false,
    dmaWmb: 'st',
    wmb: 'dsb',
    smpWmb: 'ish',
    smpMb: 'ish-full',
    writel: 'st',
    release: 'store',
    earlyLoadsPass: new Set(STORES),
    lateLoadsPass: new Set([...STORES, 'wmb']),
    // dmb ld and dsb ld: loads before loads and stores.
    loadsOnly: NONE,
  },
  // Write-combining stores wait in buffers that only sfence and mfence empty for sure.
  x86: {
    totalStoreOrder: true,
    fencesOrderMaintenance: false,
    dmaWmb: 'none',
    wmb: 'dsb',
    smpWmb: 'none',
    smpMb: 'ish-full',
    writel: 'none',
    release: 'none',
    earlyLoadsPass: NONE,
    lateLoadsPass: NONE,
    loadsOnly: NONE,
  },
  // Non-cacheable main memory is W as any other: fence w,w orders stores to it for every agent.
  riscv: {
    totalStoreOrder: false,
    fencesOrderMaintenance: true,
    dmaWmb: 'st',
    // fence ow,ow
    wmb: 'st',
    smpWmb: 'w',
    smpMb: 'w-full',
    // fence w,o
    writel: 'wo',
    // fence rw,w
    release: 'w',
    earlyLoadsPass: new Set([...STORES, 'wmb']),
    lateLoadsPass: new Set([...STORES, 'wmb', 'rmb', 'dma_rmb', 'smp_rmb']),
    // fence ir,ir and fence r,r
    loadsOnly: new Set(['rmb', 'dma_rmb', 'smp_rmb']),
  },
};
