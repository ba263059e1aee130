"""What an inference's record can say: anyone on the network can write one.

A false record that passes still has to be of a worker that exists and was idle, of the process in
which it lives, on a tick that the plant has published, and no longer than since then.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping

from realtime_rl.core.messages.records import Inference
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.core.schedule.stagger import Schedule

_AHEAD_TICKS = 2
"""A record may come before the tick that it is on: they take different ways."""
_SLACK_NS = 100_000_000
_LONG_AGO_NS = 5_000_000_000
"""A record comes when its action has left; this is more than it can be on its way."""
_REMEMBERED_NS = 30_000_000_000
"""What a worker began: longer than any record that counts reaches back, but for absurd delays."""


class Plausibility:
    """Says what is impossible about a record."""

    def __init__(self, workers: int, processes: tuple[str, ...], period_ns: int) -> None:
        """Know who there is: worker `w` lives in process number `w % len(processes)`."""
        self._workers = workers
        self._processes = processes
        self._slack_ns = _SLACK_NS + 2 * period_ns
        self._period_ns = period_ns
        self._began: dict[int, list[int]] = {}
        """Stamps of the newest inferences of each worker, sorted."""

    def problem(self, inference: Inference, announced: Mapping[int, Schedule], plant: PlantView,
                now_ns: int) -> str | None:
        """Say why a record cannot be true; `None`, and it is remembered, where it can.

        Args:
            inference: the record.
            announced: the schedules that processes may follow, by generation.
            plant: where the plant stands; where it is not known, no time is checked.
            now_ns: the time, on the clock that `plant` was told.
        """
        problem = (self._stranger(inference, announced)
                   or (self._out_of_time(inference, announced, plant, now_ns)
                       if plant.known else None)
                   or self._elsewhere(inference))
        if problem is None and inference.worker >= 0:
            began = self._began.setdefault(inference.worker, [])
            bisect.insort(began, inference.stamp_ns)
            if began[-1] - began[0] > 2 * _REMEMBERED_NS:
                del began[:bisect.bisect_left(began, began[-1] - _REMEMBERED_NS)]
        return problem

    def restarted(self) -> None:
        """The plant counts its ticks anew."""
        self._began.clear()

    def _stranger(self, inference: Inference, announced: Mapping[int, Schedule]) -> str | None:
        names, worker = self._processes, inference.worker
        if names and inference.node not in names:
            return f"{inference.node!r} is no inference node"
        if worker >= self._workers:
            return f"there is no worker {worker}, only {self._workers}"
        if worker < 0:
            return None
        if names and names[worker % len(names)] != inference.node:
            return f"worker {worker} does not live in {inference.node}"
        schedule = announced.get(inference.generation)
        # the first worker of a process may be on trial
        if schedule is not None and worker not in schedule.active and worker >= len(names):
            return f"worker {worker} has no slots in generation {inference.generation}"
        return None

    def _out_of_time(self, inference: Inference, announced: Mapping[int, Schedule],
                     plant: PlantView, now_ns: int) -> str | None:
        since_ns = plant.since_ns(inference.stamp_ns, now_ns)
        taken_ns = (round(inference.duration_s * 1e9) if math.isfinite(inference.duration_s)
                    else 0)
        if inference.tick > plant.reach(now_ns) + _AHEAD_TICKS or since_ns < -self._slack_ns:
            return f"tick {inference.tick} is to come, the plant is at {plant.tick}"
        if taken_ns > since_ns + self._slack_ns:
            return (f"it took {taken_ns / 1e9:.3g} s, its observation is {since_ns / 1e9:.3g} s "
                    "old")
        schedule = announced.get(inference.generation)
        held_ns = self._period_ns * schedule.promised_delay_ticks if schedule else 0
        if since_ns > taken_ns + held_ns + _LONG_AGO_NS:
            late_s = (since_ns - taken_ns) / 1e9
            return (f"tick {inference.tick} is heard of {late_s:.3g} s late, the plant is at "
                    f"{plant.tick}: of another run, or this machine is too busy")
        return None

    def _elsewhere(self, inference: Inference) -> str | None:
        """A worker infers one thing at a time: what it began meanwhile shows that it was idle."""
        if inference.worker < 0 or not math.isfinite(inference.duration_s):
            return None
        begin_ns = inference.stamp_ns
        end_ns = begin_ns + round(inference.duration_s * 1e9) - self._slack_ns
        began = self._began.get(inference.worker, [])
        following = bisect.bisect_right(began, begin_ns)
        if following < len(began) and began[following] < end_ns:
            return (f"worker {inference.worker} was busy for {inference.duration_s:.3g} s, and "
                    "began others meanwhile")
        return None
