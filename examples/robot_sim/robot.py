"""What the process needs of a robot, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from examples.robot_sim.physics import Values

_AWAY, _HOME = 0.2, 1e-3
"""Farther from its start, and nearer, a robot is away and at home [rad]."""
_STAYS_S = 0.2
"""At home so long, a robot has come back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message is made for."""

    stamp: Any
    """A builtin_interfaces.msg.Time."""
    topics: frozenset[str]
    """Those of the source's that somebody listens to."""
    half_size: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Something that is published at a rate of its own, on one or more topics."""

    name: str
    topics: dict[str, type]
    rate_hz: float
    make: Callable[[Asked], dict[str, Any]]
    """Messages by topic."""
    sensor: bool = True
    """Best effort, where the robot's sensors are."""
    lazy: bool = False
    """Made only when somebody listens."""


@dataclass(frozen=True, slots=True)
class Received:
    """A command as it was received."""

    names: Sequence[str]
    values: Sequence[float]
    stamp_ns: int
    """0 where it has none."""
    problem: str
    """Why it is ignored."""


@dataclass(frozen=True, slots=True)
class CommandTopic:
    """A topic on which the robot is commanded."""

    topic: str
    type: type
    take: Callable[[Any, int, int], Received]
    """Of message, now [ns since the start] and the robot's clock [ns]."""
    controller: str
    """The node that takes them, as ros2_control has one for each controller."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """What that node says of itself."""


class Robot(Protocol):
    """A robot in its world; nothing in it waits."""

    sources: tuple[Source, ...]
    commands: tuple[CommandTopic, ...]
    joints: tuple[str, ...]
    target: Target
    step_s: float
    """The least by which its physics advances."""

    def step(self, now_ns: int, count: int) -> None:
        """Advance by so many steps of its physics."""

    def state(self, now_ns: int) -> dict[str, list[float]]:
        """Return position, velocity and setpoint of its joints."""

    def begin_reset(self, now_ns: int) -> None:
        """Begin to go back to where it starts; commands are ignored until it is there."""

    @property
    def resetting(self) -> bool:
        """Whether it is on its way back."""


@dataclass(slots=True)
class Target:
    """A place that is to be reached, and a new one a while after it was."""

    frame: str
    draw: Callable[[np.random.Generator], Values]
    tolerance_m: float
    renew_s: float
    """How long after it was reached a new one is drawn; 0: never by itself."""
    random: np.random.Generator
    renew_home: bool = False
    """A new one is drawn when the robot has come back to where it starts."""
    patience_s: float = 0.0
    """How long one that is not reached stays; 0: for ever."""
    place: Values = field(init=False)
    distance_m: float = field(init=False, default=0.0)
    reached: bool = field(init=False, default=False)
    _since_ns: int = field(init=False, default=-1)
    _home_ns: int = field(init=False, default=-1)
    _away: bool = field(init=False, default=False)
    _drawn_ns: int = field(init=False, default=-1)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.place = self.draw(self.random)
        self.reached, self._since_ns, self._away, self._drawn_ns = False, -1, False, -1

    def look(self, place: Values, now_ns: int) -> None:
        """Compare where the robot is with where it is to be."""
        self.distance_m = float(np.linalg.norm(place - self.place))
        self.reached = self.distance_m < self.tolerance_m
        if self._drawn_ns < 0:
            self._drawn_ns = now_ns
        if self.reached and self._since_ns < 0:
            self._since_ns = now_ns
        begin_ns, limit_s = ((self._drawn_ns, self.patience_s) if self._since_ns < 0
                             else (self._since_ns, self.renew_s))
        if limit_s and now_ns - begin_ns >= limit_s * 1e9:
            self.renew()

    def commanded(self, distance: float, now_ns: int) -> None:
        """Take how far from its start the robot is told to be [rad]."""
        self._away = self._away or distance > _AWAY
        if not self._away or distance > _HOME:
            self._home_ns = -1
        elif self._home_ns < 0:
            self._home_ns = now_ns
        elif now_ns - self._home_ns >= _STAYS_S * 1e9:
            self._away, self._home_ns = False, -1
            if self.renew_home:
                self.renew()
