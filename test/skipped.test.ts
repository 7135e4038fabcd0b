/** What a run of the tests left out is named. */
import { expect, it } from 'vitest';
import { leftOutText } from './skipped.js';

it('names every test that was skipped, and is silent where none was', () => {
  expect(leftOutText([])).toEqual([]);
  expect(leftOutText([{ file: 'test/a.test.ts', name: 'b > c (not installed: spin)' }])).toEqual([
    'skipped on this machine: 1',
    '  test/a.test.ts: b > c (not installed: spin)',
    '',
  ]);
});
