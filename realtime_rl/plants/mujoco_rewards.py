"""What a contract's rules earn, of an observation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.core.robot.sections import Reward

Elements = Mapping[str, float]


class Rewards:
    """The rewards of a contract."""

    def __init__(self, rewards: Mapping[str, Reward], elements: Sequence[str]) -> None:
        """Check that the elements are there; `PlantError`."""
        self._rewards = rewards
        for name, reward in rewards.items():
            if reward.topic:
                raise PlantError(f"plant 'mujoco': reward.{name} comes on a topic; in virtual time "
                                 "it must be a rule: give `of`, and `to`")
            absent = [each for each in (*reward.of, *reward.to)
                      if each not in elements and not _is_number(each)]
            if absent or not reward.of or (reward.to and len(reward.to) != len(reward.of)):
                raise PlantError(f"reward.{name}: {absent or 'of, to'}: name elements of the "
                                 f"observation, of {choices(elements)}")

    def earned(self, values: Elements) -> tuple[float, bool]:
        """Return a tick's reward, and whether an episode ends with success."""
        total, success = 0.0, False
        for reward in self._rewards.values():
            value = _value(reward, values)
            if reward.below < 1e308 or reward.above > -1e308:
                if not reward.above < value < reward.below:
                    continue
                value = reward.value or value
                success = success or reward.ends
            total += reward.weight * value
        return total, success


def _value(reward: Reward, values: Elements) -> float:
    of = [_number(each, values) for each in reward.of]
    if not reward.to:
        return of[0]
    return math.dist(of, [_number(each, values) for each in reward.to])


def _number(text: str, values: Elements) -> float:
    return values[text] if text in values else float(text)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
