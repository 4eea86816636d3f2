/** The look of every report: light and dark by the reader's setting. */
export const STYLE = `
:root {
  --background: #f6f7f9; --panel: #ffffff; --ink: #1b2330; --muted: #657083; --line: #e1e5eb; --grid: #edf0f4;
  --accent: #2463c5; --other: #d9822b; --good: #1a8a5a; --bad: #c8403a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --background: #11151c; --panel: #191f29; --ink: #e4e9f1; --muted: #93a0b4; --line: #2c3542; --grid: #242c38;
    --accent: #6ea4f7; --other: #efa757; --good: #45c08a; --bad: #f07e76;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--background); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
h3 { font-size: .95rem; margin: 0 0 .5rem; }
p { margin: 0 0 .75rem; }
.lead, .hint, small { color: var(--muted); }
.hint { font-size: .87rem; max-width: 48rem; }
.warning { border-left: 3px solid var(--other); padding: .1rem 0 .1rem .75rem; overflow-wrap: anywhere; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.35rem;
  margin-top: 1.25rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .9rem; margin-top: 1.25rem; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.1rem;
  display: flex; flex-direction: column; }
.card span { color: var(--muted); font-size: .85rem; }
.card strong { font-size: 1.65rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1.5rem; }
@media (max-width: 26rem) { .columns { grid-template-columns: 1fr; } }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .89rem; }
th { text-align: left; font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--line);
  vertical-align: bottom; }
th, td { padding: .4rem .9rem .4rem 0; }
td { border-bottom: 1px solid var(--grid); vertical-align: top; overflow-wrap: break-word; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .quiet { color: var(--muted); }
code, pre { font: .86rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { background: var(--background); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem;
  margin: 0 0 .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.grades { white-space: nowrap; }
.grade { display: inline-block; min-width: 1.45em; padding: 0 .25em; margin-right: .15em; border-radius: 4px;
  text-align: center; font-variant-numeric: tabular-nums; background: var(--grid); color: var(--muted); }
.grade.relevant { background: var(--accent); color: var(--panel); }
figure { margin: 0; min-width: 0; max-width: 42rem; }
.below { margin-top: 1.5rem; }
figcaption { font-size: .89rem; font-weight: 600; margin-bottom: .35rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--muted); font-variant-numeric: tabular-nums; }
svg text.name { fill: var(--ink); }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--muted); }
svg .guide { stroke: var(--muted); stroke-dasharray: 4 4; }
svg .run { fill: var(--accent); stroke: var(--accent); } svg .other { fill: var(--other); stroke: var(--other); }
svg .third { fill: var(--good); stroke: var(--good); }
svg .up { fill: var(--good); } svg .down { fill: var(--bad); }
svg rect { stroke: none; } svg rect.run { fill: var(--accent); stroke: none; }
svg path { fill: none; stroke-width: 2; stroke-linejoin: round; } svg path.run, svg path.other, svg path.third { fill: none; }
svg line.run, svg line.other { stroke-width: 2.5; stroke-linecap: round; }
svg circle.dot { fill-opacity: .45; stroke: none; }
@media print { body { background: none; } section, .card { break-inside: avoid; } }
`;
