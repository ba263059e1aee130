"""Faults on request: what happens to which message, by time. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from examples.robot_sim.errors import SimulatorError

OF_SOURCES = {
    "silent": "nothing is published",
    "gone": "its publisher is destroyed",
    "frozen": "the same values or picture again and again, with new stamps",
    "old": "stamped two seconds back",
    "slow": "every second message only",
    "lost": "three of ten messages are lost, at random",
    "nan": "its first number is not a number",
    "size": "the picture is half as wide and high",
    "unit": "it says degrees for radians, millimetres for metres",
}
OF_ROBOT = {
    "estop": "the emergency stop is pressed",
    "released": "the dead man's button is released",
    "clock": "all stamps are five seconds back",
    "deaf": "no command is received",
    "mark": "nothing: a note in the log, of what somebody else does",
}
OLD_S, CLOCK_S, LOST = 2.0, 5.0, 0.3
_GRAMMAR = re.compile(r"(\w+)(?:=([\w-]+))?(?:@([\d.]+))?(?::([\d.]+))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, from `begin_s` to before `end_s`, in seconds since the start."""

    kind: str
    source: str
    begin_s: float
    end_s: float

    def holds(self, now_s: float) -> bool:
        return self.begin_s <= now_s < self.end_s

    def __str__(self) -> str:
        return f"{self.kind}={self.source}" if self.source else self.kind


def parse(text: str, sources: tuple[str, ...], now_s: float = 0.0) -> Fault:
    """Read `KIND[=SOURCE][@BEGIN][:DURATION]`; without BEGIN now, without DURATION for ever."""
    match = _GRAMMAR.fullmatch(text.strip())
    if match is None:
        raise SimulatorError(f"fault {text!r}: write it like 'silent=joints@10:2' or 'estop@5'")
    kind, source, begin, duration = match.groups()
    if kind not in (*OF_SOURCES, *OF_ROBOT):
        raise SimulatorError(f"fault {kind!r} is not one of {', '.join((*OF_SOURCES, *OF_ROBOT))}")
    if kind in OF_SOURCES and source not in sources:
        raise SimulatorError(f"fault {text!r}: {source!r} is not one of {', '.join(sources)}")
    if kind in OF_ROBOT and kind != "mark" and source:
        raise SimulatorError(f"fault {text!r}: {kind!r} is one of the whole robot, without '='")
    begin_s = now_s if begin is None else _number(begin, text)
    lasts_s = math.inf if duration is None else _number(duration, text)
    return Fault(kind, source or "", begin_s, begin_s + lasts_s)


def _number(word: str, text: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise SimulatorError(f"fault {text!r}: {word!r} is not a number of seconds") from error


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of one message of a source."""

    sent: bool = True
    frozen: bool = False
    gone: bool = False
    back_s: float = 0.0
    nan: bool = False
    unit: bool = False
    half_size: bool = False


class Faults:
    """Which faults there are, and what they do to the messages of each source."""

    def __init__(self, faults: list[Fault], seed: int) -> None:
        self._faults = list(faults)
        self._begun: set[Fault] = set()
        self._random = np.random.default_rng(seed)
        self._counts: dict[str, int] = {}

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self, text: str = "") -> None:
        """End all faults, or those that are written so."""
        self._faults = [fault for fault in self._faults if text not in ("", str(fault))]

    def holds(self, kind: str, now_s: float, source: str = "") -> bool:
        """Whether a fault of this kind, of the source where it has one, holds."""
        return any(fault.kind == kind and fault.source == source and fault.holds(now_s)
                   for fault in self._faults)

    def changes(self, now_s: float) -> list[tuple[Fault, bool]]:
        """Return what has begun (True) or ended since the last call."""
        current = {fault for fault in self._faults if fault.holds(now_s)}
        changed = [(fault, True) for fault in self._faults if fault in current - self._begun]
        changed += [(fault, False) for fault in self._begun - current]
        self._begun = current
        return changed

    def clock_s(self, now_s: float) -> float:
        """Return how far all stamps are set back."""
        return CLOCK_S if self.holds("clock", now_s) else 0.0

    def treat(self, source: str, now_s: float) -> Treatment:
        """Say what becomes of the message that `source` would publish now."""
        count = self._counts[source] = self._counts.get(source, -1) + 1
        kinds = {fault.kind for fault in self._faults
                 if fault.source == source and fault.holds(now_s)}
        lost = "lost" in kinds and self._random.random() < LOST
        return Treatment(
            sent=not ({"silent", "gone"} & kinds or lost or ("slow" in kinds and count % 2)),
            frozen="frozen" in kinds, gone="gone" in kinds,
            back_s=OLD_S * ("old" in kinds) + self.clock_s(now_s),
            nan="nan" in kinds, unit="unit" in kinds, half_size="size" in kinds)
