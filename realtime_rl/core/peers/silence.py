"""When to say that nothing is heard, and when that it is heard again."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE_NS = 5_000_000_000
_AGAIN_NS = 30_000_000_000
_PERIODS = 3


@dataclass(slots=True)
class Silence:
    """Listens on one topic. Call `look` about once a second."""

    patience_ns: int = PATIENCE_NS
    """So long nothing is said of it."""
    first_only: bool = False
    """Only the first message is waited for."""
    count: int = 0
    """Messages that came; whoever hears one adds it."""
    _seen: int = 0
    _since_ns: int | None = None
    _said_ns: int | None = None

    def look(self, now_ns: int) -> tuple[bool, float] | None:
        """Return `(silent, seconds)` when that is to be said, else `None`.

        `(True, …)`: nothing came for so long, and again every half minute; `(False, …)`: it is
        heard again after so long, where silence was spoken of.
        """
        since_ns = now_ns if self._since_ns is None else self._since_ns
        silence_s = (now_ns - since_ns) / 1e9
        if self.count != self._seen:
            reported = self._said_ns is not None
            self._seen, self._since_ns, self._said_ns = self.count, now_ns, None
            return (False, silence_s) if reported else None
        self._since_ns = since_ns
        if self.first_only and self.count:
            return None
        last_ns = since_ns if self._said_ns is None else self._said_ns
        if now_ns - last_ns < (self.patience_ns if self._said_ns is None else _AGAIN_NS):
            return None
        self._said_ns = now_ns
        return True, silence_s


def patience_ns(period_ns: int) -> int:
    """How long a topic may be silent on which a message comes every `period_ns`."""
    return max(PATIENCE_NS, _PERIODS * period_ns)
