"""What comes from a robot, source by source: taken, put on the ticks' clock, and kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages import wire
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot import reading
from realtime_rl.core.robot.contract import SourceSpec
from realtime_rl.core.robot.contract_choices import Align, Stamps
from realtime_rl.core.robot.measuring import Measure
from realtime_rl.core.robot.sampling import Sample, Series, VectorBuffer

AHEAD_NS = 50_000_000
"""A stamp may be so much after the message was received: clocks of two hosts differ a little."""
_KEPT_PICTURES = 8
_S_PER_NS = 1e-9

Picture = NDArray[np.uint8]


class _Clock:
    """Puts the stamps of a source's messages on the ticks' clock."""

    def __init__(self, spec: SourceSpec) -> None:
        self._latency_ns = round(spec.config.latency * 1e9)
        self._stamped = spec.config.stamps == Stamps.MESSAGE.word

    def at(self, message: Any, received_ns: int, ros_ns: int) -> int:  # noqa: ANN401
        """Return when a message was measured; `WireError` where its stamp cannot be right."""
        if not self._stamped:
            return received_ns - self._latency_ns
        stamp = message.header.stamp
        stamp_ns = wire.stamp(stamp.sec, stamp.nanosec)
        if not stamp_ns:
            raise WireError("its stamp is 0; let the driver stamp it, or say `stamps: received`")
        ahead_ns = stamp_ns - ros_ns
        if ahead_ns > AHEAD_NS:
            raise WireError(f"its stamp is {ahead_ns * _S_PER_NS:.3g} s ahead of this machine's "
                            "clock; set both by one clock, or say `stamps: received`")
        return received_ns + min(ahead_ns, 0) - self._latency_ns


class VectorSource:
    """A source of numbers."""

    def __init__(self, spec: SourceSpec, measures: Sequence[Measure] = ()) -> None:
        """Take what the policy sees, and `measures` where messages have them."""
        config = spec.config
        self.spec = spec
        self.size = len(spec.elements)
        """Values that the policy sees; they come first."""
        extra = [each for each in measures if each.field not in spec.fields]
        self._clock = _Clock(spec)
        self._reader = reading.reader((*spec.fields, *(each.field for each in extra)))
        self._buffer = VectorBuffer(len(self._reader.elements), Align.of(config.align))
        self._measures = tuple((each.element, each.velocity,
                                self._reader.elements.index(each.field.elements[0]))
                               for each in measures)
        self._measured = [place for *_, place in self._measures]
        self._scale = _each(spec, "scale", 1.0)
        self._offset = _each(spec, "offset", 0.0)
        self._begun = False

    @property
    def repeated(self) -> int:
        """Messages in a row that said what the one before did."""
        return self._buffer.repeated

    def clear(self) -> None:
        """Forget what came."""
        self._buffer.clear()
        self._begun = False

    def offer(self, message: Any, received_ns: int, ros_ns: int) -> None:  # noqa: ANN401
        """Take a message; `WireError` where it is refused."""
        at_ns = self._clock.at(message, received_ns, ros_ns)
        places, values = self._reader.read(message)
        if not math.isfinite(sum(values)):
            values = self._finite(places, values)
        self._buffer.offer(at_ns, places, values)
        self._begun = True

    def _finite(self, places: Sequence[int], values: Sequence[float]) -> list[float]:
        """Take what is not finite for what the contract says; `WireError` for the rest."""
        found, config = np.asarray(values, np.float64), self.spec.config
        may = ~np.isin(places, self._measured)  # where a robot is, is never made up
        if config.nan:
            found[may & np.isnan(found)] = config.nan
        if config.inf:
            found[may & np.isposinf(found)] = config.inf
            found[may & np.isneginf(found)] = 0.0  # of a scan: too near to be measured
        which = np.flatnonzero(~np.isfinite(found))
        if which.size:
            others = f", and {which.size - 1} others" if which.size > 1 else ""
            raise WireError(f"{self._reader.elements[places[which[0]]]} is "
                            f"{found[which[0]]}{others}")
        finite: list[float] = found.tolist()
        return finite

    def missing(self) -> str:
        """Say in words what it has not said yet; empty: it has said all that a policy sees."""
        if not self._begun:
            return "no message yet"
        unheard = [place for place in self._buffer.unheard if place < self.size]
        if not unheard:
            return ""
        names = ", ".join(self._reader.elements[place] for place in unheard)
        return f"no value of {names}: {self._reader.hint(unheard)}"

    def sample(self, tick_ns: int) -> tuple[Sample, float]:
        """Return what a tick takes, and the age [s] of the oldest value that a policy sees.

        The age is NaN where one is not there.
        """
        sample = self._buffer.sample(tick_ns)
        return sample, float(np.maximum.reduce(sample.ages[:self.size]))

    def scaled(self, sample: Sample) -> NDArray[np.float64]:
        """Return the policy's values before they are clamped."""
        scaled: NDArray[np.float64] = (sample.values[:self.size] - self._offset) * self._scale
        return scaled

    def seen(self, sample: Sample) -> NDArray[np.float32]:
        """Return the values as the policy sees them."""
        scaled = self.scaled(sample)
        np.maximum(scaled, self.spec.config.low, out=scaled)
        np.minimum(scaled, self.spec.config.high, out=scaled)
        return scaled.astype(np.float32)

    def measured(self, sample: Sample, positions: dict[str, float], velocities: dict[str, float]
                 ) -> None:
        """Add what is measured of commanded elements, where it is not stale."""
        values, ages, most = sample.values.tolist(), sample.ages.tolist(), self.spec.config.max_age
        for element, velocity, place in self._measures:
            if ages[place] <= most:
                (velocities if velocity else positions)[element] = values[place]


