"""What the nodes of a run warned of: each line once, however often it came."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_STAMP = re.compile(r"\[\d+\.\d+\] ")
"""When a node said it, as rclpy writes it."""
_MOST = 200


@dataclass(slots=True)
class Note:
    """A line that was said, once or again and again."""

    at_s: float
    """When it was said first, since the run began."""
    times: int = 1


@dataclass(slots=True)
class Noted:
    """What was complained of in a run: each line once, in the order of its first time.

    Of very many the first two hundred are kept; the rest is counted.
    """

    kept: dict[str, Note] = field(default_factory=dict)
    left_out: int = 0

    def take(self, line: str, at_s: float) -> None:
        """Note a line that was said at `at_s` [s]."""
        text = _STAMP.sub("", line)
        known = self.kept.get(text)
        if known is not None:
            known.times += 1
        elif len(self.kept) < _MOST:
            self.kept[text] = Note(at_s)
        else:
            self.left_out += 1

    def lines(self, newest: int = _MOST) -> list[str]:
        """Return the newest of them, with when they came first, how often, and what is left out."""
        shown = list(self.kept.items())[-newest:]
        more = len(self.kept) - len(shown) + self.left_out
        return [*([f"… and {more} line(s) more"] if more else []),
                *(f"{note.at_s:6.1f} s  {text}{f' (x {note.times})' if note.times > 1 else ''}"
                  for text, note in shown)]
