"""What stops a robot of its own accord: an emergency stop, a deadman, a stale source, a fault.

Each but the deadman stays until it is released, which is refused while its cause lasts. Times are
in nanoseconds on one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from realtime_rl.core.enumerations import StopCause
from realtime_rl.core.robot.contract import Contract

_RESTORED = "was so when this node began anew"
_SETTLED = 0.75
"""Periods for which a source is stale before it stops the robot; ticks jitter."""
_LATCHED = (StopCause.STALE, StopCause.ESTOP, StopCause.FAULT)


NOTHING = StopCause(0)


@dataclass(frozen=True, slots=True)
class Stops:
    """What stops a robot now."""

    causes: StopCause = NOTHING
    reasons: tuple[str, ...] = ()
    """In words, one for each cause."""


class Guards:
    """Hears what may stop a robot, and remembers what did."""

    def __init__(self, contract: Contract) -> None:
        """Guard a robot as its contract says."""
        self._estop = contract.estop
        self._deadman = contract.deadman
        self._max_age_s = {spec.name: spec.config.max_age for spec in contract.sources}
        self._settled_ns = round(_SETTLED * contract.period_ns)
        self._stale_since: dict[str, int] = {}
        self._latched: dict[StopCause, str] = {}
        self._lasting: dict[StopCause, str] = {}
        self._estop_heard: tuple[bool, int] | None = None
        self._deadman_heard: tuple[bool, int] | None = None

    def on_estop(self, pressed: bool, now_ns: int) -> None:
        """The emergency stop said whether it is pressed."""
        self._watch_estop(now_ns)  # it may have been silent before
        self._estop_heard = pressed, now_ns
        self._watch_estop(now_ns)

    def on_deadman(self, buttons: Sequence[int], now_ns: int) -> None:
        """The gamepad with the deadman's button said which ones are held."""
        button = self._deadman.button
        self._deadman_heard = len(buttons) > button and bool(buttons[button]), now_ns

    def on_sources(self, stale: Iterable[str], now_ns: int) -> None:
        """A tick found these sources stale, of those that stop the robot then.

        One that is so for a period stops it: when this process was paused, what its sources said
        meanwhile waits to be read, and the first ticks after it do not know it.
        """
        self._stale_since = {name: self._stale_since.get(name, now_ns) for name in stale}
        reasons = [f"source.{name}: older than max_age, {self._max_age_s[name]:g} s"
                   for name, since_ns in self._stale_since.items()
                   if now_ns - since_ns >= self._settled_ns]
        self._put(StopCause.STALE, "; ".join(reasons))

    def on_fault(self, reason: str) -> None:
        """Something went wrong, as said in one line; it is over, but nobody has looked at it."""
        self._latched[StopCause.FAULT] = reason

    def stops(self, now_ns: int) -> Stops:
        """Return what stops the robot now."""
        self._watch_estop(now_ns)
        found = dict(self._latched)
        if self._estop.topic and self._estop_heard is None:
            found.setdefault(StopCause.ESTOP, f"estop: nothing heard yet on {self._estop.topic}")
        if not self._held(now_ns):
            found[StopCause.DEADMAN] = (f"deadman: button {self._deadman.button} on "
                                        f"{self._deadman.topic} is not held")
        return Stops(reduce(or_, found, NOTHING), tuple(found.values()))

    def release(self, now_ns: int) -> tuple[str, ...]:
        """Forget what stopped the robot; return why not, where a cause lasts: then none is."""
        self._watch_estop(now_ns)
        if self._lasting:
            return tuple(self._lasting.values())
        self._latched.clear()
        return ()

    def snapshot(self) -> dict[str, str]:
        """Return what stays until it is released, for `restore`."""
        return {str(cause.name).lower(): reason for cause, reason in self._latched.items()}

    def restore(self, snapshot: Mapping[str, str]) -> None:
        """Begin stopped, as `snapshot` says that the robot was."""
        known = {str(cause.name).lower(): cause for cause in _LATCHED}
        for word, reason in snapshot.items():
            self._latched[known.get(word, StopCause.FAULT)] = (
                reason if reason.endswith(_RESTORED) else f"{reason}; {_RESTORED}")

    def _watch_estop(self, now_ns: int) -> None:
        if self._estop_heard is None:
            return
        pressed, heard_ns = self._estop_heard
        silent = now_ns - heard_ns > self._estop.timeout * 1e9
        self._put(StopCause.ESTOP, f"estop: pressed, on {self._estop.topic}" if pressed else
                  f"estop: {self._estop.topic} was silent for {self._estop.timeout:g} s" if silent
                  else "")

    def _held(self, now_ns: int) -> bool:
        """Whether the deadman's button is, or there is none."""
        if not self._deadman.topic:
            return True
        held, heard_ns = self._deadman_heard or (False, now_ns)
        return held and now_ns - heard_ns <= self._deadman.timeout * 1e9

    def _put(self, cause: StopCause, reason: str) -> None:
        """A cause lasts, for a reason in words; empty: it does not."""
        if reason:
            self._lasting[cause] = reason
            self._latched[cause] = reason
        else:
            self._lasting.pop(cause, None)
