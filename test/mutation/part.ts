/** The text of a scenario from its parts, with the tabs and braces that all of them share. */
export interface Part {
  /** Its architecture; arm64 where it is absent. */
  readonly machine?: string;
  /** Settings of device nic. */
  readonly device: string;
  /** Further settings of the machine. */
  readonly settings: string;
  readonly names?: string;
  readonly init?: string;
  readonly cpu?: string;
  /** A second CPU. */
  readonly reader?: string;
  readonly nic?: string;
  /** After the threads: assertions. */
  readonly after?: string;
}

function thread(head: string, body: string | undefined): string {
  return body === undefined ? '' : `${head} {\n\t${body}\n}\n`;
}

/** `says`: the messages of H11 and H14, in order, where a scenario pins them. */
export function text(result: string, part: Part, says?: string): string {
  const {
    machine = 'arm64',
    device,
    settings,
    names = '',
    init,
    cpu,
    reader,
    nic,
    after = '',
  } = part;
  const pinned = says === undefined ? '' : `// Says: ${says}\n`;
  return `// Result: ${result}
${pinned}machine ${machine} {
	device nic { ${device} };
	${settings}
}
${names}
${thread('init', init)}${thread('cpu driver', cpu)}${thread('cpu reader', reader)}${thread('device nic', nic)}${after}
`;
}

export type Scenarios = readonly (readonly [string, string])[];

export const plain = { device: '.coherent = false', settings: '' };
export const behind = { device: '.coherent = false, .iommu = smmu', settings: '' };
const swapping = { device: '.coherent = false', settings: '.swap = zram;' };

/** A shmem object mapped write-combined, for device nic. */
export const object: Part = {
  ...swapping,
  names: 'u32 *p;\nu32 *q;\ndma_addr_t dma;',
  init: 'bo = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);',
};

export const msmObject: Part = {
  ...object,
  init: `bo = msm_gem_new(nic, PAGE_SIZE, .map_wc = true);
	vm = iommu_domain_alloc(nic);`,
  device: behind.device,
};
