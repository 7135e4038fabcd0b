/** The tracker with numbers that only a damaged trace holds: it ends, and claims nothing. */
import { expect, it } from 'vitest';
import { Direction, UNKNOWN } from '../src/trace/events.js';
import { TraceAnalysis } from '../src/trace/index.js';
import { ReportBuilder } from '../src/trace/read/report.js';

const head = { index: 0, time: 1, cpu: 0, pid: 1, task: 'a', name: 'mm_page_free' };
const strange = [2 ** 52, 2 ** 60, 2 ** 64, Number.POSITIVE_INFINITY, Number.NaN, -3];

it('looks for pages at any frame number and order, and comes back', () => {
  const { sink } = new TraceAnalysis();
  const map = { ...head, name: 'dma_map_phys' };
  sink.mapSingle(map, 'page', 'dev', 4096, 4096, 4096, Direction.ToDevice, 0);
  for (const pfn of strange) {
    for (const order of [0, 31, ...strange]) {
      sink.pageFree(head, pfn, order);
      sink.pageAlloc(head, pfn, order);
    }
    sink.pageWrittenOut(head, pfn);
  }
  expect(sink).toBeDefined();
});

it.each([
  [[UNKNOWN], 'an unknown number of events were lost'],
  [[UNKNOWN, 7], 'at least 7 events were lost'],
  [[7, 8], '15 events were lost'],
])('says of losses of %j: %s', (losses, words) => {
  const report = new ReportBuilder('t');
  for (const count of losses) report.noteLost(0, count, 1);
  expect(new TraceAnalysis().finish(report.finish()).notes.join()).toContain(words);
});
