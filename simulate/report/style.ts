/** Okabe and Ito's palette, which the colour-blind tell apart; darker or lighter by theme where contrast asks for it. */
export const STYLE = `
:root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--good:#1a7f37;--bad:#b3261e;
--c0:#0072b2;--c1:#c24e00;--c2:#007a5a;--c3:#a3497d;--c4:#8a6d00;--c5:#2f86b8;--c6:#444;--c7:#7a5230}
@media (prefers-color-scheme:dark){:root{--page:#12161c;--ink:#e6edf3;--soft:#9ba7b4;--line:#30363d;--good:#56d364;
--bad:#ff8a80;--c0:#56b4e9;--c1:#f28e2b;--c2:#3cc59c;--c3:#e29ac4;--c4:#e8d44d;--c5:#8ecae6;--c6:#cfd6dd;--c7:#c8a27a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:75rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.75rem;margin:0 0 .5rem}h2{font-size:1.25rem;margin:0 0 .5rem}
p{max-width:46rem;margin:0 0 1rem}.asks{color:var(--soft)}
section{border-top:1px solid var(--line);padding-top:1.5rem;margin-top:2rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:.25rem 1.5rem;margin:0 0 1rem}
dl div{display:flex;gap:.5rem}dt{color:var(--soft);flex:none}dd{margin:0;overflow-wrap:anywhere}
a{color:var(--c0)}nav ol{margin:0;padding-left:1.25rem}
.findings{list-style:none;padding:0;max-width:56rem}.findings li{margin:.4rem 0}
.verdict{border:1px solid currentColor;border-radius:.25rem;padding:0 .35rem;font-size:.8125rem;white-space:nowrap}
.agrees{color:var(--good)}.does-not-agree{color:var(--bad)}.no-claim{color:var(--soft)}
dl div:first-child{grid-column:1/-1}.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,28rem),1fr));gap:1rem 2rem}
figure{margin:0}figcaption{font-weight:600;margin-bottom:.25rem}
svg{width:100%;height:auto;display:block;font:13px system-ui,sans-serif}
svg text{fill:var(--soft)}svg .grid{stroke:var(--line)}svg .axis{stroke:var(--soft)}
svg .series path{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
svg .series .leader{stroke-width:1;opacity:.45}svg .series circle,svg .series text{fill:var(--c)}
${Array.from({ length: 8 }, (_, i) => `svg .s${i}{--c:var(--c${i})}`).join('')}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding-bottom:.25rem}
th,td{text-align:left;padding:.2rem .75rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500}.number{text-align:right}
summary{cursor:pointer;margin-top:1rem}
`;
