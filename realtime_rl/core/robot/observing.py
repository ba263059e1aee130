"""What a robot's sensors say at a tick: the observation, how old it is, and where the robot is.

Times are in nanoseconds: `tick_ns` and `received_ns` on the monotonic clock, `ros_ns` and stamps
on ROS's. Both are read together when a message comes, so that stamps can be put on the first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core import observations
from realtime_rl.core.observations import Observation
from realtime_rl.core.robot.contract import Contract, SourceSpec
from realtime_rl.core.robot.contract_choices import OnStale
from realtime_rl.core.robot.measuring import Measure, measures
from realtime_rl.core.robot.sampling import JUMP_NS
from realtime_rl.core.robot.sources import Picture, PictureSource, VectorSource


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known at a tick."""

    observation: Observation | None
    """`None`: a source was not heard yet, or is stale and says `stop` or `default` then."""
    ages: tuple[float, ...]
    """How old each source's oldest value is [s], in the contract's order; NaN: there is none."""
    repeated: tuple[int, ...]
    """Messages of each source in a row that said what the one before did."""
    stale: Mapping[OnStale, tuple[str, ...]]
    """Names of the stale sources, by what is to happen then."""
    positions: Mapping[str, float]
    """Of commanded elements, as measured; those that are unknown or stale are absent."""
    velocities: Mapping[str, float]
    """Likewise."""


class Observer:
    """Takes what a robot's sources say, and says at a tick what a policy sees of it."""

    def __init__(self, contract: Contract) -> None:
        """Listen to the sources of a contract; `ConfigError` where it does not fit itself."""
        measured = measures(contract)
        self._sources = {spec.name: _source(spec, measured.get(spec.name, ()))
                         for spec in contract.sources}
        self._parts = tuple(tuple(spec.name for spec in specs)
                            for specs in contract.parts.values())
        self._names = observations.names_of(contract.observation)
        self._on_stale = {name: OnStale.of(source.spec.config.on_stale)
                          for name, source in self._sources.items()}
        self._offset_ns: int | None = None
        self.jumps = 0
        """How often ROS's clock was set back, so that all was forgotten."""

    def clear(self) -> None:
        """Forget what came: begin anew."""
        for source in self._sources.values():
            source.clear()

    def offer(self, name: str, message: Any, received_ns: int, ros_ns: int,  # noqa: ANN401
              picture: Picture | None = None) -> None:
        """Take a message of a source.

        Args:
            name: of the source.
            message: of its type.
            received_ns: when it was received.
            ros_ns: the same moment on ROS's clock.
            picture: that it has, of a camera, as the policy sees it.

        Raises:
            WireError: it is refused as a whole.
        """
        offset_ns = ros_ns - received_ns
        if self._offset_ns is not None and offset_ns < self._offset_ns - JUMP_NS:
            self.clear()
            self.jumps += 1
        self._offset_ns = offset_ns
        source = self._sources[name]
        if isinstance(source, VectorSource):
            source.offer(message, received_ns, ros_ns)
        elif picture is not None:
            source.offer(message, picture, received_ns, ros_ns)

    def missing(self) -> dict[str, str]:
        """Return the sources that have not said all yet, and in words what is missing."""
        return {name: why for name, source in self._sources.items() if (why := source.missing())}

    def observe(self, tick_ns: int) -> Observed:
        """Say what is known at a tick."""
        shown: dict[str, Any] = {}
        ages: list[float] = []
        stale: dict[OnStale, tuple[str, ...]] = dict.fromkeys(OnStale, ())
        positions: dict[str, float] = {}
        velocities: dict[str, float] = {}
        for name, source in self._sources.items():
            if isinstance(source, VectorSource):
                sample, age = source.sample(tick_ns)
                source.measured(sample, positions, velocities)
                shown[name] = source.seen(sample)
            else:
                shown[name], age = source.sample(tick_ns)
            ages.append(age)
            if age > source.spec.config.max_age:
                what = self._on_stale[name]
                stale[what] = (*stale[what], name)
        lacking = stale[OnStale.STOP] or stale[OnStale.DEFAULT] or any(map(math.isnan, ages))
        return Observed(
            None if lacking else self._joined(shown, stale[OnStale.MASK]), tuple(ages),
            tuple(source.repeated for source in self._sources.values()), stale, positions,
            velocities)

    def scaled(self, name: str, tick_ns: int) -> NDArray[np.float64]:
        """Return a source's numbers at a tick, scaled and not clamped: what `robot check` shows.

        NaN where one was not heard; nothing of a camera.
        """
        source = self._sources[name]
        if not isinstance(source, VectorSource):
            return np.empty(0)
        return source.scaled(source.sample(tick_ns)[0])

    def _joined(self, shown: Mapping[str, Any], masked: Sequence[str]) -> Observation:
        return observations.join(list(self._arrays(shown, masked)), self._names)

    def _arrays(self, shown: Mapping[str, Any], masked: Sequence[str]) -> Iterator[Observation]:
        """Yield the parts, in the order of the contract's observation."""
        for names in self._parts:
            yield shown[names[0]] if len(names) == 1 else np.concatenate(
                [shown[name] for name in names])
            yield from (np.array([name not in masked], np.float32) for name in names
                        if self._on_stale[name] is OnStale.MASK)


def _source(spec: SourceSpec, measured: Sequence[Measure]) -> VectorSource | PictureSource:
    if spec.image is None:
        return VectorSource(spec, measured)
    channels = 1 if spec.image.encoding == "mono8" else 3
    return PictureSource(spec, (channels, spec.image.height, spec.image.width))
