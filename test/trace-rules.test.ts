/**
 * Each rule of `civac trace`: what it finds, how sure it is, and what it must not say: about
 * mappings older than the trace, after lost events, and of what is right.
 */
import { describe, expect, it } from 'vitest';
import { rules } from '../src/trace/judge/rules.js';
import { BOTH, FROM, known, MAPPING_ERROR, Script, SKIP_CPU_SYNC, TO } from './trace-script.js';

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

describe('pages', () => {
  it('freed-while-mapped: once, with the page', () => {
    const script = new Script().mapTranslated({ dir: FROM, size: 8192 });
    const [finding, ...more] = script
      .page('Free', page + 4096)
      .page('Free', page)
      .findings();
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ rule: 'freed-while-mapped', certainty: 'certain', count: 1 });
    expect(finding?.message).toContain('page frame 0x40001');
  });

  it('freed-while-mapped: a block of pages that holds one', () => {
    const script = new Script().map({ phys: page + 0x3000 });
    expect(spoke(script.page('Free', page, 3))).toEqual(['freed-while-mapped']);
  });

  it('freed-while-mapped: not beside the mapping, not after the unmap', () => {
    expect(
      new Script()
        .map()
        .page('Free', page + 4096)
        .told(),
    ).toEqual([]);
    expect(new Script().map().unmap().page('Free', page).told()).toEqual([]);
  });

  it('reused-while-mapped: only where the free was not seen', () => {
    expect(new Script().map().page('Alloc', page).told()).toEqual(['reused-while-mapped likely']);
    expect(spoke(new Script().map().page('Free', page).page('Alloc', page))).toEqual([
      'freed-while-mapped',
    ]);
  });

  it('swapped-while-mapped: where the device writes', () => {
    expect(new Script().map({ dir: FROM }).writtenOut(page).told()).toEqual([
      'swapped-while-mapped likely',
    ]);
    expect(new Script().map({ dir: TO }).writtenOut(page).told()).toEqual([]);
  });

  it('device-fault: tells an access after the unmap from one that lacks the right', () => {
    const [late] = new Script().mapTranslated().unmap().fault(iova).findings();
    expect(late).toMatchObject({ rule: 'device-fault', certainty: 'certain', id: 'H14' });
    expect(late?.message).toContain('after dma_unmap_page ended it');
    const [right] = new Script().mapTranslated().fault(iova).findings();
    expect(right?.message).toContain('mapped TO_DEVICE');
  });
});

describe('what dma-debug cannot see', () => {
  const attrs = SKIP_CPU_SYNC;

  it('skip-sync-unsynced: at the unmap and at the end', () => {
    expect(known().mapTranslated({ attrs }).unmap({ attrs }).told()).toEqual([
      'skip-sync-unsynced likely',
    ]);
    const live = known().mapTranslated({ attrs }).wait(2e9).page('Free', 0);
    expect(live.told()).toEqual(['skip-sync-unsynced likely']);
    const synced = known().mapTranslated({ attrs }).sync(false).unmap({ attrs });
    expect(synced.told()).toEqual([]);
  });

  it('from-device-unsynced: the unmap skips the last sync there could be', () => {
    const from = { dir: FROM, attrs };
    expect(known().mapTranslated(from).unmap(from).told()).toEqual(['from-device-unsynced likely']);
    const synced = known().mapTranslated(from).sync(true, from).unmap(from);
    expect(synced.told()).toEqual([]);
    expect(known().mapTranslated(from).unmap({ dir: FROM }).told()).toEqual([]);
  });

  it('bounced-unsynced: a second without a sync', () => {
    const dir = BOTH;
    const slow = known().bounced(page, 4096).map({ dir }).wait(2e9).unmap({ dir });
    expect(slow.told()).toEqual(['bounced-unsynced likely']);
    expect(known().bounced(page, 4096).map({ dir }).unmap({ dir }).told()).toEqual([]);
  });

  it('bounced-flush: three times map and unmap with nothing between', () => {
    const script = known();
    for (let i = 0; i < 3; i += 1) script.bounced(page, 4096).map().unmap();
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'bounced-flush', certainty: 'likely', count: 3 });
    const used = known();
    for (let i = 0; i < 3; i += 1) used.bounced(page, 4096).map().wait(1e6).unmap();
    expect(used.told()).toEqual([]);
  });

  it('unaligned-edges: tells the bytes beside the buffer', () => {
    const script = known().mapTranslated({ phys: page + 64, dma: iova + 64, size: 256, dir: FROM });
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'unaligned-edges', severity: 'note' });
    expect(finding?.message).toContain('64 bytes before it and 64 bytes after it');
  });
});

