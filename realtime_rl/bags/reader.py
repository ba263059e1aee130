"""A recorded run as typed records, from a bag of any storage, whole or cut off."""

from __future__ import annotations

import heapq
import posixpath
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

from realtime_rl.bags.messages import Observed, observed_from_cdr
from realtime_rl.bags.parts import WrittenBag
from realtime_rl.bags.reading import Announcement, Reading
from realtime_rl.bags.storage import Bag, DamagedBagError, open_bag, recover_bag
from realtime_rl.core.errors import BagError, choices
from realtime_rl.core.figures.accounting import ROBOT_TOPICS, TOPICS, RunRecords
from realtime_rl.core.figures.ordering import began_together, disordered, ordered
from realtime_rl.core.figures.statistics import plant_sessions
from realtime_rl.core.messages import observation_wire, wire

Progress = Callable[[int, int | None], None]
"""Told how many messages were read, and of how many where that is known."""

_REPORT_EVERY = 2000
_MOST_SEQUENCES = 16
_SET_BACK = ("the recorder's clock was set back while it recorded, or its files are in another "
             "order: what the records say of their order is what counts")


@dataclass(frozen=True, slots=True)
class Run:
    """What a bag tells of one plant and its workers."""

    path: Path
    namespace: str
    """Of its topics, as `/robot1`; empty for none."""
    records: RunRecords
    policies: tuple[Announcement, ...]
    observations: int
    """How many were recorded, of the part with the fewest; `observations_of` reads them."""
    start_ns: int
    """When the first message was recorded [ns since the epoch]."""
    warnings: tuple[str, ...]
    recovered: bool
    """It is read in the order of its writing, without its index; `warnings` says why."""
    reordered: bool = False
    """The bag is not in order: its records here are, its messages are not."""
    parts: tuple[str, ...] = ()
    """Of the observations; '' for the one of `observation`."""
    seen: tuple[tuple[str, Observed], ...] = ()
    """Some of the pictures, evenly over the run, each with its part."""


def read_run(path: Path, namespace: str | None = None, progress: Progress | None = None) -> Run:
    """Read a run.

    Args:
        path: a rosbag2 folder, or one MCAP or SQLite file.
        namespace: whose topics to read; needed only when the bag holds several robots'.
        progress: told from time to time how far the reading is.

    Raises:
        BagError: not a bag, no timesteps in it, or no such namespace.
    """
    bag = open_bag(path)
    problem: DamagedBagError | None = None
    try:
        run = _read(path, bag, namespace, progress)
    except DamagedBagError as error:
        problem = error.with_traceback(None)  # which holds what was read so far
    if problem is not None:
        run = _read(path, recover_bag(path, problem), namespace, progress)
    if not run.recovered and disordered(run.records):
        del run  # memory holds either
        run = _read(path, WrittenBag(path), namespace, progress)
        run = replace(run, warnings=(_SET_BACK, *run.warnings))
    if disordered(run.records):
        # a bag that was converted is written in the order of the wrong clock
        run = replace(run, records=ordered(run.records), reordered=True,
                      warnings=tuple(dict.fromkeys((_SET_BACK, *run.warnings))))
    return run


def observations_of(run: Run, part: str = "") -> Iterator[Observed]:
    """Decode a part of a run's observations, in order; what cannot be decoded is left out.

    Raises:
        BagError: the bag is not there any more, or broken in the middle.
    """
    if not run.reordered:
        return _recorded(run, part)
    # hours of pictures do not fit into memory: the bag is gone through once for each sequence of
    # rising stamps
    ends_ns: list[int] = []
    sequences = bytearray()
    for observed in _recorded(run, part):
        at = next((at for at, end_ns in enumerate(ends_ns) if end_ns <= observed.stamp_ns),
                  min(len(ends_ns), _MOST_SEQUENCES - 1))
        ends_ns[at:at + 1] = [observed.stamp_ns]
        sequences.append(at)
    return heapq.merge(*(compress(_recorded(run, part), map(at.__eq__, sequences))
                         for at in range(len(ends_ns))), key=lambda observed: observed.stamp_ns)


