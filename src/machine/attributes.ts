/**
 * Memory attributes of a CPU mapping (M5), and which page protection gives which on arm64.
 * Source: arch/arm64/include/asm/pgtable.h (pgprot_writecombine and pgprot_dmacoherent are
 * MT_NORMAL_NC, pgprot_noncached is MT_DEVICE_nGnRnE).
 * Leaves out: shareability and allocation hints, which change nothing the rules here look at.
 */
export type Attribute = 'WB' | 'NC' | 'DEV';

export interface AttributeInfo {
  readonly name: string;
  /** Loads and stores look up and allocate the CPU cache. */
  readonly cacheable: boolean;
  readonly text: string;
}

export const attributes: Readonly<Record<Attribute, AttributeInfo>> = {
  WB: { name: 'WB', cacheable: true, text: 'Normal write-back cacheable' },
  NC: { name: 'WC', cacheable: false, text: 'Normal non-cacheable (write-combine)' },
  DEV: { name: 'DEV', cacheable: false, text: 'Device memory (pgprot_noncached)' },
};
