/**
 * The rules of `civac trace` about the contract of the DMA API: what each finds, how sure it is,
 * and what it must not say of what is right or may be older than the trace.
 */
import { describe, expect, it } from 'vitest';
import { BOTH, FROM, known, MAPPING_ERROR, Script, TO } from './trace-script.js';

const page = 0x4000_0000;
const iova = 0xffff_0000;

/** Rules that spoke, each once. */
const spoke = (script: Script) => [...new Set(script.findings().map((finding) => finding.rule))];

describe('what is right', () => {
  it('is not worth a word', () => {
    const script = known()
      .mapTranslated()
      .unmap()
      .mapTranslated({ dir: FROM })
      .sync(true, { dir: FROM })
      .sync(false, { dir: FROM })
      .unmap({ dir: FROM })
      .alloc()
      .free()
      .mapSg([page, page + 0x5000])
      .unmapSg([page, page + 0x5000]);
    expect(script.told()).toEqual([]);
  });

  it('may sync a part of a mapping, and a bidirectional one in any direction', () => {
    const script = known()
      .mapTranslated({ dir: BOTH })
      .sync(true, { dma: iova + 512, size: 64, dir: FROM })
      .sync(false, { dma: iova + 512, size: 64, dir: TO })
      .unmap({ dir: BOTH });
    expect(script.told()).toEqual([]);
  });

  it('may list entries that the IOMMU merged away', () => {
    const script = known()
      .mapSg([page, page + 0x5000, page + 0x9000], { dir: BOTH })
      .syncSg(true, [iova, -1, 0], [0x3000, 0, 0], { dir: BOTH })
      .syncSg(false, [iova, -1, 0], [0x3000, 0, 0], { dir: BOTH })
      .unmapSg([page, page + 0x5000, page + 0x9000], { dir: BOTH });
    expect(script.told()).toEqual([]);
  });

  it('may map the address again before the event of its unmap is out', () => {
    // Another CPU gets the freed IOVA while the first is still on its way to its unmap event.
    const script = known()
      .mapTranslated({ dir: TO, size: 4096 })
      .mapTranslated({ dir: FROM, size: 512, phys: page + 0x8000 })
      .unmap({ dir: TO, size: 4096 })
      .unmap({ dir: FROM, size: 512 });
    expect(script.told()).toEqual([]);
  });
});

