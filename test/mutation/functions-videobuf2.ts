/** Scenarios for videobuf2, whose two allocators have the same calls. */
import {
  all,
  behind,
  names,
  type Part,
  plain,
  read,
  run,
  type Scenarios,
  write,
} from './part-drivers.js';

const vb2Init = (call: string): string =>
  `buf = ${call};\n\tdma = CALL_cookie(buf);\n\tp = CALL_mmap(buf);`.replaceAll(
    'CALL',
    call.startsWith('vb2_dc') ? 'vb2_dc' : 'vb2_dma_sg',
  );

export const cached = vb2Init(
  'vb2_dc_alloc(nic, PAGE_SIZE, DMA_BIDIRECTIONAL, .non_coherent_mem = true)',
);
export const coherent = vb2Init('vb2_dc_alloc(nic, PAGE_SIZE, DMA_BIDIRECTIONAL)');
export const scattered = vb2Init('vb2_dma_sg_alloc(nic, PAGE_SIZE, DMA_BIDIRECTIONAL)');
const done = 'struct completion done;';

/** Another CPU reads what the device wrote, as soon as this one has called `call`. */
export function handOver(init: string, prepare: string, call: string): Part {
  return {
    ...plain,
    names: `${names}\n${done}`,
    init,
    cpu: `${prepare}\n\tu32 before = p[0];\n\t${run}\n\t${call}\n\tcomplete(&done);`,
    reader: 'wait_for_completion(&done);\n\tu32 x = p[0];',
    nic: write,
  };
}

/** The device reads what the CPU wrote, and only the call stands before the relaxed doorbell. */
function handOut(init: string, call: string): Part {
  return {
    ...plain,
    names,
    init,
    cpu: `p[0] = 5;\n\t${call}\n\twritel_relaxed(1, nic);`,
    nic: read,
  };
}

function vb2(prefix: 'vb2_dc' | 'vb2_dma_sg', init: string): Scenarios {
  const put = `${prefix}_put(buf);`;
  const after: Part = { ...behind, init, cpu: `${put}\n\t${run}`, nic: read };
  return all([
    [
      `${prefix}_finish: done before another CPU reads`,
      'coherent',
      handOver(init, `${prefix}_prepare(buf);`, `${prefix}_finish(buf);`),
    ],
    [
      `${prefix}_prepare: done before the doorbell`,
      'coherent',
      handOut(init, `${prefix}_prepare(buf);`),
    ],
    [`${prefix}_put: the device is out`, 'H14', after],
    [`${prefix}_put: the pages are gone`, 'H8 H6', { ...after, ...plain }],
    [
      `${prefix}_vaddr: shows the buffer`,
      'coherent',
      {
        ...plain,
        init: `${init}\n\t${prefix}_prepare(buf);`,
        cpu: `q = ${prefix}_vaddr(buf);\n\tq[0] = 5;\n\t${prefix}_prepare(buf);\n\t${run}`,
        nic: read,
      },
    ],
    [
      `${prefix}_alloc: kept by reclaim`,
      'coherent',
      {
        device: '.coherent = false',
        settings: '.swap = zram;',
        init: `${init}\n\t${prefix}_prepare(buf);`,
        cpu: `shmem_writepage(buf);\n\t${run}`,
        nic: read,
      },
    ],
  ]);
}

export const videobuf2: Scenarios = [
  ...vb2('vb2_dc', cached),
  ...vb2('vb2_dma_sg', scattered),
  ...all([
    [
      'vb2_dc_alloc: zeroed before user space sees it',
      'coherent',
      { ...plain, init: coherent, cpu: 'u32 x = p[0];' },
    ],
    [
      'vb2_dc_vaddr: of coherent memory, that of the allocation',
      'coherent',
      {
        ...plain,
        init: `${coherent}\n\tq = vb2_dc_vaddr(buf);`,
        cpu: `q[0] = 5;\n\twritel(1, nic);`,
        nic: read,
      },
    ],
    [
      'vb2_dc_alloc: prepare goes by its table',
      'H2 H6',
      {
        ...handOut(cached, 'vb2_dc_prepare(buf);'),
        names: `${names}\noverride dma_sync_sg_for_device(dev, sgl, nents, dir) { }`,
      },
    ],
    [
      'vb2_dma_sg_put: unmaps as the scenario says',
      'H11',
      {
        ...plain,
        names: `${names}\noverride void dma_unmap_sgtable(dev, sgt, dir, attrs) { }`,
        init: scattered,
        cpu: 'vb2_dma_sg_put(buf);\n\tdevice_release_driver(nic);',
      },
    ],
    [
      'vb2_dma_sg_get_dmabuf: an importer maps with maintenance',
      'coherent',
      {
        ...plain,
        init: `${scattered}\n\tdbuf = vb2_dma_sg_get_dmabuf(buf);\n\tp[0] = 5;\n\tatt = dma_buf_attach(dbuf, nic);\n\tsgt = dma_buf_map_attachment(att, DMA_TO_DEVICE);\n\tdma = sg_dma_address(sgt);`,
        cpu: run,
        nic: read,
      },
    ],
  ]),
];
