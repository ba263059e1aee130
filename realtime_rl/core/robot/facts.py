"""What was found out about a robot by listening to it for some seconds: plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Somebody who publishes on a topic, or subscribes to it."""

    node: str
    """Its full name."""
    type: str
    reliability: str = "reliable"
    problem: str = ""
    """Why it and the robot node would not find each other; empty: they do."""


@dataclass(slots=True)
class Heard:
    """What came from a source."""

    received_ns: list[int] = field(default_factory=list)
    """When each message was received, also those that were refused."""
    behind_ns: list[int] = field(default_factory=list)
    """How long before its reception each was stamped, where it was."""
    refused: dict[str, int] = field(default_factory=dict)
    """Why messages were, and how many."""
    names: set[tuple[str, ...]] = field(default_factory=set)
    """What messages that call their values by name had."""
    repeated: int = 0
    """Messages in a row that said the same, the newest among them."""
    ages: list[float] = field(default_factory=list)
    """At the ticks [s]."""
    least: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Of each of the policy's values, scaled and not clamped."""
    most: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    newest: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    picture: NDArray[np.uint8] | None = None
    """The newest one, as the policy sees it."""

    _patterns: dict[str, str] = field(default_factory=dict)

    def refuse(self, why: str) -> None:
        """Count a refusal; those that differ in numbers only are one."""
        said = self._patterns.setdefault(re.sub(r"[\d.]+", "", why), why)
        self.refused[said] = self.refused.get(said, 0) + 1

    def note(self, scaled: NDArray[np.float64], age: float) -> None:
        """Take what a tick would have shown."""
        if not age >= -np.inf:  # NaN: not heard yet
            return
        self.ages.append(age)
        if scaled.size:
            self.newest = scaled
            self.least = np.minimum(self.least, scaled) if self.least.size else scaled
            self.most = np.maximum(self.most, scaled) if self.most.size else scaled


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it."""

    seconds: float
    reach: str
    """From where robots can be heard, in words."""
    namespace: str
    """Of the contract's topics that do not begin with `/`."""
    published: Mapping[str, Sequence[str]]
    """Types of each topic that somebody else publishes."""
    taken: Mapping[str, Sequence[str]]
    """Types of each topic that somebody else listens to."""
    publishers: Mapping[str, Sequence[Endpoint]]
    """Of each of the contract's topics, others than this process."""
    subscribers: Mapping[str, Sequence[Endpoint]]
    heard: Mapping[str, Heard]
    """By source."""
    missing: Mapping[str, str]
    """Sources that did not say all that the policy sees, and in words what is missing."""
    positions: Mapping[str, float]
    """Of commanded elements, measured."""
    controllers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Parameters of those who listen to commands, by the node's name."""
    mute: Sequence[str] = ()
    """Of those, who did not answer when they were asked for their parameters."""

    def full(self, topic: str) -> str:
        """Return a topic's full name."""
        return topic if topic.startswith("/") else f"{self.namespace.rstrip('/')}/{topic}"


@dataclass(frozen=True, slots=True)
class Told:
    """A topic that a robot publishes."""

    topic: str
    type: str
    reliability: str
    every_s: float
    """Between two messages [s]; 0: no two came."""
    message: Any
    """The newest one; `None`: none came."""
    names: tuple[str, ...] = ()
    """What its messages call their values, all of them together."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A topic on which a robot takes commands."""

    topic: str
    type: str
    node: str
    parameters: Mapping[str, object]
    """What the node says of itself."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is, of the types that contracts know."""

    told: Sequence[Told]
    taken: Sequence[Taken]
    reach: str
