"""What a robot earns at a tick: what topics say, and rules on what is observed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from realtime_rl.core import observations
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.robot import fields, message_types
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.sections import Reward

_Value = Callable[[Observation], float]


class Rewards:
    """All of a contract's; what they earn is in the policy's units."""

    def __init__(self, contract: Contract) -> None:
        """Reckon as a contract says, which was checked."""
        self._rewards = contract.rewards
        self._fields = {
            name: fields.parse(reward.field, message_types.source(reward.type))
            for name, reward in contract.rewards.items() if reward.topic}
        places = dict(_places(contract))
        self._rules = {name: _rule(reward, places)
                       for name, reward in contract.rewards.items() if not reward.topic}
        self.clear()

    def clear(self) -> None:
        """Forget what topics said since the last tick."""
        self._given = dict.fromkeys(self._fields, 0.0)

    def on_message(self, name: str, message: Any) -> None:  # noqa: ANN401 - of its type
        """Take what the topic of a reward says; `WireError` where it is no number."""
        value, = self._fields[name].read(message)
        if not math.isfinite(value):
            raise WireError(f"reward.{name}: {value} is not finite")
        self._given[name] += _earned(self._rewards[name], value)

    def take(self, observation: Observation | None) -> tuple[float, bool]:
        """Return what was earned since the last tick, and whether that ends the episode."""
        total, ends = 0.0, False
        for name, reward in self._rewards.items():
            if name in self._given:
                earned = self._given[name]
            else:
                earned = (0.0 if observation is None
                          else _earned(reward, self._rules[name](observation)))
            total += reward.weight * earned
            ends = ends or (reward.ends and earned != 0.0)
        self.clear()
        return total, ends


def _earned(reward: Reward, value: float) -> float:
    if not reward.above < value < reward.below:
        return 0.0
    return reward.value or value


def _rule(reward: Reward, places: dict[str, _Value]) -> _Value:
    """Return what a rule makes of an observation."""
    of = [places[name] for name in reward.of]
    if not reward.to:
        return of[0]
    return partial(_distance, of, [places.get(name) or partial(_constant, float(name))
                                   for name in reward.to])


def _distance(of: list[_Value], to: list[_Value], observation: Observation) -> float:
    return math.dist([value(observation) for value in of], [value(observation) for value in to])


def _constant(value: float, observation: Observation) -> float:
    del observation
    return value


def _places(contract: Contract) -> Iterator[tuple[str, _Value]]:
    """Yield the elements of an observation that are no pictures, and how their values are found."""
    parts = contract.observation.parts
    for part in parts:
        for place, name in enumerate(names_of(part)):
            yield name, partial(_value, "" if len(parts) == 1 else part.name, place)


def _value(part: str, place: int, observation: Observation) -> float:
    values: Any = observations.part_of(observation, part) if part else observation
    return float(values[place])


def elements(contract: Contract) -> tuple[str, ...]:
    """Return the names that a rule may use: `part.element`."""
    return tuple(name for name, _ in _places(contract))


def names_of(part: ObservationSpec) -> tuple[str, ...]:
    """Return what a rule calls the values of a part."""
    return tuple(f"{part.name}.{name}" for name in part.elements)


def number(text: str) -> float | None:
    """Return the finite number that a text is; `None`: it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
