"""How a picture becomes a part of the page: in the page's colours, light or dark."""

from __future__ import annotations

import re

from realtime_rl.bags.drawing import (
    BLUE,
    FAINT,
    GREEN,
    GRID,
    INK,
    ORANGE,
    PURPLE,
    RED,
    RULE,
    SKY,
    STARTUP,
)

_NAMES = {BLUE: "blue", SKY: "sky", ORANGE: "orange", GREEN: "green", RED: "red", PURPLE: "purple",
          INK: "ink", FAINT: "faint", RULE: "rule", GRID: "grid", STARTUP: "startup",
          "#ffffff": "paper"}
_BY_HEX = {colour.lower(): name for colour, name in _NAMES.items()}
_COLOUR = re.compile("|".join(_BY_HEX), re.IGNORECASE)
_ID = re.compile(r'(\bid="|href="#|url\(#)')


def colour(value: str) -> str:
    """Return a colour of the pictures as the page's stylesheet has it."""
    name = _BY_HEX.get(value.lower())
    return value if name is None else f"var(--{name})"


def inline(svg: bytes, prefix: str) -> str:
    """Return an SVG to be put into a page; `prefix` keeps its ids apart from those of others."""
    text = svg.decode("utf-8")
    text = text[text.index("<svg"):]
    start = text.index(">") + 1
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[start:], flags=re.DOTALL)
    body = _COLOUR.sub(lambda found: colour(found[0]), body)
    body = _ID.sub(lambda found: f"{found[0]}{prefix}-", body)
    box = re.search(r'viewBox="([^"]*)"', text[:start])
    return f'<svg viewBox="{box[1] if box else "0 0 1 1"}" aria-hidden="true">{body}'
