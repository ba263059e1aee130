"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN = "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first to the left, the others to the right."""
    widths = [max(len(line[index]) for line in (head, *rows)) for index in range(len(head))]
    lines = (("  ".join([line[0].ljust(widths[0])]
                        + [cell.rjust(width)
                           for cell, width in zip(line[1:], widths[1:], strict=True)])).rstrip()
             for line in (head, *rows))
    return "\n".join(lines)


def number(value: float | None, digits: int = 2) -> str:
    """Write a figure; what is not known is a dash."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def percent(fraction: float | None) -> str:
    """Write a share with two digits after the point."""
    return UNKNOWN if fraction is None else f"{fraction * 100:.2f} %"
