"""Inferences that took long because their process stood still, told from those of a slow model.

A process that is stopped, starved or on a machine that stands still, for whatever reason, gives as
many long durations as it has workers in flight, and then goes on as before. A schedule that
reckoned with them would make every later action wait for what is over. Such a process took no
slots meanwhile, and did not say that it missed any; one whose model is slow does either.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from itertools import pairwise

from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages import ranges
from realtime_rl.core.messages.records import Inference

_LEAST_NS = 250_000_000
"""A shorter silence is no pause, and a duration that exceeds the usual by less is not looked at."""
_SPACINGS = 3
"""Nor is one in which fewer slots than this were due."""
_KEPT = 1024


@dataclass(slots=True)
class _Process:
    begun_ns: list[int] = field(default_factory=list)
    """When its slots began, or were missed, by the plant's clock; sorted."""
    newest_ns: int = 0
    """The newest of those whose inference is known."""
    doubtful: list[tuple[int, int]] = field(default_factory=list)
    """Begin and duration of those that may span a pause [ns]."""


class Pauses:
    """Decides which durations count."""

    def __init__(self) -> None:
        """Begin without having heard of a process."""
        self._processes: dict[str, _Process] = {}
        self.left_out = 0
        """Durations that spanned a pause."""

    def take(self, inference: Inference, usual_ns: int, spacing_ns: int,
             since_ns: int | None = None) -> list[float]:
        """Take in one slot's record, also of a missed one.

        Args:
            inference: the record.
            usual_ns: what an inference takes at most; 0 where nothing is known yet.
            spacing_ns: time between two slots of that process.
            since_ns: how long ago its tick was, by the plant; `None` where that is not known.

        Returns:
            Durations of that process that count, as is known now [s]: none, this one, or others
            that were in doubt.
        """
        process = self._processes.setdefault(inference.node, _Process())
        if inference.worker < 0:
            # after a pause observations may be taken up that were waiting meanwhile
            if since_ns is None or since_ns <= _LEAST_NS:
                _note(process, inference.stamp_ns)
            return []
        begin_ns = _begin_ns(inference, since_ns)
        _note(process, begin_ns)
        if inference.miss is not Miss.NONE:
            return []
        process.newest_ns = max(process.newest_ns, begin_ns)
        counting = []
        if usual_ns and (usual_ns + _LEAST_NS) / 1e9 <= inference.duration_s < ranges.HOUR_S:
            process.doubtful.append((begin_ns, round(inference.duration_s * 1e9)))
            del process.doubtful[:-_KEPT]
        else:
            counting.append(inference.duration_s)
        return counting + self._settle(process, max(_LEAST_NS, _SPACINGS * spacing_ns))

    def restarted(self, process: str | None = None) -> None:
        """A process was started again, or with the plant all that is known: it begins anew."""
        if process is None:
            self._processes.clear()
        else:
            self._processes.pop(process, None)

    def _settle(self, process: _Process, limit_ns: int) -> list[float]:
        counting: list[float] = []
        undecided: list[tuple[int, int]] = []
        for begin_ns, duration_ns in process.doubtful:
            silence_ns, until_ns = _longest_silence(process.begun_ns, begin_ns,
                                                    begin_ns + duration_ns)
            if silence_ns <= limit_ns:
                counting.append(duration_ns / 1e9)
            elif process.newest_ns < until_ns:
                undecided.append((begin_ns, duration_ns))  # what began meanwhile may not be known
            else:
                self.left_out += 1
        process.doubtful = undecided
        return counting


def _begin_ns(inference: Inference, since_ns: int | None) -> int:
    """When an inference began; its age rests on two clocks, and may be anything."""
    age_s, most_s = inference.age_s, ranges.HOUR_S if since_ns is None else since_ns / 1e9
    return inference.stamp_ns + (round(age_s * 1e9) if 0.0 <= age_s <= most_s else 0)


def _note(process: _Process, begun_ns: int) -> None:
    place = bisect.bisect_left(process.begun_ns, begun_ns)
    if place == len(process.begun_ns) or process.begun_ns[place] != begun_ns:
        process.begun_ns.insert(place, begun_ns)
        del process.begun_ns[:-_KEPT]


def _longest_silence(begun_ns: list[int], begin_ns: int, end_ns: int) -> tuple[int, int]:
    """Return the longest time without a slot that began in an interval, and when it ended [ns]."""
    first = bisect.bisect_left(begun_ns, begin_ns)
    within = begun_ns[first:bisect.bisect_left(begun_ns, end_ns) + 1]
    times = [*within, end_ns] if not within or within[-1] < end_ns else within
    return max(((after - before, after) for before, after in pairwise(times)),
               default=(0, end_ns))
