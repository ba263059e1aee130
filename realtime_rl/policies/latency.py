"""An emulated accelerator: how long an inference is made to take.

Write a kind, its mean, then options: `none`, `constant:95ms`, `normal:215ms,std=10ms`,
`lognormal:215ms,cv=0.05`, or `trace:FILE` with measured durations. Every kind but `none` takes
`outliers=0.01x3` (one inference in a hundred takes three times as long) and `contention=0.15`
(15 % longer for each other inference in flight, as on one GPU that workers share).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.files import user_path
from realtime_rl.policies.latency_text import (
    body_and_options,
    duration_ns,
    duration_text,
    number,
    number_text,
)
from realtime_rl.policies.latency_trace import read_trace


class Latency(ABC):
    """A distribution of durations. `str()` gives the text that `parse` reads."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Draw one duration [ns], 0 or more.

        Args:
            rng: where chance comes from.
            in_flight: inferences that the accelerator works on, this one included.
        """

    def slowdown(self, in_flight: float) -> float:
        """Return how many times longer an inference takes than alone."""
        del in_flight
        return 1.0

    @staticmethod
    def parse(text: str) -> Latency:
        """Read a latency; `ConfigError` names the kind, value or option, and what is allowed."""
        kind, _, rest = text.strip().partition(":")
        if kind not in KINDS:
            raise ConfigError(f"latency {text!r}: kind {kind!r} is not one of {choices(KINDS)}")
        try:
            body, options = body_and_options(rest)
            _check_options(kind, options)
            own = {name: options[name] for name in KINDS[kind][1]}
            latency = KINDS[kind][0](body, *own.values())
            for name, modify in _MODIFIERS.items():
                if name in options:
                    latency = modify(latency, options[name])
        except ValueError as error:
            raise ConfigError(f"latency {text!r}: {error}") from error
        return latency


@dataclass(frozen=True, slots=True)
class NoLatency(Latency):
    """Nothing is emulated: an inference takes what it takes."""

    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Return 0."""
        return 0

    def __str__(self) -> str:
        """Write it as `none`."""
        return "none"


@dataclass(frozen=True, slots=True)
class Constant(Latency):
    """Every inference takes the same time."""

    mean_ns: int

    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Return the duration [ns]."""
        return self.mean_ns

    def __str__(self) -> str:
        """Write it as `constant:95ms`."""
        return f"constant:{duration_text(self.mean_ns)}"


@dataclass(frozen=True, slots=True)
class Normal(Latency):
    """Normally distributed durations; none is negative."""

    mean_ns: int
    std_ns: int

    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Draw a duration [ns]."""
        return max(0, round(rng.normal(self.mean_ns, self.std_ns)))

    def __str__(self) -> str:
        """Write it as `normal:215ms,std=10ms`."""
        return f"normal:{duration_text(self.mean_ns)},std={duration_text(self.std_ns)}"


@dataclass(frozen=True, slots=True)
class Lognormal(Latency):
    """Lognormal durations, given by their mean and their coefficient of variation."""

    mean_ns: int
    cv: float
    """Standard deviation over mean."""

    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Draw a duration [ns]."""
        variance = math.log1p(self.cv**2)
        location = math.log(self.mean_ns) - variance / 2
        return round(rng.lognormal(location, math.sqrt(variance)))

    def __str__(self) -> str:
        """Write it as `lognormal:215ms,cv=0.05`."""
        return f"lognormal:{duration_text(self.mean_ns)},cv={number_text(self.cv)}"


@dataclass(slots=True)
class Trace(Latency):
    """Durations that were measured somewhere, in their order, over and over."""

    path: str
    durations_ns: tuple[int, ...]
    _next: int = field(default=0, init=False, repr=False, compare=False)

    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Return the next duration [ns]."""
        duration = self.durations_ns[self._next]
        self._next = (self._next + 1) % len(self.durations_ns)
        return duration

    def __str__(self) -> str:
        """Write it as `trace:FILE`."""
        return f"trace:{self.path}"


@dataclass(frozen=True, slots=True)
class Outliers(Latency):
    """Now and then an inference takes several times as long."""

    usual: Latency
    probability: float
    factor: float

    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Draw a duration [ns]."""
        duration = self.usual.sample(rng, in_flight)
        return round(duration * self.factor) if rng.random() < self.probability else duration

    def __str__(self) -> str:
        """Write it as `constant:95ms,outliers=0.01x3`."""
        return f"{self.usual},outliers={number_text(self.probability)}x{number_text(self.factor)}"


@dataclass(frozen=True, slots=True)
class Contention(Latency):
    """An accelerator that the inferences in flight share: each slows the others down."""

    alone: Latency
    share: float
    """How much longer an inference takes for every other one in flight, of its duration alone."""

    def sample(self, rng: np.random.Generator, in_flight: int = 1) -> int:
        """Draw a duration [ns]."""
        return round(self.alone.sample(rng) * self.slowdown(in_flight))

    def slowdown(self, in_flight: float) -> float:
        """See `Latency`."""
        return 1.0 + self.share * (max(in_flight, 1.0) - 1.0)

    def __str__(self) -> str:
        """Write it as `constant:20ms,contention=0.15`."""
        return f"{self.alone},contention={number_text(self.share)}"


def _none(duration: str) -> Latency:
    if duration:
        raise ValueError("'none' takes no duration")
    return NoLatency()


def _normal(duration: str, std: str) -> Latency:
    mean_ns, std_ns = duration_ns(duration), duration_ns(std)
    if 2 * std_ns > mean_ns:
        raise ValueError(f"std {std!r} must be at most half the mean {duration!r}: no duration is "
                         "negative; try 'lognormal'")
    return Normal(mean_ns, std_ns)


def _lognormal(duration: str, cv: str) -> Latency:
    return Lognormal(duration_ns(duration), number("cv", cv, 0.0, 10.0))


def _trace(path: str) -> Latency:
    if not path:
        raise ValueError("'trace' needs a file of measured durations, as in trace:FILE")
    return Trace(path, read_trace(user_path(path)))


def _outliers(usual: Latency, text: str) -> Latency:
    probability, _, factor = text.partition("x")
    try:
        return Outliers(usual, number("probability", probability, 0.0, 1.0),
                        number("factor", factor, 0.0, 1000.0))
    except ValueError as error:
        raise ValueError(f"outliers {text!r}: {error}; write them as 0.01x3") from error


def _contention(alone: Latency, text: str) -> Latency:
    return Contention(alone, number("contention", text, 0.0, 100.0))


KINDS: dict[str, tuple[Callable[..., Latency], tuple[str, ...]]] = {
    "none": (_none, ()),
    "constant": (lambda duration: Constant(duration_ns(duration)), ()),
    "normal": (_normal, ("std",)),
    "lognormal": (_lognormal, ("cv",)),
    "trace": (_trace, ()),
}
"""Maker of each kind from its body and options, and the options' names; it raises `ValueError`."""
_MODIFIERS: dict[str, Callable[[Latency, str], Latency]] = {
    "outliers": _outliers, "contention": _contention}


def _check_options(kind: str, options: dict[str, str]) -> None:
    own = KINDS[kind][1]
    allowed = () if kind == "none" else (*own, *_MODIFIERS)
    for name in options:
        if name not in allowed:
            raise ValueError(f"option {name!r} is not one of {choices(allowed)}" if allowed
                             else f"option {name!r}: {kind!r} takes none")
    for name in own:
        if name not in options:
            raise ValueError(f"option {name!r} is absent: {kind!r} needs it")
