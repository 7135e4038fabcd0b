/** The looks of the HTML report, and the line of script that opens the run a link points to. */

export const style = `
:root { color-scheme: light dark; --text: #1a1f26; --faint: #5d6875; --line: #d5dae1; --back: #fff;
  --band: #f4f6f8; --safe: #dff3e4; --safe-text: #14532d; --bad: #fbdcdc; --bad-text: #7f1d1d;
  --open: #fdf0cf; --open-text: #6b4a04; --none: #eef0f3; --link: #0b57b7; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ee; --faint: #9aa6b4; --line: #39424e;
  --back: #14181d; --band: #1c2229; --safe: #153a24; --safe-text: #b6ecc7; --bad: #4c1d1f;
  --bad-text: #ffc9c9; --open: #45370f; --open-text: #fbe3a2; --none: #232a32; --link: #7db7ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 6rem; max-width: 104rem; background: var(--back);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
p { max-width: 48rem; margin: .5rem 0; } a { color: var(--link); }
code, .run, .mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: .875em; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top;
  padding: .35rem .6rem; border: 1px solid var(--line); }
thead th { background: var(--band); font-weight: 600; }
.grid th[scope=row] { position: sticky; left: 0; background: var(--band); white-space: nowrap;
  font-weight: 600; }
.grid thead th { vertical-align: bottom; min-width: 3.4rem; }
.grid thead th:first-child { position: sticky; left: 0; z-index: 1; }
.grid thead small { display: block; font-weight: 400; color: var(--faint); line-height: 1.25;
  hyphens: auto; }
.grid thead th { padding: .35rem .3rem; }
.grid td { text-align: center; padding: .3rem .15rem; line-height: 1.3; }
.grid td small { display: block; font-size: .72rem; opacity: .8; white-space: nowrap; }
.grid td a { color: inherit; font-weight: 600; }
.safe { background: var(--safe); color: var(--safe-text); }
.hazard { background: var(--bad); color: var(--bad-text); }
.setting, .core, .unknown { background: var(--open); color: var(--open-text); }
.refused, .idle { background: var(--none); color: var(--faint); }
.legend span { display: inline-block; padding: .1rem .5rem; margin: 0 .4rem .3rem 0;
  border-radius: .25rem; }
.num { text-align: right; font-variant-numeric: tabular-nums; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; }
summary { cursor: pointer; padding: .45rem .75rem; }
summary b { margin-right: .4rem; } details[open] > summary { border-bottom: 1px solid var(--line); }
.inside { padding: .25rem .9rem .9rem; } .inside ul { margin: .4rem 0; padding-left: 1.2rem; }
.run td, .run th { border: 0; border-bottom: 1px solid var(--line); padding: .2rem .6rem; }
.run .agent { font-weight: 600; white-space: nowrap; } .run .place { color: var(--faint);
  white-space: nowrap; }
.run tr.machine td { color: var(--faint); font-style: italic; }
.run tr.wrong td { background: var(--bad); color: var(--bad-text); font-style: normal; }
.tag { padding: 0 .4rem; border-radius: .25rem; white-space: nowrap; }
.faint { color: var(--faint); }
@media print { details { break-inside: avoid; } .wide { overflow: visible; } }
`;

/** A link leads to a closed `details`, which no browser opens by itself. */
export const script = `
const show = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener('hashchange', show); show();
`;