describe('leaks', () => {
  const others = (script: Script) => {
    for (let i = 0; i < 4; i += 1) {
      script.mapTranslated({ dma: iova + i * 4096 }).unmap({ dma: iova + i * 4096 });
    }
    return script;
  };

  it('leak: outlives all its like', () => {
    const script = others(known().mapTranslated({ dma: 0x1000 }))
      .wait(2e9)
      .page('Free', 0);
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'leak', certainty: 'likely' });
    expect(finding?.message).toContain('dma_addr 1000');
  });

  it('leak: not where nothing shows how long its like live', () => {
    expect(known().mapTranslated().wait(2e9).page('Free', 0).told()).toEqual([]);
  });

  it('leak: not for a buffer that waits for the device', () => {
    const script = known().mapTranslated({ dir: FROM, dma: 0x1000 });
    for (let i = 0; i < 4; i += 1) {
      const next = { dir: FROM, dma: iova + i * 4096, phys: page + 0x10000 };
      script.mapTranslated(next).unmap(next);
    }
    expect(script.wait(2e9).page('Free', 0).told()).toEqual([]);
  });

  it('growing-leak: ever more, not a ring that was filled once', () => {
    const grow = known();
    for (let i = 0; i < 200; i += 1) {
      grow.mapTranslated({ dma: i * 4096, phys: page + i * 4096, dir: FROM }).wait(5e6);
    }
    expect(grow.told()).toEqual(['growing-leak likely']);
    const ring = known();
    for (let i = 0; i < 200; i += 1) {
      ring.mapTranslated({ dma: i * 4096, phys: page + i * 4096, dir: FROM });
    }
    for (let i = 0; i < 100; i += 1) ring.wait(1e7).mapTranslated({ dma: 1e9 }).unmap({ dma: 1e9 });
    expect(ring.told()).not.toContain('growing-leak likely');
  });
});

describe('what is right, but dear', () => {
  it('partial-sync: part used, all synced', () => {
    const script = known().mapTranslated({ dir: FROM });
    for (let i = 0; i < 20; i += 1) {
      script.sync(true, { dir: FROM, size: 256 }).sync(false, { dir: FROM });
    }
    const [finding] = script.findings();
    expect(finding).toMatchObject({ rule: 'partial-sync', severity: 'note', count: 20, id: '' });
    expect(finding?.message).toContain('76,800 bytes more than needed');
  });

  it('map-ping-pong and bounce-hot-spot', () => {
    const script = known();
    for (let i = 0; i < 40; i += 1) {
      script.bounced(page, 128).map({ size: 128 }).wait(1e6).unmap({ size: 128 });
    }
    const result = script.finish();
    const found = result.findings.map(({ rule, count }) => `${rule} ${count}`);
    expect(found.sort()).toEqual(['bounce-hot-spot 40', 'map-ping-pong 40']);
    expect(result.costs.savings.map((saving) => saving.maps)).toContain(39);
  });
});

describe('lost events', () => {
  it('take every claim about mappings that were live at the loss', () => {
    const claims: ((script: Script) => Script)[] = [
      (s) => s.mapTranslated().lost().page('Free', page),
      (s) => s.mapTranslated().lost().unmap({ size: 512 }),
      (s) => s.mapTranslated().lost().sync(true, { dir: FROM }),
      (s) => s.mapTranslated().unmap().lost().unmap(),
      (s) => s.mapTranslated().unmap().lost().sync(true),
      (s) => s.mapTranslated({ dir: BOTH }).lost().mapTranslated({ dir: BOTH, dma: 0x1000 }),
      (s) => s.lost().unmap(),
      (s) => s.mapTranslated({ attrs: SKIP_CPU_SYNC }).lost().wait(2e9).page('Free', 0),
    ];
    for (const claim of claims) {
      expect(claim(known()).told(), claim.toString()).toEqual([]);
      const without = claim(new Proxy(known(), { get: skipLost }));
      expect(without.told().length, claim.toString()).toBeGreaterThan(0);
    }
  });
});

/** The same script without the loss: the claim must be one that would have been made. */
function skipLost(script: Script, name: string | symbol, self: unknown): unknown {
  if (name === 'lost') return () => self;
  const value: unknown = Reflect.get(script, name);
  if (typeof value !== 'function') return value;
  return (...args: unknown[]) => {
    const result: unknown = Reflect.apply(value, script, args);
    return result === script ? self : result;
  };
}

describe('a list too long for its unmap event', () => {
  const many = Array.from({ length: 128 }, (_, i) => page + i * 0x2000);
  const long = { nents: 638, size: 638 * 4096, dir: BOTH };

  it('is no ground for a claim, and is closed by its iommu:unmap', () => {
    const script = known()
      .mapSg(many, long)
      .iommuUnmap(iova, 638 * 4096)
      .page('Free', page);
    const result = script.finish();
    expect(result.findings).toEqual([]);
    expect(result.devices[0]).toMatchObject({ live: 0 });
    expect(result.notes.join()).toContain('too long for a dma_unmap_sg event');
  });

  it('says nothing about its pages while its end is not seen', () => {
    expect(known().mapSg(many, long).page('Free', page).told()).toEqual([]);
  });
});

describe('the list of rules', () => {
  it('has each id once, in the shape of a file name', () => {
    const ids = rules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(-[a-z]+)+$|^leak$/);
  });
});
