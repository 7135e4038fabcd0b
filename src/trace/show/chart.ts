/** The plots of the page, as SVG: areas over time, and bars. No script; titles are the tooltips. */
import { type Html, html } from './html-text.js';

const size = { width: 720, height: 64, bar: 40 } as const;

export interface Axis {
  readonly from: number;
  readonly to: number;
}

/** A value that holds from each point to the next, up to the end of the axis. */
export function areaChart(
  points: readonly (readonly [x: number, y: number])[],
  axis: Axis,
  label: string,
): Html {
  const peak = Math.max(1, ...points.map(([, y]) => y));
  const span = Math.max(1, axis.to - axis.from);
  const x = (value: number) => fixed(((value - axis.from) / span) * size.width);
  const y = (value: number) => fixed(size.height - (value / peak) * (size.height - 2));
  const steps = points.map(([, value], i) => {
    const next = points[i + 1]?.[0] ?? axis.to;
    return `V${y(value)}H${x(Math.min(next, axis.to))}`;
  });
  const start = x(points[0]?.[0] ?? axis.from);
  const path = `M${start},${size.height}${steps.join('')}V${size.height}Z`;
  return html`<svg class="area" viewBox="0 0 ${size.width} ${size.height}" role="img"
 aria-label="${label}" preserveAspectRatio="none"><title>${label}</title>
<path d="${path}"/></svg>`;
}

export interface Bar {
  readonly value: number;
  /** What the bar stands for, shown when it is pointed at. */
  readonly title: string;
}

/** Bars side by side, each as wide as the others. */
export function barChart(bars: readonly Bar[], label: string): Html {
  const peak = Math.max(1, ...bars.map(({ value }) => value));
  const drawn = bars.map(({ value, title }, i) => {
    const height = value === 0 ? 0 : Math.max(1, (value / peak) * (size.bar - 2));
    const y = fixed(size.bar - height);
    return html`<g><title>${title}</title><rect class="hit" x="${i * 20}" y="0" width="20"
 height="${size.bar}"/><rect x="${i * 20 + 1}" y="${y}" width="18" height="${fixed(height)}"/></g>`;
  });
  return html`<svg class="bars" viewBox="0 0 ${bars.length * 20} ${size.bar}" role="img"
 aria-label="${label}" preserveAspectRatio="none">${drawn}</svg>`;
}

/** A length out of the longest one, beside its number. */
export function meter(value: number, most: number, text: string): Html {
  const share = most > 0 ? (value / most) * 100 : 0;
  return html`<span class="meter"><span style="width:${fixed(share)}%"></span></span>${text}`;
}

/** Round numbers along an axis, at most six. */
export function ticks(axis: Axis): number[] {
  const span = axis.to - axis.from;
  if (!(span > 0)) return [];
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((one) => one >= rough) ?? rough;
  const out: number[] = [];
  for (let i = 0; i * step <= span; i++) out.push(axis.from + i * step);
  return out;
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