def _recorded(run: Run, part: str) -> Iterator[Observed]:
    """Decode a part of the observations in the order of the bag."""
    problem = DamagedBagError("its index is broken")
    bag = recover_bag(run.path, problem) if run.recovered else open_bag(run.path)
    topic = "/".join(filter(None, (f"{run.namespace}/{observation_wire.TOPIC}", part)))
    for message in bag.messages({topic}):
        try:
            yield observed_from_cdr(message.cdr, message.type, message.receive_ns)
        except wire.WireError:
            continue


def _read(path: Path, bag: Bag, namespace: str | None, progress: Progress | None) -> Run:
    chosen = _namespace(bag.topics, namespace, path)
    names = {topic: topic.removeprefix(f"{chosen}/") for topic in bag.topics}
    present = {topic: name for topic, name in names.items()
               if name in (*TOPICS, *ROBOT_TOPICS)
               or observation_wire.part_of(name) is not None}
    # every topic is read, and so counts for the duration, as in `ros2 bag info`
    reading = Reading()
    for index, message in enumerate(bag.messages(bag.topics)):
        reading.take(present.get(message.topic, ""), message)
        if progress is not None and index % _REPORT_EVERY == 0:
            progress(index, bag.count)
    recorded = RunRecords(
        timesteps=reading.timesteps.table(), verdicts=reading.verdicts.table(),
        inferences=reading.inferences.table(), schedules=tuple(reading.schedules.table()),
        learnings=tuple(reading.learnings.table()),
        announced=tuple(policy.uri for policy in reading.policies),
        robots=reading.robots.table(), robot_names=reading.robot_names,
        topics=frozenset(present.values()) & frozenset(TOPICS), duration_s=reading.duration_s)
    reordered = (disordered(recorded) and not reading.timesteps.refused
                 and began_together(recorded.columns().timesteps, reading.ticks_came_ns))
    if reordered:
        recorded = replace(ordered(recorded), duration_s=recorded.duration_s)
    several = len(bag.series) > 1 and len(plant_sessions(recorded.timesteps)) > 1
    mixed = bag.series if several else []
    if mixed:
        raise BagError(f"{str(path)!r} holds the files of several bags, {choices(mixed)}; name one "
                       "file, or give each bag a folder of its own")
    warnings = reading.warnings(lambda name: f"{chosen}/{name}")
    if not recorded.timesteps:
        raise BagError("; ".join([f"{str(path)!r} holds no timestep that could be read on "
                                  f"'{chosen}/timestep'", *warnings]))
    seen = reading.observations
    return Run(path, chosen, recorded, tuple(reading.policies), min(seen.values(), default=0),
               reading.start_ns, (*bag.warnings, *warnings), bag.recovered, reordered, tuple(seen),
               tuple(reading.seen()))


def _namespace(topics: Collection[str], wanted: str | None, path: Path) -> str:
    """Return the namespace to read, without a slash at its end."""
    present = [posixpath.dirname(topic).rstrip("/") for topic in topics
               if posixpath.basename(topic) == "timestep"]
    if not present:
        raise BagError(f"{str(path)!r} has no topic 'timestep', so it is not of a realtime_rl "
                       f"run; its topics: {choices(topics) or 'none'}")
    if wanted is not None:
        chosen = "/" + wanted.strip("/") if wanted.strip("/") else ""
        if chosen not in present:
            raise BagError(f"{str(path)!r} has no namespace {wanted!r}; it has "
                           f"{choices(name or '/' for name in present)}")
        return chosen
    if len(present) > 1:
        raise BagError(f"{str(path)!r} holds several runs; choose with --namespace: "
                       f"{choices(name or '/' for name in present)}")
    return present[0]
