"""What was read of a bag so far: its records by kind, and what of it could not be read."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from realtime_rl.bags.bulk import Records
from realtime_rl.bags.messages import IMAGE, Observed, observed_from_cdr, text_from_cdr
from realtime_rl.bags.robot_contract import names_in
from realtime_rl.bags.storage_files import RawMessage
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.figures.robot_figures import NAMELESS
from realtime_rl.core.figures.sample import Sample
from realtime_rl.core.messages import observation_wire, wire
from realtime_rl.core.messages.records import (
    Inference,
    Learning,
    RobotRecord,
    ScheduleRecord,
    Timestep,
    Verdict,
)

_MOST_SEEN = 12
"""Pictures of a part that are kept."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A policy that the learner announced."""

    receive_ns: int
    uri: str


class Reading:
    """What was read so far."""

    def __init__(self) -> None:
        """Begin without any."""
        self.timesteps = Records(Timestep)
        self.verdicts = Records(Verdict)
        self.inferences = Records(Inference)
        self.schedules = Records(ScheduleRecord)
        self.learnings = Records(Learning)
        self.robots = Records(RobotRecord)
        self.robot_names = NAMELESS
        self._kinds: dict[str, Records[Any]] = {
            "timestep": self.timesteps, "verdict": self.verdicts, "inference": self.inferences,
            "schedule": self.schedules, "learning": self.learnings, "robot": self.robots}
        self.ticks_came_ns = array("q")
        self.policies: list[Announcement] = []
        self.observations: Counter[str] = Counter()
        """By part."""
        self._seen: dict[str, Sample[RawMessage]] = {}
        self._errors: dict[str, list[tuple[int, str]]] = {"policy": [], "contract": []}
        self._first_ns: int | None = None
        self._last_ns = 0
        self._elapsed_ns = 0
        self._count = 0

    def take(self, name: str, message: RawMessage) -> None:
        """Take in one message; what cannot be decoded is counted."""
        receive_ns = message.receive_ns
        if self._first_ns is None:
            self._first_ns = self._last_ns = receive_ns
        if receive_ns > self._last_ns:
            self._elapsed_ns += receive_ns - self._last_ns
        self._last_ns = receive_ns
        self._count += 1
        if name == "timestep":
            self.ticks_came_ns.append(receive_ns)
        if name in self._kinds:
            self._kinds[name].take(message.cdr, self._count)
        elif name in self._errors:
            try:
                self._take_text(name, receive_ns, text_from_cdr(message.cdr))
            except (wire.WireError, ConfigError) as error:
                self._errors[name].append((self._count, str(error)))
        elif (part := observation_wire.part_of(name)) is not None:
            self.observations[part] += 1
            if message.type == IMAGE:
                self._seen.setdefault(part, Sample(_MOST_SEEN)).offer(message)

    def seen(self) -> Iterator[tuple[str, Observed]]:
        """Decode some of the pictures, part by part; what cannot be decoded is left out."""
        for part, messages in self._seen.items():
            for message in messages:
                with suppress(wire.WireError):
                    yield part, observed_from_cdr(message.cdr, message.type, message.receive_ns)

    def _take_text(self, name: str, receive_ns: int, text: str) -> None:
        if name == "policy":
            self.policies.append(Announcement(receive_ns, text))
        else:
            self.robot_names = names_in(text)

    @property
    def start_ns(self) -> int:
        """When the first message was recorded; 0: there is none."""
        return self._first_ns or 0

    @property
    def duration_s(self) -> float:
        """Between the first message and the last, also where the recorder's clock was set back."""
        return self._elapsed_ns / 1e9

    def warnings(self, topic: Callable[[str], str]) -> list[str]:
        """What could not be read, a line a topic."""
        refused = [(*records.first_error, records.refused, name)
                   for name, records in self._kinds.items() if records.first_error is not None]
        refused += [(*errors[0], len(errors), name)
                    for name, errors in self._errors.items() if errors]
        return [f"{count} message(s) of {topic(name)!r} could not be read; the first: {error}"
                for _, error, count, name in sorted(refused)]
