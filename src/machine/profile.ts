/**
 * The architectures a scenario may run on, and how each orders what leaves a CPU (M7, M8, M9).
 * Sources: arch/{arm64,x86,riscv}/include/asm/barrier.h, arch/riscv/include/asm/mmio.h (v6.12);
 * Intel SDM 3A ch. 9 "Memory Ordering" and 12.3.1 (write-combining buffers); RISC-V ISA manual,
 * CMO chapter, "Memory Ordering" (management instructions are stores, W for a FENCE).
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
  readonly smpWmb: 'ish' | 'w' | 'none';
  readonly smpMb: 'ish-full' | 'w-full';
  /** Inside writel(), before its store. */
  readonly writel: 'st' | 'none';
}

export const orderProfiles: Readonly<Record<ProfileName, OrderProfile>> = {
  arm64: {
    totalStoreOrder: false,
    fencesOrderMaintenance: false,
    dmaWmb: 'st',
    smpWmb: 'ish',
    smpMb: 'ish-full',
    writel: 'st',
  },
  // Write-combining stores wait in buffers that only sfence and mfence empty for sure.
  x86: {
    totalStoreOrder: true,
    fencesOrderMaintenance: false,
    dmaWmb: 'none',
    smpWmb: 'none',
    smpMb: 'ish-full',
    writel: 'none',
  },
  // Non-cacheable main memory is W as any other: fence w,w orders stores to it for every agent.
  riscv: {
    totalStoreOrder: false,
    fencesOrderMaintenance: true,
    dmaWmb: 'st',
    smpWmb: 'w',
    smpMb: 'w-full',
    writel: 'st',
  },
};
