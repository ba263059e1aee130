"""How the report's page looks: light or dark as its reader has it, on a telephone, on paper."""

from __future__ import annotations

CSS = """\
:root { color-scheme: light dark; --ink: #1f2933; --faint: #616e7c; --rule: #d9dee4;
  --grid: #eef1f4; --paper: #ffffff; --page: #f5f7fa; --blue: #0072b2; --sky: #56b4e9;
  --orange: #e69f00; --green: #009e73; --red: #d55e00; --purple: #cc79a7; --startup: #c4ccd4;
  --amber: #8a5a00; --amber-paper: #fff6e0; --red-paper: #fdf0e8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #9aa7b4; --rule: #3a444e; --grid: #262d35; --paper: #171c22;
    --page: #0e1216; --blue: #4aa3df; --sky: #8fd0f5; --orange: #f0b429; --green: #2bc79a;
    --red: #ff7f45; --purple: #e29ac1; --startup: #59646f; --amber: #f2c866;
    --amber-paper: #2e2610; --red-paper: #33201a; --of-pixels: brightness(1.3); }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 8px; }
h1 { margin: 0; font-size: 30px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 0 0 4px; font-size: 18px; }
h3 { margin: 0; font-size: 13px; font-weight: 600; color: var(--faint);
  text-transform: uppercase; letter-spacing: 0.05em; }
header p { margin: 4px 0 0; overflow-wrap: anywhere; }
.faint, footer { color: var(--faint); font-size: 13px; }
.emulated { margin-top: 16px; padding: 10px 14px; border: 1px solid var(--orange);
  border-radius: 8px; background: var(--amber-paper); color: var(--amber); }
.emulated strong::after { content: " –"; }
nav ul { display: flex; flex-wrap: wrap; gap: 6px; margin: 18px 0 0; padding: 0;
  list-style: none; font-size: 13.5px; }
nav a { display: block; padding: 4px 12px; border: 1px solid var(--rule); border-radius: 999px;
  background: var(--paper); color: var(--blue); text-decoration: none; }
nav a:hover { border-color: var(--blue); }
.warnings { margin-top: 16px; padding: 12px 16px; border: 1px solid var(--red);
  border-radius: 8px; background: var(--red-paper); }
.warnings p { margin: 0; color: var(--faint); font-size: 13.5px; }
.warnings ul { margin: 4px 0 0; padding-left: 20px; overflow-wrap: anywhere; }
#complaints { border-color: var(--orange); background: var(--amber-paper); }
#stops { margin-bottom: 16px; border-color: var(--orange); background: var(--amber-paper); }
#complaints li { font: 12.5px/1.6 ui-monospace, Menlo, Consolas, monospace; }
.headlines { display: grid; gap: 12px; margin: 24px 0;
  grid-template-columns: repeat(auto-fill, minmax(236px, 1fr)); }
.headlines div, figure, .tables, .seen { background: var(--paper); border: 1px solid var(--rule);
  border-radius: 10px; }
.headlines div { padding: 14px 16px; }
.headlines p { margin: 0; color: var(--faint); font-size: 13px; line-height: 1.4; }
.headlines .value { margin: 2px 0 4px; color: var(--ink); font-size: 26px; font-weight: 650;
  font-variant-numeric: tabular-nums; }
section, figure { scroll-margin-top: 12px; }
figure { margin: 0 0 16px; padding: 18px 20px 12px; }
figcaption { max-width: 112ch; color: var(--faint); font-size: 13.5px; }
.seen { margin: 0 0 16px; padding: 18px 20px 12px; }
.seen p { margin: 0; color: var(--faint); font-size: 13.5px; }
.strip { display: grid; gap: 10px; margin: 10px 0 4px; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); }
.strip img { display: block; width: 100%; border-radius: 4px; image-rendering: pixelated; }
.strip span { color: var(--faint); font-size: 12px; }
.keys { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 6px 0 8px; padding: 0;
  list-style: none; font-size: 13px; }
.keys li { display: flex; align-items: baseline; }
.keys i { flex: none; width: 16px; margin-right: 6px; transform: translateY(-1px); }
.keys .line, .keys .dashes, .keys .dotted { transform: translateY(-4px); }
.keys .area, .keys .pale { height: 10px; border-radius: 2px; background: var(--key); }
.keys .pale { opacity: 0.55; }
.keys .line { border-top: 2px solid var(--key); }
.keys .dashes { border-top: 2px dashed var(--key); }
.keys .dotted { border-top: 2px dotted var(--key); }
.keys .dot { width: 8px; height: 8px; margin: 0 10px 0 4px; border-radius: 50%;
  background: var(--key); }
.keys .cross { width: 10px; margin: 0 8px 0 4px; color: var(--key); font-style: normal; }
.keys .cross::before { content: "✕"; font-weight: 700; }
figure svg { display: block; width: 100%; height: auto; stroke-linejoin: round; }
figure image { filter: var(--of-pixels, none); }
.narrow { display: none; }
.tables { padding: 18px 20px; }
.tables h3 { margin: 18px 0 6px; color: var(--blue); }
.scrolled { overflow-x: auto; }
dl { display: grid; gap: 2px 28px; margin: 0 0 10px;
  grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); }
dl div { display: flex; justify-content: space-between; gap: 12px;
  border-bottom: 1px solid var(--rule); font-size: 13.5px; }
dt { color: var(--faint); }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; text-align: right; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 3px 8px; border-bottom: 1px solid var(--rule); text-align: right; }
th { color: var(--faint); font-weight: 500; }
tr th:first-child { position: sticky; left: 0; padding-left: 0; background: var(--paper);
  text-align: left; }
footer { max-width: 1080px; margin: 0 auto; padding: 8px 20px 32px; }
@media (max-width: 640px) {
  main { padding: 18px 12px 8px; }
  h1 { font-size: 24px; }
  .headlines { gap: 8px; margin: 16px 0; grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .headlines div { padding: 10px 12px; }
  .headlines .value { font-size: 20px; }
  figure, .tables { padding: 14px 12px 10px; }
  .wide { display: none; }
  .narrow { display: block; }
}
@media print {
  body { background: none; }
  nav { display: none; }
  figure, .headlines div { break-inside: avoid; }
}
"""
