"""How the report's page looks: light, and readable on paper, too."""

from __future__ import annotations

CSS = """\
:root { --ink: #1f2933; --faint: #616e7c; --rule: #e4e7eb; --paper: #ffffff; --page: #f5f7fa;
  --blue: #0072b2; --amber: #8a5a00; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 8px; }
h1 { margin: 0; font-size: 30px; letter-spacing: -0.01em; }
h2 { margin: 0 0 4px; font-size: 18px; }
h3 { margin: 0; font-size: 13px; font-weight: 600; color: var(--faint);
  text-transform: uppercase; letter-spacing: 0.05em; }
header p { margin: 4px 0 0; }
.faint, footer { color: var(--faint); font-size: 13px; }
.emulated { margin-top: 16px; padding: 10px 14px; border: 1px solid #e69f00; border-radius: 8px;
  background: #fff6e0; color: var(--amber); }
.emulated strong::after { content: " –"; }
.warnings { margin-top: 16px; padding: 12px 16px; border: 1px solid #d55e00; border-radius: 8px;
  background: #fdf0e8; }
.warnings ul { margin: 4px 0 0; padding-left: 20px; overflow-wrap: anywhere; }
.headlines { display: grid; gap: 12px; margin: 24px 0;
  grid-template-columns: repeat(auto-fill, minmax(236px, 1fr)); }
.headlines div, figure, .tables { background: var(--paper); border: 1px solid var(--rule);
  border-radius: 10px; }
.headlines div { padding: 14px 16px; }
.headlines p { margin: 0; color: var(--faint); font-size: 13px; line-height: 1.4; }
.headlines .value { margin: 2px 0 4px; color: var(--ink); font-size: 26px; font-weight: 650;
  font-variant-numeric: tabular-nums; }
figure { margin: 0 0 16px; padding: 18px 20px 12px; }
figcaption { max-width: 112ch; margin-bottom: 10px; color: var(--faint); font-size: 13.5px; }
figure img { display: block; width: 100%; height: auto; }
.tables { padding: 18px 20px; }
.tables h3 { margin: 18px 0 6px; color: var(--blue); }
dl { display: grid; gap: 2px 28px; margin: 0 0 10px;
  grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); }
dl div { display: flex; justify-content: space-between; gap: 12px;
  border-bottom: 1px solid var(--rule); font-size: 13.5px; }
dt { color: var(--faint); }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 3px 8px; border-bottom: 1px solid var(--rule); text-align: right; }
th { color: var(--faint); font-weight: 500; }
tr th:first-child { text-align: left; padding-left: 0; }
footer { max-width: 1080px; margin: 0 auto; padding: 8px 20px 32px; }
@media print { body { background: none; } figure, .headlines div { break-inside: avoid; } }
"""
