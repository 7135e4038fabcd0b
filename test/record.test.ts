/**
 * The recorder's parts on made-up machines: which events, where tracefs is, what sysfs says of
 * devices, how trace.dat is laid out, what the sidecar's reader refuses. The real thing is in
 * record-live.test.ts.
 */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Drain } from '../src/record/drain.js';
import { chooseEvents } from '../src/record/events.js';
import { Instance, lossIn } from '../src/record/instance.js';
import { devicesOf, granuleOf } from '../src/record/machine.js';
import { defaultBufferKb } from '../src/record/record.js';
import { writeTraceDat } from '../src/record/trace-dat.js';
import { findTracefs, type Machine, mountedTracefs } from '../src/record/tracefs.js';
import { removeStale } from '../src/record/watcher.js';
import { parseSidecar } from '../src/trace/sidecar.js';

const work = mkdtempSync(join(tmpdir(), 'civac-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function put(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

describe('events to record', () => {
  const all = [
    'dma:dma_map_phys',
    'dma:dma_unmap_phys',
    'iommu:map',
    'kmem:mm_page_alloc',
    'kmem:mm_page_free',
    'vmscan:mm_vmscan_writepage',
  ];

  it('takes what exists of the default set and notes the rest', () => {
    expect(chooseEvents(all, [])).toEqual({ events: all, missing: ['swiotlb:*', 'dma_fence:*'] });
  });

  it('takes systems, globs and the default set together', () => {
    expect(chooseEvents(all, ['iommu', 'kmem:*_free']).events).toEqual([
      'iommu:map',
      'kmem:mm_page_free',
    ]);
    const more = [...all, 'kmem:kmalloc'].sort();
    expect(chooseEvents(more, ['default', 'kmem:kmalloc']).events).toEqual(more);
  });

  it('refuses what does not exist, with the nearest name', () => {
    expect(() => chooseEvents(all, ['kmem:mm_page_fre'])).toThrow('did you mean kmem:mm_page_free');
    expect(() => chooseEvents(all, ['mm_page_free'])).toThrow('did you mean kmem:mm_page_free');
    expect(() => chooseEvents(all, ['iomu'])).toThrow('did you mean iommu');
    expect(() => chooseEvents(all, ['sound'])).toThrow('civac record --list');
  });

  it('refuses a kernel without dma: events, unless told what to take', () => {
    const old = all.filter((name) => !name.startsWith('dma:'));
    expect(() => chooseEvents(old, [])).toThrow('Linux 6.12');
    expect(chooseEvents(old, ['iommu']).events).toEqual(['iommu:map']);
  });
});

describe('tracefs', () => {
  const machine: Machine = {
    platform: 'linux',
    uid: 0,
    mounts: 'proc /proc proc rw 0 0\n',
    filesystems: 'nodev\tproc\nnodev\ttracefs\n',
  };
  const mount = (place: string) => `tracefs ${place} tracefs rw 0 0\n`;

  it('is found where it is mounted, the usual place first', () => {
    expect(mountedTracefs(machine.mounts)).toBeNull();
    expect(mountedTracefs(mount('/a\\040b'))).toBe('/a b');
    expect(mountedTracefs(mount('/x') + mount('/sys/kernel/tracing'))).toBe('/sys/kernel/tracing');
  });

  it('refuses in words', () => {
    expect(() => findTracefs({ ...machine, platform: 'darwin' }, null)).toThrow('this is darwin');
    expect(() => findTracefs({ ...machine, uid: 1000 }, null)).toThrow('needs root');
    expect(() => findTracefs({ ...machine, filesystems: '' }, null)).toThrow('CONFIG_TRACING');
    expect(() => findTracefs(machine, join(work, 'none'))).toThrow('no such file');
    expect(() => findTracefs({ ...machine, uid: 7 }, join(work, 'none'))).toThrow('needs root');
  });

  it('loses instances of recorders that are gone, and no others', () => {
    const root = join(work, 'stale');
    for (const name of ['civac-1', 'civac-22', 'civac-22x', 'mine']) {
      mkdirSync(join(root, 'instances', name), { recursive: true });
    }
    const removed = removeStale({ root, mounted: null }, (pid) => pid === 1);
    expect(removed).toEqual(['civac-22']);
  });

  it('reads losses and chooses a buffer that fits', () => {
    expect(lossIn('entries: 3\noverrun: 12\ndropped events: 4\nread events: 9\n')).toEqual({
      overrun: 12,
      dropped: 4,
    });
    expect(lossIn('')).toEqual({ overrun: 0, dropped: 0 });
    const gib = 2 ** 30;
    expect(defaultBufferKb(4, 8 * gib)).toBe(8192);
    expect(defaultBufferKb(128, 512 * gib)).toBe(2048);
    expect(defaultBufferKb(4, gib / 64)).toBe(1024);
  });
});

describe('an instance', () => {
  const header = 'field: char data;\toffset:16;\tsize:4080;\tsigned:0;';
  const settings = { events: ['dma:dma_map_phys'], clock: 'mono', bufferKb: 64 };
  const made = (name: string, more: Readonly<Record<string, string>> = {}) => {
    const path = join(work, name);
    const make = () =>
      put(path, {
        tracing_on: '1',
        trace_clock: '[local] global mono\n',
        buffer_size_kb: '7',
        'events/dma/dma_map_phys/enable': '0',
        'per_cpu/cpu10/stats': '',
        'per_cpu/cpu2/stats': 'overrun: 3\n',
        ...more,
      });
    return { path, instance: Instance.make(path, header, make) };
  };

  it('is made switched off, with its CPUs in order and its page size', () => {
    const { path, instance } = made('instance');
    expect(readFileSync(join(path, 'tracing_on'), 'utf8')).toBe('0');
    expect(instance.buffers.map(({ cpu }) => cpu)).toEqual([2, 10]);
    expect(instance.pageBytes).toBe(4096);
    expect(made('larger', { buffer_subbuf_size_kb: '16\n' }).instance.pageBytes).toBe(16_384);
  });

  it('is set up, and refuses a clock or an event that is not there', () => {
    const { path, instance } = made('set-up');
    instance.setUp(settings);
    const read = (name: string) => readFileSync(join(path, name), 'utf8');
    expect(read('trace_clock')).toContain('mono');
    expect(read('events/dma/dma_map_phys/enable')).toBe('1');
    expect(instance.bufferKb).toBe(64);
    expect(() => instance.setUp({ ...settings, clock: 'globa' })).toThrow('did you mean global?');
    const events = ['dma:dma_map_page'];
    expect(() => instance.setUp({ ...settings, events })).toThrow(
      'cannot switch on dma:dma_map_page: no such file or directory',
    );
  });

  it('is carried to disk in whole pages, and leaves no file behind', () => {
    const { instance } = made('drained', {
      'per_cpu/cpu2/trace_pipe_raw': 'a'.repeat(4096 + 10),
      'per_cpu/cpu10/trace_pipe_raw': '',
    });
    const drain = new Drain(instance.buffers, instance.pageBytes, work);
    const spills = drain.finish();
    expect(spills.map(({ cpu, bytes }) => [cpu, bytes])).toEqual([
      [2, 8192],
      [10, 0],
    ]);
    const back = Buffer.alloc(8192);
    expect(readSync(spills[0]?.fd ?? -1, back, 0, 8192, 0)).toBe(8192);
    expect(back.toString('latin1').replace(/\0+$/, '')).toBe('a'.repeat(4106));
    drain.close();
    expect(readdirSync(work).filter((name) => name.startsWith('.civac-record'))).toEqual([]);
  });
});

describe('devices of a machine', () => {
  const root = join(work, 'machine');
  const tree = 'sys/firmware/devicetree/base';
  const platform = 'sys/devices/platform';
  const link = (target: string, path: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(join(root, target), join(root, path));
  };
  put(root, {
    [`${tree}/soc/pcie@40/reg`]: '',
    [`${tree}/soc/gpu@50/dma-coherent`]: '',
    [`${tree}/bus/dma-coherent`]: '',
    [`${tree}/bus/eth@60/reg`]: '',
    [`${tree}/bus/odd@70/dma-noncoherent`]: '',
    [`${tree}/bus/mem@80/interconnect-names`]: 'write\0dma-mem\0',
    [`${platform}/40.pcie/pci0000:00/0000:00:01.0/dma_mask_bits`]: '32\n',
    [`${platform}/40.pcie/pci0000:00/0000:00:01.0/consistent_dma_mask_bits`]: '64\n',
    [`${platform}/40.pcie/pci0000:00/0000:00:01.0/virtio0/uevent`]: '',
    [`${platform}/50.gpu/uevent`]: '',
    [`${platform}/60.eth/uevent`]: '',
    [`${platform}/70.odd/uevent`]: '',
    [`${platform}/80.mem/uevent`]: '',
    [`${platform}/leds/uevent`]: '',
    'sys/kernel/iommu_groups/3/type': 'DMA-FQ\n',
    'sys/bus/pci/drivers/nvme/uevent': '',
    'sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size': '64\n',
    'sys/devices/system/cpu/cpu0/cache/index2/coherency_line_size': '128\n',
  });
  const pci = `${platform}/40.pcie/pci0000:00/0000:00:01.0`;
  link(`${tree}/soc/pcie@40`, `${platform}/40.pcie/of_node`);
  link('sys/kernel/iommu_groups/3', `${pci}/iommu_group`);
  link('sys/bus/pci/drivers/nvme', `${pci}/driver`);
  link(pci, 'sys/bus/pci/devices/0000:00:01.0');
  link(`${pci}/virtio0`, 'sys/bus/virtio/devices/virtio0');
  link(`${platform}/leds`, 'sys/bus/platform/devices/leds');
  for (const [device, node] of [
    ['50.gpu', 'soc/gpu@50'],
    ['60.eth', 'bus/eth@60'],
    ['70.odd', 'bus/odd@70'],
    ['80.mem', 'bus/mem@80'],
  ]) {
    link(`${tree}/${node}`, `${platform}/${device}/of_node`);
    link(`${platform}/${device}`, `sys/bus/platform/devices/${device}`);
  }

  it('has masks, groups and drivers', () => {
    const device = devicesOf('aarch64', root).find(({ name }) => name === '0000:00:01.0');
    expect(device).toEqual({
      name: '0000:00:01.0',
      bus: 'pci',
      driver: 'nvme',
      coherent: false,
      coherentFrom: 'device tree: no dma-coherent at /soc/pcie@40 or above',
      dmaMaskBits: 32,
      coherentMaskBits: 64,
      iommuGroup: 3,
      iommuType: 'DMA-FQ',
    });
  });

  it('takes coherence from the device tree as the kernel does', () => {
    const facts = Object.fromEntries(
      devicesOf('aarch64', root).map(({ name, coherent }) => [name, coherent]),
    );
    expect(facts).toEqual({
      '0000:00:01.0': false,
      virtio0: false,
      '50.gpu': true,
      '60.eth': true,
      '70.odd': false,
      '80.mem': null,
    });
  });

  it('knows x86 and admits what it cannot know', () => {
    expect(devicesOf('x86_64', root).every(({ coherent }) => coherent === true)).toBe(true);
    const riscv = devicesOf('riscv64', root).find(({ name }) => name === '0000:00:01.0');
    expect(riscv?.coherent).toBeNull();
  });

  it('takes the longest cache line for the granule', () => {
    expect(granuleOf('aarch64', root)?.bytes).toBe(128);
    expect(granuleOf('aarch64', join(root, 'none'))?.bytes).toBe(128);
    expect(granuleOf('x86_64', join(root, 'none'))).toBeNull();
  });
});

describe('trace.dat', () => {
  it('has its pages where the table says, whole pages apart, CPU numbers with gaps', () => {
    const spill = (cpu: number, pages: readonly number[]) => {
      const fd = openSync(join(work, `spill${cpu}`), 'w+');
      for (const fill of pages) writeSync(fd, Buffer.alloc(4096, fill));
      return { cpu, fd, bytes: pages.length * 4096 };
    };
    const spills = [spill(0, [1]), spill(2, [2, 3])];
    const path = join(work, 'made.dat');
    writeTraceDat(path, {
      pageBytes: 4096,
      headerPage: Buffer.from('\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n'),
      headerEvent: Buffer.from('event'),
      ftrace: [Buffer.from('f')],
      systems: [{ system: 'dma', formats: [Buffer.from('name: dma_map_phys\n')] }],
      kallsyms: Buffer.alloc(0),
      printkFormats: Buffer.alloc(0),
      cmdlines: '1 init\n',
      clock: 'local [mono]\n',
      uname: 'Linux 6.12 aarch64',
      tool: 'civac',
      stats: ['CPU: 0\n'],
      spills,
    });
    for (const { fd } of spills) closeSync(fd);
    const file = readFileSync(path);
    expect(file.subarray(0, 12)).toEqual(Buffer.from('\x17\x08\x44tracing6\0', 'latin1'));
    const table = file.indexOf('flyrecord\0') + 10;
    const rows = [0, 1, 2].map((cpu) => ({
      offset: Number(file.readBigUInt64LE(table + cpu * 16)),
      size: Number(file.readBigUInt64LE(table + cpu * 16 + 8)),
    }));
    expect(rows.map(({ size }) => size)).toEqual([4096, 0, 8192]);
    expect(rows.every(({ offset }) => offset % 4096 === 0)).toBe(true);
    const [first, , third] = rows;
    expect(file[first?.offset ?? 0]).toBe(1);
    expect(file[third?.offset ?? 0]).toBe(2);
    expect(file[(third?.offset ?? 0) + 4096]).toBe(3);
    expect(file.length).toBe((third?.offset ?? 0) + 8192);
  });
});

describe('sidecar', () => {
  const good = {
    version: 1,
    tool: 'civac 0.1.0',
    recorded: '2026-11-22T00:00:00.000Z',
    kernel: { release: '6.12', version: '#1', machine: 'aarch64' },
    cmdline: '',
    pageSize: 4096,
    granule: { bytes: 64, from: 'sysfs' },
    clock: 'mono',
    bufferKb: 8192,
    events: ['dma:dma_map_phys'],
    missing: [],
    command: { argv: ['ls'], exit: 0, signal: null },
    cpus: [{ cpu: 0, bytes: 4096, overrun: 0, dropped: 0 }],
    devices: [
      {
        name: 'a',
        bus: 'pci',
        driver: null,
        coherent: null,
        coherentFrom: 'nothing',
        dmaMaskBits: 64,
        coherentMaskBits: null,
        iommuGroup: null,
        iommuType: null,
      },
    ],
  };
  const told = (value: unknown) => parseSidecar(JSON.stringify(value));

  it('is read back as written', () => {
    expect(told(good)).toEqual(good);
    expect(told({ ...good, granule: null, command: null, extra: 1 })).toMatchObject({ extra: 1 });
  });

  it('names the field that is wrong', () => {
    expect(parseSidecar('{')).toEqual({ error: 'is not JSON' });
    expect(told({})).toEqual({ error: "has no 'version': not a sidecar" });
    expect(told({ version: 2 })).toMatchObject({ error: expect.stringContaining('version 2') });
    const device = { ...good.devices[0], coherent: 'yes' };
    expect(told({ ...good, devices: [device] })).toEqual({
      error: "devices[0]: 'coherent' is string, expected boolean or null",
    });
    expect(told({ ...good, cpus: {} })).toEqual({ error: "'cpus' is no list" });
    expect(told({ ...good, granule: 64 })).toEqual({ error: 'is no object' });
  });
});
