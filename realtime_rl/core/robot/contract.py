"""A robot's contract: which topics it has, what a policy sees of them, and what it may ask for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.observations import Observations, ObservationSpec, of_parts
from realtime_rl.core.robot import fields, sections
from realtime_rl.core.robot.contract_choices import Behaviour, Excess, Mode, OnStale
from realtime_rl.core.types import ActionSpace, PlantSpec

_LATE = 2
"""Periods by which a tick may be late before it counts as silence."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source, ready to be read."""

    name: str
    config: sections.Source
    fields: tuple[fields.Field, ...]
    image: sections.Image | None

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of its values, in order."""
        return tuple(element for field in self.fields for element in field.elements)


@dataclass(frozen=True, slots=True)
class ActionGroup:
    """An action: values of the policy that go to one topic."""

    name: str
    config: sections.Action
    mode: Mode
    first: int
    """Place of its first element among those of all actions."""
    default: Behaviour
    on_stop: Behaviour

    @property
    def places(self) -> slice:
        """Its elements among those of all actions."""
        return slice(self.first, self.first + len(self.config.names))


@dataclass(frozen=True)
class Contract:
    """All of it; `contract_reading.read` makes one."""

    robot: sections.Robot
    sources: tuple[SourceSpec, ...]
    """In the order in which the observation shows them; then others, by name."""
    parts: Mapping[str, tuple[SourceSpec, ...]]
    """Sources of each part of the observation, in order."""
    actions: tuple[ActionGroup, ...]
    limits: tuple[sections.Limit, ...]
    """Of each element, in the order of the actions."""
    excess: Excess
    choices: Mapping[str, tuple[float, ...]]
    """What each choice asks for, ordered by name; empty: the actions are continuous."""
    rewards: Mapping[str, sections.Reward]
    start: sections.Start
    episode: sections.Episode
    deadman: sections.Deadman
    estop: sections.Estop

    @property
    def period_ns(self) -> int:
        """Of a tick [ns]."""
        return round(self.robot.period * 1e9)

    @property
    def silence_ns(self) -> int:
        """Without an action for longer than that [ns], the next one begins as the first did."""
        return round(self.start.after_silence * 1e9 + _LATE * self.period_ns)

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of all commanded elements, in the order of the actions."""
        return tuple(name for group in self.actions for name in group.config.names)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Mode of each element."""
        return tuple(group.mode for group in self.actions for _ in group.config.names)

    @cached_property
    def scales(self) -> tuple[tuple[float, float], ...]:
        """Scale and offset of each element: command = value * scale + offset."""
        return tuple(pair for group in self.actions for pair in zip(
            _each(group.config.scale, group, "scale", 1.0),
            _each(group.config.offset, group, "offset", 0.0), strict=True))

    @cached_property
    def spec(self) -> PlantSpec:
        """What the rest of the graph must know."""
        return PlantSpec(self.robot.name, self.period_ns, self.observation, self._action_space())

    @cached_property
    def observation(self) -> Observations:
        """What the policy sees."""
        return of_parts([part for name, sources in self.parts.items()
                         for part in _part_specs(name, sources)])

    def _action_space(self) -> ActionSpace:
        if self.choices:
            labels = tuple(self.choices)
            return ActionSpace(labels, (float(labels.index(self._still())),))
        low, high = zip(*self.ranges(), strict=True)
        noop = tuple(map(_noop, self.modes, self.scales, low, high))
        return ActionSpace(self.elements, noop, low, high)

    def _still(self) -> str:
        """The choice that keeps the robot where it is."""
        if self.robot.still:
            return self.robot.still
        found = [name for name, values in self.choices.items() if not any(values)]
        if len(found) != 1:
            raise ConfigError(f"still: {choices(found) or 'none'} of the choices is all zeros; "
                              f"name the one that keeps the robot where it is: "
                              f"{choices(self.choices)}")
        return found[0]

    def ranges(self) -> Iterator[tuple[float, float]]:
        """Least and largest value of the policy, of each element."""
        for group in self.actions:
            lows = _each(group.config.low, group, "low", math.nan)
            highs = _each(group.config.high, group, "high", math.nan)
            for place, low, high in zip(range(group.first, group.places.stop), lows, highs,
                                        strict=True):
                scale, offset = self.scales[place]
                least, most = sorted((value - offset) / scale for value in
                                     allowed(self.limits[place], group.mode, self.robot.period))
                yield (least if math.isnan(low) else low, most if math.isnan(high) else high)


def topics(contract: Contract) -> dict[str, str]:
    """Return the robot's own topics, with the types of their messages."""
    found = {source.config.topic: source.config.type for source in contract.sources}
    found.update({group.config.topic: group.config.type for group in contract.actions})
    found.update({reward.topic: reward.type for reward in contract.rewards.values()
                  if reward.topic})
    found.update({name: kind for name, kind in (
        (contract.estop.topic, "std_msgs/msg/Bool"), (contract.episode.topic, "std_msgs/msg/Bool"),
        (contract.deadman.topic, "sensor_msgs/msg/Joy")) if name})
    return found


def _part_specs(name: str, sources: tuple[SourceSpec, ...]) -> Iterator[ObservationSpec]:
    image = sources[0].image
    if image is not None:
        channels = 1 if image.encoding == "mono8" else 3
        yield ObservationSpec((channels, image.height, image.width), "uint8", 0.0, 255.0, name)
    else:
        several = len(sources) > 1
        elements = tuple(f"{source.name}.{element}" if several else element
                         for source in sources for element in source.elements)
        yield ObservationSpec(
            (len(elements),), "float32", min(source.config.low for source in sources),
            max(source.config.high for source in sources), name, elements)
    yield from (ObservationSpec((1,), "float32", 0.0, 1.0, f"{source.name}_valid")
                for source in sources if source.config.on_stale == OnStale.MASK.word)


def _each(given: tuple[float, ...], group: ActionGroup, key: str, otherwise: float
          ) -> tuple[float, ...]:
    """One value an element."""
    size = len(group.config.names)
    if len(given) not in (0, 1, size):
        raise ConfigError(f"action.{group.name}.{key}: {len(given)} values for {size} elements")
    return given if len(given) == size else (given[0] if given else otherwise,) * size


def allowed(limit: sections.Limit, mode: Mode, period: float) -> tuple[float, float]:
    """Return least and largest command that the limits allow; infinite where none is given."""
    if mode is Mode.POSITION and limit.has_positions:
        return limit.min_position, limit.max_position
    most = {Mode.POSITION: 0.0, Mode.VELOCITY: limit.max_velocity, Mode.EFFORT: limit.max_effort,
            Mode.DELTA: limit.max_step or limit.max_velocity * period}[mode] or math.inf
    return -most, most


def _noop(mode: Mode, scaled: tuple[float, float], low: float, high: float) -> float:
    """A value of the policy that stands for none; what is sent then, the contract says."""
    scale, offset = scaled
    if mode is not Mode.POSITION:
        return min(max(-offset / scale, low), high)
    return (low + high) / 2 if math.isfinite(low + high) else min(max(0.0, low), high)
