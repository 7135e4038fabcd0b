/**
 * The result of a trace as one page: findings, plots, tables. Self-contained: no script, no
 * network, nothing loaded; the page forbids all of it. Leaves out mappings one by one, which are
 * in Parquet and Perfetto.
 */
import { count, groupDigits } from '../../base/text.js';
import { version } from '../../base/version.js';
import { UNKNOWN } from '../events.js';
import { duration } from '../judge/words.js';
import type { Severity, TraceResult } from '../model.js';
import { findingsPart } from './html-findings.js';
import { plotsPart } from './html-plots.js';
import { style } from './html-style.js';
import { bytesPart, costsPart, devicesPart } from './html-tables.js';
import { Html, html } from './html-text.js';
import { TraceSeries } from './series.js';
import type { ByteSink, Exporter } from './sink.js';

const policy = "default-src 'none'; style-src 'unsafe-inline'";

function headPart({ source }: TraceResult): Html {
  const lost =
    source.lost === 0
      ? 'none lost'
      : source.lost === UNKNOWN
        ? 'some lost, nobody knows how many'
        : `${groupDigits(source.lost)} lost`;
  const facts = [
    source.kernel === '' ? 'kernel not known' : `Linux ${source.kernel}`,
    `${count(source.events, 'event')}, ${lost}`,
    duration(Math.max(0, source.last - source.first)),
  ];
  return html`<h1>civac trace: ${source.file}</h1><p class="dim">${facts.join(' · ')}</p>`;
}

function sumsPart({ findings }: TraceResult): Html {
  const severities: readonly Severity[] = ['error', 'warning', 'note'];
  const sums = severities.map((severity) => {
    const of = findings.filter((finding) => finding.severity === severity);
    const certain = of.filter(({ certainty }) => certainty === 'certain').length;
    const sure = of.length === 0 ? null : html`<span class="dim">${certain} certain</span>`;
    return html`<div><b class="${of.length > 0 ? severity : 'dim'}">${of.length}</b>
${of.length === 1 ? severity : `${severity}s`} ${sure}</div>`;
  });
  return html`<div class="sums">${sums}</div>`;
}

function notesPart({ notes }: TraceResult): Html | null {
  if (notes.length === 0) return null;
  return html`<h2>Notes</h2><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}

export function page(result: TraceResult, series: TraceSeries): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="civac ${version}">
<title>civac trace: ${result.source.file}</title><style>${new Html(style)}</style></head><body>
${headPart(result)}${sumsPart(result)}${notesPart(result)}${findingsPart(result.findings)}
${plotsPart(result, series)}${bytesPart(result.costs)}${devicesPart(result.devices)}
${costsPart(result.costs)}
</body></html>
`.text;
}

/** Begins a page. */
export function htmlExporter(sink: ByteSink): Exporter {
  const series = new TraceSeries();
  return {
    observer: series.observer,
    finish: (result) => sink.write(new TextEncoder().encode(page(result, series))),
  };
}
