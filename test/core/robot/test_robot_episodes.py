"""What a robot earns, and when its episodes begin and end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from contracts import CAMERA, arm

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot.episodes import Episodes, Outcome

PERIOD_NS = 20_000_000
GIVEN = {"topic": "/reward", "type": "std_msgs/msg/Float64"}
HOME = np.array([0.1, 0.2, 0.0], np.float32)


class Ticked:
    """Episodes that are ticked."""

    def __init__(self, **changes: Any) -> None:
        self.episodes = Episodes(arm(**changes))
        self.number = 100

    def tick(self, observation: Any = HOME, *, at_pose: bool = True, count: int = 1) -> Outcome:
        for _ in range(count):
            self.number += 1
            outcome = self.episodes.tick(observation, self.number * PERIOD_NS, at_pose=at_pose)
        return outcome

    def say(self, *values: float) -> None:
        for value in values:
            self.episodes.on_reward("r", SimpleNamespace(data=value))


def test_the_first_episode_begins_with_the_first_observation() -> None:
    ticked = Ticked()
    assert ticked.tick(None) == Outcome(0.0, 1.0, False, False, -1)
    assert ticked.tick() == Outcome(0.0, 1.0, True, False, 0)
    assert ticked.tick() == Outcome(0.0, 1.0, False, False, 0)
    assert not ticked.episodes.between


def test_what_a_topic_says_is_summed_from_tick_to_tick() -> None:
    ticked = Ticked(reward__r={**GIVEN, "weight": 2.0})
    ticked.say(5.0)
    assert ticked.tick().reward == 0.0
    ticked.say(1.0, 0.25)
    assert ticked.tick(None).reward == 2.5
    assert ticked.tick().reward == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(WireError, match=r"reward\.r"):
        Ticked(reward__r=GIVEN).say(value)


@pytest.mark.parametrize(("reward", "earned"), [
    ({"of": ["state.position.j1"]}, 0.1),
    ({"of": ["state.position.j1", "state.position.j2"], "to": ["0.4", "0.6"], "weight": -1.0},
     -0.5),
    ({"of": ["state.position.j1"], "to": ["state.position.j2"]}, 0.1),
    ({"of": ["state.position.j1"], "above": 0.05, "value": 3.0}, 3.0),
    ({"of": ["state.position.j1"], "above": 0.2, "value": 3.0}, 0.0),
    ({"of": ["state.position.j1"], "to": ["0.1"], "below": 0.05, "value": 1.0}, 1.0)])
def test_a_rule_looks_at_the_observation(reward: dict[str, Any], earned: float) -> None:
    ticked = Ticked(reward__r=reward)
    ticked.tick()
    assert ticked.tick().reward == pytest.approx(earned)
    assert ticked.tick(None).reward == 0.0


def test_rules_find_their_part_among_several() -> None:
    ticked = Ticked(
        reward__r={"of": ["state.position.j2"]}, observations=["front", "state"],
        observation__front={"sources": ["cam"]}, source__cam=CAMERA)
    seen = np.zeros((), [("front", "u1", (3, 4, 8)), ("state", "f4", (3,))])
    seen["state"] = HOME
    ticked.tick(seen)
    assert ticked.tick(seen).reward == pytest.approx(0.2)


def test_all_rewards_are_added() -> None:
    ticked = Ticked(reward__r=GIVEN, reward__alive={"of": ["state.position.j1"], "value": 0.5})
    ticked.tick()
    ticked.say(1.0)
    assert ticked.tick().reward == 1.5


def test_success_ends_for_good() -> None:
    ticked = Ticked(reward__r={"of": ["state.position.j1"], "above": 0.5, "value": 1.0,
                               "ends": True})
    ticked.tick(count=3)
    there = np.array([0.6, 0.2, 0.0], np.float32)
    assert ticked.tick(there) == Outcome(1.0, 0.0, False, True, 0)
    assert ticked.episodes.between


def test_the_topic_and_the_service_end_and_time_and_reset_cut_off() -> None:
    for end, discount in ((lambda each: each.on_done(True), 0.0),
                          (lambda each: each.end(success=True), 0.0),
                          (lambda each: each.end(success=False), 1.0),
                          (lambda each: each.reset(), 1.0)):
        ticked = Ticked()
        ticked.tick()
        ticked.episodes.on_done(False)
        assert not ticked.tick().last
        end(ticked.episodes)
        assert ticked.tick() == Outcome(0.0, discount, False, True, 0)


def test_time_cuts_off() -> None:
    ticked = Ticked(episode__seconds=0.1)
    ticked.tick()
    assert not ticked.tick(count=4).last
    assert ticked.tick() == Outcome(0.0, 1.0, False, True, 0)


def test_the_next_begins_after_the_pause_where_it_is_to_be_and_seen() -> None:
    ticked = Ticked(episode__pause=0.1, reward__r=GIVEN)
    ticked.tick()
    ticked.episodes.end(success=True)
    ticked.tick()
    ticked.say(7.0)
    assert ticked.tick(count=4) == Outcome(0.0, 1.0, False, False, 0)
    assert not ticked.tick(at_pose=False, count=5).first
    assert not ticked.tick(None).first
    ticked.episodes.end(success=True)
    assert ticked.tick() == Outcome(0.0, 1.0, True, False, 1)
    assert ticked.tick() == Outcome(0.0, 1.0, False, False, 1)


def test_the_service_begins_the_next() -> None:
    ticked = Ticked(episode__next="service", episode__pause=0.1)
    ticked.tick()
    ticked.episodes.end(success=True)
    assert ticked.tick().last
    assert not ticked.tick(count=100).first
    ticked.episodes.reset()
    assert ticked.tick().first
    ticked.episodes.reset()
    assert ticked.tick().last
    assert not ticked.tick(count=4).first
    assert ticked.tick().first
