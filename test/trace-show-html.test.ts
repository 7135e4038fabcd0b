/** The page: what it says, that nothing of a trace becomes markup, and the figures behind plots. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlExporter } from '../src/trace/show/html.js';
import { findingsMax } from '../src/trace/show/html-findings.js';
import { escapeHtml } from '../src/base/html.js';
import { html } from '../src/trace/show/html-text.js';
import { binStart, bucketCount, lifetimeBin, PeakSeries } from '../src/trace/show/series.js';
import type { Exporter } from '../src/trace/show/sink.js';
import { bytesShort } from '../src/trace/show/units.js';
import { madeFinding, madeMapping, madeResult, playTo } from './trace-made.js';

function pageOf(play: (exporter: Exporter) => void): string {
  const chunks: Uint8Array[] = [];
  play(htmlExporter({ write: (bytes) => chunks.push(bytes.slice()) }));
  return Buffer.concat(chunks).toString();
}

/** Tags in order; throws where one is closed that is not open. */
function checkNesting(page: string): void {
  const alone = ['meta', '!doctype', 'br', 'rect', 'path'];
  const open: string[] = [];
  for (const [, close, name = '', rest = ''] of page.matchAll(/<(\/?)([!a-z0-9]+)([^<>]*)>/g)) {
    if (alone.includes(name) || rest.endsWith('/')) continue;
    if (close === '') open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}

describe('the page of a trace', () => {
  const page = pageOf((exporter) => playTo(exporter));

  it('says what was found, and shows it', () => {
    expect(page).toContain('<b>unmap-size</b>');
    expect(page).toContain('unmapped 512 bytes of a mapping of 1,024 &lt;b&gt;&amp;&quot;&#39;');
    expect(page).toContain('3 ×');
    expect(page).toContain('<td class="nowrap">mapped</td>');
    expect(page).toContain('device driver frees DMA memory with different size');
    expect(page).toContain('2 events were lost on CPU 1');
    expect(page).toContain('keep the buffer mapped');
    expect(page).toContain('at most 3 live; 3 mapped');
    checkNesting(page);
  });

  it('loads nothing and runs nothing', () => {
    const policy = "default-src 'none'; style-src 'unsafe-inline'";
    expect(page).toContain(`content="${escapeHtml(policy)}"`);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\bon\w+=|https?:|url\(|@import/i);
  });

  it('lets no name of a trace become markup', () => {
    const evil = '"><script>alert(1)</script><a href="';
    const moment = { ...madeFinding().first, task: evil, event: evil };
    const finding = madeFinding({ device: evil, message: evil, rule: evil, first: moment });
    const source = { ...madeResult().source, file: evil, kernel: evil };
    const hostile = pageOf((exporter) => {
      const mapping = madeMapping(1, { device: evil });
      exporter.observer.opened?.(mapping);
      exporter.observer.closed?.(mapping);
      const evidence = [{ ...moment, role: evil, text: evil }];
      exporter.finish(madeResult({ source, findings: [{ ...finding, evidence }], notes: [evil] }));
    });
    expect(hostile).not.toContain('<script');
    expect(hostile).not.toContain('<a href="');
    checkNesting(hostile);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(html`<p title="${text}">${text}</p>`.text).not.toMatch(/<p title="[^"]*[<'][^"]*"/);
        expect(escapeHtml(text)).not.toMatch(/[<>"']/);
      }),
    );
  });

  it('is there for an empty trace, and for one with too many findings to show', () => {
    const costs = { rows: [], dearest: [], savings: [] };
    const empty = pageOf((exporter) => {
      exporter.finish(madeResult({ findings: [], devices: [], notes: [], costs }));
    });
    expect(empty).toContain('None. What limits that is said under Notes.');
    expect(empty).not.toContain('<svg');
    const findings = Array.from({ length: findingsMax + 7 }, () => madeFinding());
    const full = pageOf((exporter) => exporter.finish(madeResult({ findings })));
    expect(full.match(/<details/g)).toHaveLength(findingsMax);
    expect(full).toContain('7 further findings');
  });
});

describe('the figures behind the plots', () => {
  it('keeps peaks as a naive count does, in however few buckets', () => {
    const step = fc.record({ after: fc.integer({ min: 0, max: 5000 }), by: fc.constantFrom(1, 2) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 200 }), (steps) => {
        const series = new PeakSeries();
        let time = 1e9;
        let value = 0;
        const changes = steps.map(({ after, by }, i) => {
          time += after;
          const change = i % 3 === 2 ? -Math.min(value, by) : by;
          value += change;
          series.change(time, change);
          return { time, value };
        });
        const points = series.points(time + 100);
        expect(points.length).toBeLessThanOrEqual(bucketCount);
        expect(series.peak).toBe(Math.max(...changes.map((change) => change.value)));
        expect(points.at(-1)?.[1]).toBeGreaterThanOrEqual(value);
        for (const change of changes) {
          const [, peak] = points.filter(([from]) => from <= change.time).at(-1) ?? [0, 0];
          expect(peak).toBeGreaterThanOrEqual(change.value);
        }
      }),
    );
  });

  it('survives times that a damaged trace may hold', () => {
    const series = new PeakSeries();
    for (const time of [5, 1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63])
      series.change(time, 1);
    expect(series.peak).toBe(5);
  });

  it('sorts lifetimes by half decades', () => {
    expect([0, 999, 1000, 3163, 1e6, 1e12, Number.NaN].map(lifetimeBin)).toEqual([
      0, 0, 0, 1, 6, 15, 0,
    ]);
    expect(binStart(6)).toBe(1e6);
  });

  it('has short words for amounts', () => {
    expect([0, 96, 1024, 1536, 65_536, 12.3 * 2 ** 30].map(bytesShort)).toEqual([
      '0 B',
      '96 B',
      '1 KiB',
      '1.5 KiB',
      '64 KiB',
      '12.3 GiB',
    ]);
  });
});
