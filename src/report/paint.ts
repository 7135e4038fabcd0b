/** The colours of a report by meaning: the writers name what a text is, not how it looks. */
import pc from 'picocolors';

export type Paint = (text: string) => string;

export interface Palette {
  readonly bad: Paint;
  readonly good: Paint;
  readonly unsure: Paint;
  readonly strong: Paint;
  readonly faint: Paint;
  readonly changed: Paint;
}

export function palette(color: boolean): Palette {
  const c = pc.createColors(color);
  return {
    bad: (text) => c.bold(c.red(text)),
    good: c.green,
    unsure: c.yellow,
    strong: c.bold,
    faint: c.dim,
    changed: c.cyan,
  };
}
