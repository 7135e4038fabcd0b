/**
 * What `civac mend` found, for a person: the answers with their edits, reasons and diffs, and how
 * much of the vocabulary was ruled out. Leaves out: the JSON form (mend-json.ts).
 */
import { count, groupDigits, hang } from '../base/text.js';
import type { Mend, MendResult } from '../mend/outcome.js';
import { type Palette, palette } from './paint.js';

export interface MendTextOptions {
  readonly width: number;
  readonly color: boolean;
}

const levelWords = { api: 'API level', raw: 'by hand' } as const;

/** One line: `x.litmus: 2 mends of cost 112 by hand`. */
export function mendBrief(result: MendResult, paint: Palette): string {
  switch (result.verdict) {
    case 'coherent':
      return `${result.file}: ${paint.good('coherent')}, nothing to mend`;
    case 'none':
      return `${result.file}: ${paint.bad('nothing mends it')}`;
    case 'unknown':
      return `${result.file}: ${paint.unsure('unknown')}: ${result.why}`;
    case 'partly':
      return `${result.file}: ${paint.bad('nothing mends it on every platform')}`;
    case 'mended':
      return `${result.file}: ${paint.good(groupsOf(result).join('; '))}`;
  }
}

/** `2 mends of cost 112 by hand`, level by level. */
function groupsOf({ mends }: MendResult): readonly string[] {
  return (['api', 'raw'] as const).flatMap((level) => {
    const some = mends.filter((each) => each.level === level);
    const [first] = some;
    if (first === undefined) return [];
    return [`${count(some.length, 'mend')} of cost ${first.cost}, ${levelWords[level]}`];
  });
}

export function mendText(result: MendResult, options: MendTextOptions): string {
  const paint = palette(options.color);
  const width = Math.min(options.width, 100);
  const parts = [mendBrief(result, paint)];
  if (result.finding !== '') parts.push(hang('  to mend: ', result.finding, width));
  if (result.verdict === 'none') parts.push(hang('  why: ', result.why, width));
  if (result.platforms.length > 0) parts.push('', platformsText(result, width, paint));
  result.mends.forEach((mend, index) => {
    parts.push('', mendPart(mend, index, result, width, paint));
  });
  if (result.notShown > 0) parts.push('', moreText(result, width));
  if (result.verdict !== 'coherent') parts.push('', effortText(result, width));
  return `${parts.join('\n')}\n`;
}

/** What each platform makes of the scenario as it is, and those that no answer serves. */
function platformsText(result: MendResult, width: number, paint: Palette): string {
  const { platforms, verdict: whole } = result;
  const longest = Math.max(...platforms.map(({ platform }) => platform.length));
  const lines = platforms.map(({ platform, verdict, hazard, decides, leftOut }) => {
    const found = verdict === 'hazard' ? paint.bad(hazard) : verdict;
    const left = leftOut === '' ? '' : '   left out';
    return `  ${decides ? '*' : ' '} ${platform.padEnd(longest)}  ${found}${left}`;
  });
  const deciding = platforms.filter(({ decides }) => decides).map(({ platform }) => platform);
  const none = 'no platform asks for more than the machine as written';
  const decided = deciding.length === 0 ? none : `decided by (*): ${deciding.join('; ')}`;
  const why = platforms.flatMap(({ platform, leftOut }) =>
    leftOut === '' ? [] : [hang(`  why not with ${platform}: `, leftOut, width)],
  );
  const last = whole === 'none' ? [] : [hang('  ', decided, width)];
  return ['as it is, on each platform:', ...lines, ...last, ...why].join('\n');
}

/** `every platform but .swiotlb = force`: the shorter of the two lists. */
function neededFor(platforms: readonly string[], all: readonly string[]): string {
  const others = all.filter((each) => !platforms.includes(each));
  if (others.length === 0) return 'every platform';
  if (others.length >= platforms.length) return platforms.join('; ');
  return `every platform but ${others.join('; ')}`;
}

function mendPart(
  mend: Mend,
  index: number,
  { mends, platforms: cells }: MendResult,
  width: number,
  paint: Palette,
): string {
  const all = cells.map(({ platform }) => platform);
  const head = `mend ${index + 1} of ${mends.length}: ${levelWords[mend.level]}, cost ${mend.cost}`;
  const portable = mend.portable === false ? '; not where NC accesses may hit (M6 arch)' : '';
  const edits = mend.edits.flatMap(({ title, reason, platforms }) => [
    hang('  - ', title, width),
    hang('      ', reason, width),
    ...(platforms.length > 0 ? [hang('      for: ', neededFor(platforms, all), width)] : []),
  ]);
  const idle = mend.idle.map((operation) =>
    hang('  ! ', `${operation}() does nothing any more: that is what takes the run away`, width),
  );
  const lost = mend.discards.map((operation) => {
    const what = 'throws away what was written and never reaches memory';
    return hang('  ! ', `${operation}() ${what}: coherent as nothing here reads it`, width);
  });
  const diff = mend.diff.split('\n').map((line) => painted(line, paint));
  return [paint.strong(head) + portable, ...edits, ...idle, ...lost, '', ...diff]
    .join('\n')
    .trimEnd();
}

function moreText({ notShown, mends }: MendResult, width: number): string {
  const answers = `${count(notShown, 'more answer')} behind the first ${mends.length}`;
  return hang('', `${answers}: --all shows every one`, width);
}

function painted(line: string, paint: Palette): string {
  if (line.startsWith('+') && !line.startsWith('+++')) return paint.good(line);
  return line.startsWith('-') && !line.startsWith('---') ? paint.bad(line) : line;
}

function effortText({ effort, why, verdict }: MendResult, width: number): string {
  const { explored, replayed, counterexamples, ruledOut, vocabulary, undecided } = effort;
  const byReplay = `${groupDigits(replayed)} by replay`;
  const tried = `${count(explored, 'set')} refuted by exploring, ${byReplay}`;
  const open = undecided > 0 ? `; ${count(undecided, 'set')} undecided` : '';
  const isFound = verdict === 'mended' || verdict === 'partly';
  const scope = isFound ? 'as cheap or cheaper' : 'within the limits';
  const rules = counterexamples === 1 ? 'rules' : 'rule';
  const seconds = `${effort.seconds.toFixed(2)} s`;
  const text =
    `${count(counterexamples, 'counterexample')} ${rules} out all ${groupDigits(ruledOut)} other ` +
    `sets of edits ${scope}, out of ${count(vocabulary, 'edit')}: ${tried}; ${seconds}`;
  const doubt = isFound && why !== '' ? [hang('note: ', why, width)] : [];
  // Where a limit was hit there are sets that nobody looked at.
  const isWhole = verdict !== 'unknown' && doubt.length === 0;
  const told = isWhole ? text : `${tried}${open}; ${seconds}`;
  return [...doubt, hang('searched: ', told, width)].join('\n');
}