class PictureSource:
    """A camera."""

    def __init__(self, spec: SourceSpec, shape: tuple[int, ...]) -> None:
        """Take pictures of `shape`, `(channels, height, width)`."""
        self.spec = spec
        self._shape = shape
        self._clock = _Clock(spec)
        self._align = Align.of(spec.config.align)
        self._series: Series[Picture] = Series(_KEPT_PICTURES)
        self._last: Picture | None = None
        self.repeated = 0
        """Pictures in a row that were the one before."""

    def clear(self) -> None:
        """Forget what came."""
        self._series.clear()
        self._last, self.repeated = None, 0

    def offer(self, message: Any, picture: Picture, received_ns: int, ros_ns: int) -> None:  # noqa: ANN401
        """Take a message and the picture that it has; `WireError` where it is refused."""
        if picture.shape != self._shape:
            raise WireError(f"a picture of {picture.shape}, not {self._shape}")
        at_ns = self._clock.at(message, received_ns, ros_ns)
        same = self._last is not None and np.array_equal(picture, self._last)
        self.repeated = self.repeated + 1 if same else 0
        self._last = picture
        self._series.add(at_ns, picture)

    def missing(self) -> str:
        """Say in words that no picture came yet; empty: there is one."""
        return "no picture yet" if self._series.newest is None else ""

    def sample(self, tick_ns: int) -> tuple[Picture | None, float]:
        """Return the picture that a tick takes, and its age [s]; NaN where there is none."""
        found = self._series.pick(self._align, tick_ns)
        return (None, math.nan) if found is None else (found[1], (tick_ns - found[0]) * _S_PER_NS)


def _each(spec: SourceSpec, key: str, otherwise: float) -> NDArray[np.float64]:
    """Return a number for each element, of which one or all are given."""
    given = getattr(spec.config, key) or (otherwise,)
    size = len(spec.elements)
    if len(given) not in (1, size):
        raise ConfigError(f"source.{spec.name}.{key}: {len(given)} values for {size} elements")
    return np.array(given * size if len(given) == 1 else given, np.float64)
