/**
 * The rules of `civac trace` about pages, missing syncs, leaks and cost; what lost events and lists
 * that are too long take away. The rules of the API's contract stand in trace-rules.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { rules } from '../src/trace/judge/rules.js';
import { BOTH, FROM, known, Script, SKIP_CPU_SYNC, TO } from './trace-script.js';

const page = 0x4000_0000;
const iova = 0xffff_0000;

/** Rules that spoke, each once. */
const spoke = (script: Script) => [...new Set(script.findings().map((finding) => finding.rule))];

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
