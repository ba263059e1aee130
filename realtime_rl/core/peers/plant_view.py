"""Where the plant stands, by its own words: what others say is measured by it.

A plant keeps its grid: its ticks count on, and start on the grid or late, never early; a `timestep`
says how late. What is published in its name and does not go on so is refused for as long as the
plant itself is heard.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.messages.wire import WireError

_AHEAD_TICKS, _AHEAD_NS = 64, 250_000_000
"""So much further than the time allows may a tick be: a plant that was late catches up."""
_SILENT_TICKS, _SILENT_NS = 3, 500_000_000
"""Once nothing was heard of it for so long, it may be another one that is heard."""
_SETTLED_NS = 250_000_000
"""The grid of one that catches up is known when no tick was less late for so long."""
_CANDIDATES = 32
_ALIKE = 100
"""Periods that differ by a hundredth at most are one: a robot's bridge may say the measured."""
_EXACT_NS, _EXACT_TICKS = 100_000, 64
"""A plant that says how late its ticks are is held to it, once so many in a row were so near to the
grid; one that does not say it truly, as a robot's bridge, is not."""


@dataclass(slots=True)
class _Course:
    """The ticks of one plant."""

    tick: int
    stamp_ns: int
    arrived_ns: int
    offset_ns: int
    """Of its grid: the least `stamp - lateness - tick·period`."""
    newest_ns: int
    """That of the newest tick."""
    exact: int
    """Ticks in a row that were on the grid."""
    least_ns: int
    """Stamp at which the offset was last moved by more than the slack."""
    began_ns: int
    """Stamp of the first tick that was heard."""


class PlantView:
    """The newest tick of the plant; another one is believed in a silence.

    It is at its tick 0, or at the second one that is heard.
    """

    def __init__(self, period_ns: int) -> None:
        """Begin without having heard of a tick."""
        self._period_ns = period_ns
        self._slack_ns = 1_000_000 + period_ns // 4
        self._silent_ns = max(_SILENT_NS, _SILENT_TICKS * period_ns)
        self._ahead = max(_AHEAD_TICKS, _AHEAD_NS // period_ns)
        self._course: _Course | None = None
        self._others: deque[_Course] = deque(maxlen=_CANDIDATES)

    @property
    def known(self) -> bool:
        """Whether the plant was heard."""
        return self._course is not None

    @property
    def tick(self) -> int:
        """Its newest tick; -1 before one is known."""
        return -1 if self._course is None else self._course.tick

    @property
    def began_ns(self) -> int:
        """Stamp from which on it counts its ticks as it does; 0 before one is known."""
        return 0 if self._course is None else self._course.began_ns

    def on_timestep(self, step: Timestep, now_ns: int) -> None:
        """Take in one of its ticks by its record; as `take`."""
        if abs(step.period_ns - self._period_ns) * _ALIKE > self._period_ns:
            raise WireError(f"its period is {step.period_ns} ns, period_ns here {self._period_ns}")
        self._take(step.tick, step.stamp_ns, round(step.lateness_s * 1e9), now_ns)

    def take(self, tick: int, stamp_ns: int, now_ns: int) -> None:
        """Take in one of its ticks, in the order in which they are heard; some may be left out.

        Args:
            tick: its number.
            stamp_ns: when it started, on the plant's clock.
            now_ns: when it was heard of, on a monotonic clock.

        Raises:
            WireError: it is none of the plant's.
        """
        self._take(tick, stamp_ns, None, now_ns)

    def _take(self, tick: int, stamp_ns: int, late_ns: int | None, now_ns: int) -> None:
        offset_ns = stamp_ns - (late_ns or 0) - tick * self._period_ns
        new = _Course(tick, stamp_ns, now_ns, offset_ns, offset_ns, 0, stamp_ns, stamp_ns)
        course = self._course
        silent = course is None or now_ns - course.arrived_ns >= self._silent_ns
        if course is None or (silent and tick == 0):
            self._course = new
            return
        if (0 < tick - course.tick <= self._ahead + self._due(course, now_ns)
                and stamp_ns > course.stamp_ns
                and self._fits(course, offset_ns, exact=late_ns is not None)):
            self._advance(course, new)
            return
        other = next((each for each in self._others if each.tick < tick
                      and abs(offset_ns - each.offset_ns) <= self._slack_ns), None)
        if other is None:
            self._others.append(new)
        else:
            self._advance(other, new)
            if silent:
                self._course = other
                self._others.clear()
                return
        raise WireError(f"tick {tick}, stamped {stamp_ns} ns, does not continue the plant's, which "
                        f"is at {course.tick}, stamped {course.stamp_ns} ns, with a period of "
                        f"{self._period_ns} ns")

    def reach(self, now_ns: int) -> int:
        """The tick at which it may be by now, as it goes on when nothing is heard of it."""
        course = self._course
        return -1 if course is None else course.tick + self._due(course, now_ns)

    def since_ns(self, stamp_ns: int, now_ns: int) -> int:
        """Time since the tick of that stamp, by the plant's clock; needs `known`."""
        course = self._course
        return now_ns if course is None else course.stamp_ns - stamp_ns + now_ns - course.arrived_ns

    def _due(self, course: _Course, now_ns: int) -> int:
        return (now_ns - course.arrived_ns) // self._period_ns

    def _fits(self, course: _Course, offset_ns: int, *, exact: bool) -> bool:
        if exact and course.exact >= _EXACT_TICKS:
            return abs(offset_ns - course.newest_ns) <= _EXACT_NS
        settled = course.stamp_ns - course.least_ns >= _SETTLED_NS
        return not settled or offset_ns >= course.offset_ns - self._slack_ns

    def _advance(self, course: _Course, new: _Course) -> None:
        if new.offset_ns < course.offset_ns - self._slack_ns:
            course.least_ns = new.stamp_ns
        course.tick, course.stamp_ns, course.arrived_ns = new.tick, new.stamp_ns, new.arrived_ns
        course.exact = (course.exact + 1 if abs(new.offset_ns - course.newest_ns) <= _EXACT_NS
                        else 0)
        course.newest_ns = new.offset_ns
        course.offset_ns = min(course.offset_ns, new.offset_ns)
