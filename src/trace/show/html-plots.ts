/** The plots of the page: live mappings over time and lifetimes, for the busiest devices. */
import { count, groupDigits } from '../../base/text.js';
import { duration } from '../judge/words.js';
import type { TraceResult } from '../model.js';
import { type Axis, areaChart, barChart, ticks } from './chart.js';
import { findingId, findingsMax } from './html-findings.js';
import { type Html, html } from './html-text.js';
import { binStart, type DeviceSeries, lifetimeBins, type TraceSeries } from './series.js';

/** Devices that are plotted; the tables have all. */
const devicesMax = 12;

type Named = readonly [name: string, series: DeviceSeries];

function busiest({ devices }: TraceSeries): readonly Named[] {
  return [...devices].sort(([, a], [, b]) => b.maps - a.maps).slice(0, devicesMax);
}

function omitted(series: TraceSeries): Html | null {
  const rest = series.devices.size - devicesMax;
  if (rest <= 0) return null;
  return html`<p class="dim">The ${devicesMax} devices with most mappings; ${count(rest, 'other')}
stand in the tables.</p>`;
}

function livePlot([name, series]: Named, axis: Axis): Html {
  const points = series.live.points(axis.to);
  const { peak } = series.live;
  const label = `${name}: live mappings over time, at most ${groupDigits(peak)}`;
  return html`<div class="plot"><div class="name"><b>${name}</b>
<span class="dim">at most ${groupDigits(peak)} live; ${groupDigits(series.maps)} mapped</span></div>
${areaChart(points, axis, label)}</div>`;
}

function position(time: number, axis: Axis): string {
  const share = (time - axis.from) / Math.max(1, axis.to - axis.from);
  return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
}

function timeAxis(axis: Axis): Html {
  const labels = ticks(axis).map((at, i) => {
    const near = at > axis.from + 0.96 * (axis.to - axis.from) ? 'end' : '';
    const label = i === 0 ? '0' : duration(at - axis.from);
    const left = position(at, axis);
    return html`<span class="${i === 0 ? 'start' : near}" style="left:${left}">${label}</span>`;
  });
  return html`<div class="axis">${labels}</div>`;
}

/** Errors and warnings where they first happened; each leads to its finding. */
function marks({ findings }: TraceResult, axis: Axis): Html | null {
  const drawn = findings.slice(0, findingsMax).flatMap((finding, i) => {
    if (finding.severity === 'note') return [];
    const at = position(finding.first.time, axis);
    const title = `${finding.rule}, ${finding.device}`;
    return [
      html`<a class="${finding.severity}" href="#${findingId(i)}" style="left:${at}"
 title="${title}"></a>`,
    ];
  });
  if (drawn.length === 0) return null;
  return html`<div class="plot"><div class="name"><b>Errors and warnings</b>
<span class="dim">where each first happened</span></div><div class="marks">${drawn}</div></div>`;
}

function livePart(result: TraceResult, series: TraceSeries): Html {
  const { first, last } = result.source;
  const axis = { from: first, to: Math.max(last, first + 1) };
  return html`<h2>Live mappings over time</h2>${busiest(series).map((one) => livePlot(one, axis))}
${marks(result, axis)}${timeAxis(axis)}
<p class="dim">Time since the first event. Every plot has a scale of its own and shows the most that
were live at one time.</p>
${omitted(series)}`;
}

function binLabel(bin: number): string {
  if (bin === 0) return `below ${duration(binStart(1))}`;
  if (bin === lifetimeBins - 1) return `${duration(binStart(bin))} and longer`;
  return `${duration(binStart(bin))} to ${duration(binStart(bin + 1))}`;
}

function lifetimePlot([name, { lifetimes }]: Named): Html {
  const closed = lifetimes.reduce((sum, value) => sum + value, 0);
  const bars = Array.from(lifetimes, (value, bin) => ({
    value,
    title: `${binLabel(bin)}: ${count(value, 'mapping')}`,
  }));
  return html`<div class="plot"><div class="name"><b>${name}</b>
<span class="dim">${groupDigits(closed)} unmapped</span></div>
${barChart(bars, `${name}: how long mappings lived`)}
<div class="axis"><span class="start" style="left:0">1 us</span><span style="left:37.5%">1 ms</span>
<span style="left:75%">1 s</span><span class="end" style="left:100%">longer</span></div></div>`;
}

function lifetimesPart(series: TraceSeries): Html | null {
  const some = busiest(series).filter(([, { lifetimes }]) => lifetimes.some((value) => value > 0));
  if (some.length === 0) return null;
  return html`<h2>Lifetimes</h2><div class="grid">${some.map(lifetimePlot)}</div>
<p class="dim">How many mappings lived how long, two bars for each power of ten.
The first bar has all the shorter ones.</p>`;
}

export function plotsPart(result: TraceResult, series: TraceSeries): Html | null {
  if (series.devices.size === 0) return null;
  return html`${livePart(result, series)}${lifetimesPart(series)}`;
}