describe('unmaps', () => {
  it('unmap-twice: certain behind an IOMMU, with the first unmap as evidence', () => {
    const [finding] = new Script().mapTranslated().unmap().unmap().findings();
    expect(finding).toMatchObject({ rule: 'unmap-twice', certainty: 'certain', id: 'H11' });
    expect(finding?.evidence.map((e) => e.role)).toEqual(['unmapped', 'unmapped again']);
    expect(finding?.first.event).toBe('dma_unmap_page');
  });

  it('unmap-twice: likely without an IOMMU, where an older mapping may be meant', () => {
    const same = { dma: page };
    expect(new Script().map(same).unmap(same).unmap(same).told()).toEqual(['unmap-twice likely']);
  });

  it('unmap-twice: silent once the address was mapped anew', () => {
    expect(new Script().mapTranslated().unmap().mapTranslated().unmap().told()).toEqual([]);
  });

  it('unmap-unmapped: only for a device whose whole life is in the trace', () => {
    expect(known().unmap().told()).toEqual(['unmap-unmapped certain']);
    const older = new Script().unmap().finish();
    expect(older.findings).toEqual([]);
    expect(older.devices[0]).toMatchObject({ olderThanTrace: 1 });
    expect(older.notes.join()).toContain('older than the trace');
  });

  it('mapping-error-used: an unmap or a sync of a failed mapping', () => {
    const bad = { dma: MAPPING_ERROR };
    expect(new Script().map(bad).unmap(bad).told()).toEqual(['mapping-error-used certain']);
    expect(new Script().map(bad).sync(true, bad).told()).toEqual(['mapping-error-used certain']);
    expect(new Script().map(bad).told()).toEqual([]);
  });

  it('wrong-device: the same task unmaps for a device that has nothing there', () => {
    const script = known().attach('other').mapTranslated().unmap({ device: 'other' }).unmap();
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'wrong-device', device: 'other', certainty: 'likely' });
    expect(finding?.message).toContain('mapped for dev');
  });

  it('wrong-device: silent where every domain has the same addresses', () => {
    const script = new Script().mapTranslated().unmap({ device: 'other' }).unmap();
    expect(script.told()).toEqual([]);
  });

  it('phys-as-dma: the physical address of a live buffer', () => {
    const wrong = { dma: page };
    expect(known().mapTranslated().unmap(wrong).unmap().told()).toEqual(['phys-as-dma certain']);
    expect(known().mapTranslated().sync(true, wrong).unmap().told()).toEqual([
      'phys-as-dma certain',
    ]);
    expect(known().mapTranslated().fault(page).unmap().told()).toEqual(['phys-as-dma certain']);
    expect(new Script().mapTranslated().unmap(wrong).unmap().told()).toEqual([
      'phys-as-dma likely',
    ]);
  });

  it('unmap-size: says what stays translated', () => {
    const script = new Script().mapTranslated({ size: 8192 }).unmap({ size: 4096 });
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'unmap-size', certainty: 'certain' });
    expect(finding?.message).toContain('4,096 bytes from ffff1000 on stay translated');
  });

  it('unmap-direction', () => {
    expect(new Script().mapTranslated().unmap({ dir: FROM }).told()).toEqual([
      'unmap-direction certain',
    ]);
  });

  it('unmap-function: between page, resource, scatterlist and dma_free', () => {
    const resource = new Script().mapTranslated().unmap({ kind: 'resource' });
    expect(resource.told()).toEqual(['unmap-function certain']);
    expect(new Script().mapTranslated({ dir: BOTH }).free().told()).toEqual([
      'unmap-function certain',
    ]);
    const list = known().mapSg([page]).unmap();
    expect(list.told()).toEqual(['unmap-function certain']);
  });

  it('sg-entries: at the unmap and at a sync', () => {
    const three = [page, page + 0x5000, page + 0x9000];
    expect(known().mapSg(three).unmapSg(three.slice(0, 1)).told()).toEqual(['sg-entries certain']);
    expect(new Script().mapSg(three).unmapSg(three.slice(0, 1)).told()).toEqual([
      'sg-entries likely',
    ]);
    const sync = known().mapSg(three).syncSg(false, [iova], [0x3000]).unmapSg(three);
    expect(sync.told()).toEqual(['sg-entries likely']);
  });

  it('sg-entries: silent where the list of the event was cut', () => {
    const many = Array.from({ length: 128 }, (_, i) => page + i * 0x2000);
    expect(
      known()
        .mapSg(many, { nents: 200, size: 200 * 4096 })
        .unmapSg(many)
        .told(),
    ).toEqual([]);
  });

  it('free-address: dma_free with the CPU address of something else', () => {
    expect(known().alloc({ virt: 'a' }).free({ virt: 'b' }).told()).toEqual([
      'free-address certain',
    ]);
    expect(known().alloc({ virt: '' }).free({ virt: 'b' }).told()).toEqual([]);
  });
});

