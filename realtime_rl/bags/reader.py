"""A recorded run as typed records, from a bag of any storage, whole or cut off."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime_rl.bags import messages
from realtime_rl.bags.messages import Observed
from realtime_rl.bags.storage import (
    Bag,
    DamagedBagError,
    RawMessage,
    open_as_written,
    open_bag,
    recover_bag,
)
from realtime_rl.core import records, wire
from realtime_rl.core.accounting import TOPICS, RunRecords
from realtime_rl.core.errors import BagError, choices
from realtime_rl.core.records import Timestep
from realtime_rl.core.statistics import plant_lives

Progress = Callable[[int, int | None], None]
"""Told how many messages were read, and of how many where that is known."""

_KINDS: Mapping[str, type] = {
    "timestep": records.Timestep, "verdict": records.Verdict, "inference": records.Inference,
    "schedule": records.ScheduleRecord, "learning": records.Learning}
_REPORT_EVERY = 2000
_SET_BACK = ("the recorder's clock was set back while it recorded: messages are read in the order "
             "of their writing")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A policy that the learner announced."""

    receive_ns: int
    uri: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a bag tells of one plant and its workers."""

    path: Path
    namespace: str
    """Of its topics, as `/robot1`; empty for none."""
    records: RunRecords
    policies: tuple[Announcement, ...]
    observations: int
    """How many were recorded; `observations_of` reads them."""
    start_ns: int
    """When the first message was recorded [ns since the epoch]."""
    warnings: tuple[str, ...]
    recovered: bool
    """It is read in the order of its writing, without its index; `warnings` says why."""


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    found: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _KINDS})
    policies: list[Announcement] = field(default_factory=list)
    observations: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    first_error: dict[str, str] = field(default_factory=dict)
    first_ns: int | None = None
    last_ns: int = 0
    elapsed_ns: int = 0
    """Between the first message and the last, also where the recorder's clock was set back."""

    def take(self, name: str, message: RawMessage) -> None:
        """Decode one message; those that cannot be are counted."""
        if self.first_ns is None:
            self.first_ns = self.last_ns = message.receive_ns
        self.elapsed_ns += max(0, message.receive_ns - self.last_ns)
        self.last_ns = message.receive_ns
        try:
            if name == "policy":
                uri = messages.text_from_cdr(message.cdr)
                self.policies.append(Announcement(message.receive_ns, uri))
            elif name == "observation":
                self.observations += 1
            elif name in _KINDS:
                scalars = messages.scalars_from_cdr(message.cdr)
                self.found[name].append(wire.decode(_KINDS[name], scalars))
        except wire.WireError as error:
            self.unreadable[message.topic] += 1
            self.first_error.setdefault(message.topic, str(error))

    def warnings(self) -> list[str]:
        """What could not be read, a line a topic."""
        return [f"{count} message(s) of {topic!r} could not be read; the first: "
                f"{self.first_error[topic]}" for topic, count in self.unreadable.items()]


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
    try:
        run = _read(path, bag, namespace, progress)
    except DamagedBagError as error:
        return _read(path, recover_bag(path, error), namespace, progress)
    if run.recovered or not _disordered(run.records.timesteps):
        return run
    written = open_as_written(path, _SET_BACK)
    return run if written is None else _read(path, written, namespace, progress)


def _disordered(steps: Sequence[Timestep]) -> bool:
    """Whether the order of the log tells of restarts that the ticks' own stamps do not."""
    lives = plant_lives(steps)
    if len(lives) == 1:
        return False
    by_stamp = plant_lives(sorted(steps, key=lambda step: step.stamp_ns))
    return len(by_stamp) < len(lives) and sum(map(len, by_stamp)) == sum(map(len, lives))


def observations_of(run: Run) -> Iterator[Observed]:
    """Decode a run's observations, in order; those that cannot be decoded are left out.

    Raises:
        BagError: the bag is not there any more, or broken in the middle.
    """
    problem = DamagedBagError("its index is broken")
    bag = recover_bag(run.path, problem) if run.recovered else open_bag(run.path)
    for message in bag.messages({f"{run.namespace}/observation"}):
        try:
            yield messages.observed_from_cdr(message.cdr, message.type, message.receive_ns)
        except wire.WireError:
            continue


def _read(path: Path, bag: Bag, namespace: str | None, progress: Progress | None) -> Run:
    chosen = _namespace(bag.topics, namespace, path)
    names = {f"{chosen}/{name}": name for name in (*_KINDS, "policy", "observation")}
    present = {topic: name for topic, name in names.items() if topic in bag.topics}
    # every topic is read, and so counts for the duration, as in `ros2 bag info`
    reading = _Reading()
    for index, message in enumerate(bag.messages(bag.topics)):
        reading.take(present.get(message.topic, ""), message)
        if progress is not None and index % _REPORT_EVERY == 0:
            progress(index, bag.count)
    if not reading.found["timestep"]:
        raise BagError("; ".join([f"{str(path)!r} holds no timestep that could be read on "
                                  f"'{chosen}/timestep'", *reading.warnings()]))
    found = reading.found
    recorded = RunRecords(
        timesteps=tuple(found["timestep"]), verdicts=tuple(found["verdict"]),
        inferences=tuple(found["inference"]), schedules=tuple(found["schedule"]),
        learnings=tuple(found["learning"]),
        announced=tuple(policy.uri for policy in reading.policies),
        topics=frozenset(present.values()) & frozenset(TOPICS),
        duration_s=reading.elapsed_ns / 1e9)
    return Run(path, chosen, recorded, tuple(reading.policies), reading.observations,
               reading.first_ns or 0, (*bag.warnings, *reading.warnings()), bag.recovered)


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
