/** What `civac mend --json` prints; every field is in docs/mend.md. */
import type { MendResult } from '../mend/outcome.js';

export const MEND_JSON_VERSION = 1;

export function mendJson(result: MendResult): object {
  const { file, verdict, finding, why, mends, notShown, platforms, effort } = result;
  return {
    version: MEND_JSON_VERSION,
    file,
    verdict,
    finding: finding === '' ? null : finding,
    why: why === '' ? null : why,
    mends: mends.map(({ level, cost, portable, edits, idle, discards, diff, text }) => ({
      level,
      cost,
      portable,
      idle: [...idle],
      discards: [...discards],
      edits: edits.map((edit) => ({ ...edit, hazard: edit.hazard === '' ? null : edit.hazard })),
      diff,
      text,
    })),
    notShown,
    platforms: platforms.map(({ platform, verdict, hazard, decides, leftOut }) => ({
      platform,
      verdict,
      hazard: hazard === '' ? null : hazard,
      decides,
      leftOut: leftOut === '' ? null : leftOut,
    })),
    effort: { ...effort },
  };
}