describe('syncs', () => {
  it('sync-outside: past the end, before the start, certain behind an IOMMU', () => {
    const small = { dma: iova + 1024, size: 512, dir: FROM };
    const past = new Script().mapTranslated(small).sync(true, { ...small, size: 1024 });
    const [finding] = past.findings();
    expect(finding).toMatchObject({ rule: 'sync-outside', certainty: 'certain' });
    expect(finding?.message).toContain('512 bytes after its end');
    const before = { ...small, dma: iova + 768, size: 256 };
    const [other] = new Script().mapTranslated(small).sync(false, before).findings();
    expect(other).toMatchObject({ rule: 'sync-outside', certainty: 'certain' });
    expect(other?.message).toContain('256 bytes before its start');
  });

  it('sync-outside: likely without an IOMMU', () => {
    const same = { dma: page, dir: FROM };
    expect(
      new Script()
        .map(same)
        .sync(true, { ...same, size: 8192 })
        .told(),
    ).toEqual(['sync-outside likely']);
  });

  it('sync-unmapped: after the unmap, or never mapped at all', () => {
    expect(new Script().mapTranslated().unmap().sync(true).told()).toEqual([
      'sync-unmapped certain',
    ]);
    expect(known().sync(true).told()).toEqual(['sync-unmapped certain']);
    expect(new Script().sync(true).told()).toEqual([]);
  });

  it('sync-direction', () => {
    const script = new Script().mapTranslated().sync(true, { dir: FROM }).unmap();
    expect(script.told()).toEqual(['sync-direction certain']);
  });

  it('sync-coherent: memory of dma_alloc', () => {
    expect(known().alloc().sync(false, { dir: TO }).free().told()).toEqual([
      'sync-coherent certain',
    ]);
  });

  it('unsynced-reuse: twice for the CPU, only of the same bytes', () => {
    const dir = BOTH;
    const again = known().mapTranslated({ dir }).sync(true, { dir }).sync(true, { dir });
    expect(again.unmap({ dir }).told()).toEqual(['unsynced-reuse likely']);
    const parts = known()
      .mapTranslated({ dir })
      .sync(true, { dir, size: 1024 })
      .sync(true, { dir, dma: iova + 1024, size: 1024 })
      .unmap({ dir });
    expect(parts.told()).toEqual([]);
  });
});

describe('overlaps', () => {
  const first = { phys: page, dma: iova, size: 288, dir: FROM };
  const second = { phys: page + 288, dma: iova + 0x1120, size: 32, dir: TO };

  it('map-overlap: the bytes that the device writes in shared granules', () => {
    const script = known().mapTranslated(first).mapTranslated(second);
    const finding = script.findings().find(({ rule }) => rule === 'map-overlap');
    expect(finding).toMatchObject({ certainty: 'certain', severity: 'warning' });
    expect(finding?.message).toContain(
      'at risk: 32 bytes of the dma_map_page at dma_addr ffff0000',
    );
    expect(finding?.message).toContain('40000100..40000120');
  });

  it('map-overlap: not where the bytes are apart by a granule', () => {
    expect(
      spoke(
        known()
          .mapTranslated(first)
          .mapTranslated({ ...second, phys: page + 512 }),
      ),
    )
      .not //
      .toContain('map-overlap');
  });

  it('map-overlap: not among buffers that devices only read', () => {
    const script = known()
      .mapTranslated({ ...first, dir: TO })
      .mapTranslated(second);
    expect(script.told()).toEqual([]);
  });

  it('map-overlap: open while coherence is unknown, dropped for a device that snoops', () => {
    const open = new Script().mapTranslated(first).mapTranslated(second);
    expect(open.told()).toContain('map-overlap needs-coherence');
    const fact = { coherent: true, from: 'sidecar', because: '' } as const;
    const snoops = new Script({ coherence: () => fact }).mapTranslated(first).mapTranslated(second);
    const result = snoops.finish();
    expect(result.findings).toEqual([]);
    expect(result.notes).toContain('map-overlap: 1 matches dropped, since the device snoops');
  });

  it('map-overlap: a note where two devices share a buffer', () => {
    const dir = BOTH;
    const script = known().mapTranslated({ dir }).mapTranslated({ dir, device: 'other' });
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'map-overlap', severity: 'note', certainty: 'likely' });
  });

  it('overlap-bounced: no bytes at risk', () => {
    const script = known()
      .bounced(page, 96)
      .map({ ...first, size: 96 })
      .map({ ...second, phys: page + 96 });
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'overlap-bounced', severity: 'note', id: '' });
    expect(finding?.message).toContain('no bytes at risk');
  });
});
