"""Parts of an observation from their topics: joined, or refused in a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from ros.in_process import ros, wait
from sensor_msgs.msg import Image, JointState

from realtime_rl.core.experience.gathering import Lost, Whole
from realtime_rl.core.messages import wire
from realtime_rl.core.observations import ObservationSpec, parse, split
from realtime_rl.ros import messages, qos
from realtime_rl.ros.observing import Observing

SPEC = parse("front=uint8[3,2,2] 0:255; arm=float32[2] -1:1 j1,j2")
FRONT, ARM = SPEC.parts
PERIOD_NS = 20_000_000


class Ears:
    """A node that listens, and a plant beside it."""

    def __init__(self, listener: Any, plant: Any) -> None:
        self.listener, self.plant = listener, plant
        self.whole: list[Whole] = []
        self.lost: list[Lost] = []
        self.observing = Observing(listener, SPEC, self.whole.append, self.lost.append,
                                   qos.RECORD, period_ns=PERIOD_NS)
        self.publishers = {
            part.name: plant.create_publisher(messages.observation_type(part),
                                              f"observation/{part.name}", qos.RECORD)
            for part in SPEC.parts}
        wait(listener, lambda: all(each.get_subscription_count()
                                   for each in self.publishers.values()))

    def send(self, part: ObservationSpec, message: Image | JointState) -> None:
        """Publish, and wait until it was taken, refused or not."""
        guard = next(each.callback for each in self.listener.subscriptions
                     if each.topic_name.endswith(f"/{part.name}"))
        before = self.refused(part), self.taken
        self.publishers[part.name].publish(message)
        wait(self.listener, lambda: (guard.refused, self.taken) != before)

    def refused(self, part: ObservationSpec) -> int:
        return next(each.callback.refused for each in self.listener.subscriptions
                    if each.topic_name.endswith(f"/{part.name}"))

    @property
    def taken(self) -> int:
        gathering = self.observing._gathering
        return len(self.whole) + len(self.lost) + sum(
            100 * len(begun.parts) for begun in gathering._begun.values())


@pytest.fixture
def ears() -> Iterator[Ears]:
    with ros() as make:
        yield Ears(make("listener"), make("plant"))


def message(part: ObservationSpec, tick: int, **changes: Any) -> Image | JointState:
    value = np.full(part.shape, tick, part.dtype)
    words = wire.encode_words({"plant": "p", "tick": tick, "first": int(tick == 0)})
    made = messages.to_observation(value, part, 10**18 + tick * PERIOD_NS, words)
    for name, each in changes.items():
        setattr(made, name, each)
    return made


def test_parts_of_a_tick_are_joined_and_one_that_lacks_is_given_up(ears: Ears) -> None:
    assert ears.observing.topics == ("observation/front", "observation/arm")
    for tick, part in itertools.product(range(4), SPEC.parts):
        if (tick, part) != (2, ARM):
            ears.send(part, message(part, tick))
    assert [each.tick for each in ears.whole] == [0, 1, 3]
    assert ears.lost == [Lost(2, 10**18 + 2 * PERIOD_NS, ("arm",))]
    front, arm = split(ears.whole[-1].value)
    assert (front.shape, front.max(), arm.tolist()) == ((3, 2, 2), 3, [3, 3])


@pytest.mark.parametrize(("part", "changes"), [
    (ARM, {"name": ["j2", "j1"]}), (ARM, {"position": [1.0]}), (FRONT, {"encoding": "mono8"}),
    (FRONT, {"width": 3}), (FRONT, {"data": [1, 2]})])
def test_what_does_not_fit_costs_its_tick_only(ears: Ears, part: ObservationSpec,
                                               changes: dict[str, Any]) -> None:
    for each in SPEC.parts:
        ears.send(each, message(each, 0, **(changes if each is part else {})))
        ears.send(each, message(each, 1))
    assert [whole.tick for whole in ears.whole] == [1]
    assert [lost.parts for lost in ears.lost] == [(part.name,)]
    assert ears.refused(part) == 1


def test_each_part_has_a_grid_of_its_own(ears: Ears) -> None:
    """Who publishes ticks of another plant on one topic takes no other part's."""
    for tick in range(3):
        for part in SPEC.parts:
            ears.send(part, message(part, tick))
    ears.send(ARM, message(ARM, 2))
    assert (ears.refused(ARM), ears.refused(FRONT)) == (1, 0)
    for part in SPEC.parts:
        ears.send(part, message(part, 3))
    assert [whole.tick for whole in ears.whole] == [0, 1, 2, 3]
    assert rclpy.ok()
