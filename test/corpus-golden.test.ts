/**
 * Full text reports of a few more scenarios, byte for byte: those of report-golden.test.ts show
 * each part of a report, these each kind of finding. `npm run promote` rewrites them.
 */
import { describe, it } from 'vitest';
import { fullText } from '../src/report/text.js';
import { check } from '../src/verdict/check.js';
import { scenario } from './corpus-scenarios.js';
import { expectGolden } from './golden.js';

const plain = { width: 100, color: false, stats: false };

const inFull = [
  'basics/from-device-inval-only-before',
  'basics/nc-store-then-wb-load-unordered',
  'basics/line-shared-with-cpu-word',
  'basics/ring-no-dma-rmb',
  'basics/poll-cached-while',
  'basics/swap-out-by-zram',
  'basics/page-dirty-junk-nc',
];

describe('full reports are as reviewed', () => {
  it.each(inFull)('%s', (name) => {
    const { program, text } = scenario(name);
    expectGolden(fullText(check(program), text, plain), `full/${name.replace('/', '-')}.txt`);
  });
});
