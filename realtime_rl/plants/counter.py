"""A plant that counts: the smallest one that a schedule, a loop or a learner can be tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.settings.config import parameter
from realtime_rl.core.types import Action, ActionSpace, PlantSpec, Transition
from realtime_rl.plants.base import check_action
from realtime_rl.plants.state_bytes import generator, pack, random_state, unpack

_SIDE = 8
"""Height and width of the image [px]."""


@dataclass(frozen=True, slots=True)
class CounterOptions:
    """What a counter looks like."""

    observation: str = parameter(
        "vector", "a float32 vector (tick, target) or an 8 x 8 uint8 image with pixel `target` lit",
        choices=("vector", "image"))
    actions: int = parameter(3, "how many choices there are", low=2, high=_SIDE * _SIDE)
    episode_ticks: int = parameter(
        100, "ticks after the first of an episode; 0: it never ends", low=0)
    terminal: bool = parameter(True, "episodes end for good (discount 0), else they are cut off")
    random_phase: bool = parameter(False, "draw the target of an episode's first tick at random")
    period_ms: float = parameter(20.0, "the plant's period", unit="ms", low=0.001)


class CounterPlant:
    """Counts ticks; reward 1 when the action is the tick's target, `(tick + phase) % actions`.

    The observation after tick k shows the target of tick k, so an action computed from it and
    applied d ticks later must be d ahead. Ticks count from 0, the first of the episode.
    """

    Options = CounterOptions

    def __init__(self, options: CounterOptions, seed: int) -> None:
        """Make a counter; nothing in its options can be refused."""
        self._options = options
        size, image = options.actions, options.observation == "image"
        self._image = image
        self._spec = PlantSpec(
            name="counter",
            period_ns=round(options.period_ms * 1e6),
            observation=(ObservationSpec((1, _SIDE, _SIDE), "uint8", 0, 255) if image
                         else ObservationSpec((2,), "float32", 0, 2.0**24)),
            actions=ActionSpace(tuple(f"A{index}" for index in range(size)), (0.0,)))
        self._random = np.random.default_rng(seed)
        self._starting, self._tick, self._phase = True, 0, 0

    @property
    def spec(self) -> PlantSpec:
        """See `Plant`."""
        return self._spec

    def step(self, action: Action) -> Transition:
        """See `Plant`."""
        check_action(action, self._spec)
        if self._starting:
            return self._first()
        self._tick += 1
        last = self._tick == self._options.episode_ticks
        self._starting = last
        return Transition(
            observation=self._observe(), reward=float(action[0] == self._target),
            discount=0.0 if last and self._options.terminal else 1.0, first=False, last=last)

    def _first(self) -> Transition:
        self._starting = False
        self._tick = 0
        self._phase = (int(self._random.integers(self._options.actions))
                       if self._options.random_phase else 0)
        return Transition(self._observe(), reward=0.0, discount=1.0, first=True, last=False)

    @property
    def _target(self) -> int:
        return (self._tick + self._phase) % self._options.actions

    def _observe(self) -> Observation:
        if not self._image:
            return np.array([self._tick, self._target], np.float32)
        image = np.zeros((1, _SIDE, _SIDE), np.uint8)
        image.flat[self._target] = 255
        return image

    def prepare(self) -> None:
        """See `Plant`: nothing here takes long."""

    def reset(self, seed: int | None = None) -> None:
        """See `Plant`."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self._starting, self._tick, self._phase = True, 0, 0

    def save_state(self) -> bytes:
        """See `Plant`."""
        return pack("counter", {"tick": self._tick, "phase": self._phase,
                                "starting": self._starting,
                                "random": random_state(self._random)})

    def load_state(self, state: bytes) -> None:
        """See `Plant`."""
        header, _ = unpack("counter", state)
        self._random = generator(header["random"])
        self._tick, self._phase = header["tick"], header["phase"]
        self._starting = header["starting"]

    def close(self) -> None:
        """See `Plant`: there is nothing to release."""
