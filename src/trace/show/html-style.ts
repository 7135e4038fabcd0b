/** The look of the page: light and dark, readable without colour, printable. */
export const style = `
:root{color-scheme:light dark;--fg:#1c2024;--dim:#5c6570;--bg:#fff;--card:#f5f6f8;--line:#d9dde2;
--blue:#2868c8;--error:#b3261e;--warning:#8a5a00;--note:#3a5a78;--hit:#e9edf2}
@media(prefers-color-scheme:dark){:root{--fg:#e4e7ea;--dim:#9aa4ae;--bg:#15181b;--card:#1e2226;
--line:#363c43;--blue:#6ea3ee;--error:#f2857c;--warning:#e0b050;--note:#9dbbd6;--hit:#262b31}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
p,ul{margin:.4rem 0}.dim{color:var(--dim)}
code,.mono,td.num{font:13px/1.5 ui-monospace,monospace}
.sums{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0}
.sums div{background:var(--card);border:1px solid var(--line);border-radius:6px;
padding:.5rem .9rem}.sums b{font-size:1.3rem;display:block}
.error{color:var(--error)}.warning{color:var(--warning)}.note{color:var(--note)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--dim);white-space:nowrap}
td.num,th.num{text-align:right}td.num{white-space:nowrap}th.num{white-space:normal}
td.nowrap{white-space:nowrap}
tr.part td:first-child{padding-left:1.8rem;color:var(--dim)}
details{border:1px solid var(--line);border-radius:6px;margin:.4rem 0;background:var(--card)}
summary{cursor:pointer;padding:.45rem .8rem;display:grid;
grid-template-columns:4.6rem 1fr auto 1rem;gap:.1rem .7rem}
summary::after{content:"\\25b8";color:var(--dim)}
details[open]>summary::after{content:"\\25be"}
summary .what{overflow-wrap:anywhere}summary::marker{content:""}
details .body{padding:.2rem .9rem .8rem;border-top:1px solid var(--line)}
.tag{font-weight:600;font-size:13px}
.plot{margin:.7rem 0 1.1rem}.plot .name{display:flex;justify-content:space-between;gap:1rem}
svg{display:block;width:100%}
svg.area{height:64px;border-bottom:1px solid var(--line);background:var(--card)}
svg.area path,svg.bars rect{fill:var(--blue)}
svg.bars{height:44px;border-bottom:1px solid var(--line)}
svg.bars rect.hit{fill:transparent}svg.bars g:hover rect.hit{fill:var(--hit)}
.axis{position:relative;height:1.5rem;color:var(--dim);font-size:12px}
.axis span{position:absolute;transform:translateX(-50%);white-space:nowrap}
.axis span.start{transform:none}.axis span.end{transform:translateX(-100%)}
.marks{position:relative;height:12px}
.marks a{position:absolute;width:3px;height:12px;margin-left:-1px;background:currentColor}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:.4rem 1.6rem}
.meter{display:inline-block;width:6rem;height:.6rem;margin-right:.5rem;background:var(--line)}
.meter span{display:block;height:100%;background:var(--blue)}
@media print{details .body{display:block}body{max-width:none}}
`;
