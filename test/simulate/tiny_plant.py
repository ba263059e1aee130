"""A plant whose observation is its tick, and whose reward is for one action."""

from __future__ import annotations

import json

import numpy as np

from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import Action, ActionSpace, PlantSpec, Transition

SPEC = PlantSpec("counter", 1_000_000, ObservationSpec((1,), "float32", 0, 1e6),
                 ActionSpace(("A", "B", "NOOP"), (2.0,)))


class Counter:
    """Pays 1 a tick for action A; an episode has `length` ticks."""

    def __init__(self, length: int = 10, terminal: bool = True) -> None:
        self.spec = SPEC
        self.latched: list[Action] = []
        self._length = length
        self._terminal = terminal
        self._tick = -1
        self._age = -1

    def step(self, action: Action) -> Transition:
        self.latched.append(action)
        self._tick += 1
        self._age += 1
        first, last = self._age == 0, self._age == self._length - 1
        if last:
            self._age = -1
        observation = np.array([float(self._tick)], np.float32)
        return Transition(observation, 0.0 if first else float(action[0] == 0.0),
                          0.0 if last and self._terminal else 1.0, first, last)

    def prepare(self) -> None:
        pass

    def reset(self, seed: int | None = None) -> None:
        self._age = -1

    def save_state(self) -> bytes:
        return json.dumps([self._tick, self._age]).encode()

    def load_state(self, state: bytes) -> None:
        self._tick, self._age = json.loads(state)

    def close(self) -> None:
        pass


class Endless(Counter):
    """Has episodes longer than anybody waits for."""

    def __init__(self) -> None:
        super().__init__(length=10**9)
        self.spec = Echo().spec

    def step(self, action: Action) -> Transition:
        base = super().step(action)
        return Transition(np.zeros(2, np.float32), base.reward, base.discount, base.first,
                          base.last)


class Echo(Counter):
    """Shows one of the first two buttons and pays 1 for the one shown a tick before."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(length=50, terminal=False)
        self.spec = PlantSpec("echo", 1_000_000, ObservationSpec((2,), "float32", 0, 1),
                              ActionSpace(("A", "B", "NOOP"), (2.0,)))
        self._rng = np.random.default_rng(seed)
        self._shown = 0

    def step(self, action: Action) -> Transition:
        base = super().step(action)
        reward = 0.0 if base.first else float(action[0] == self._shown)
        self._shown = int(self._rng.integers(2))
        return Transition(np.eye(2, dtype=np.float32)[self._shown], reward, base.discount,
                          base.first, base.last)

    def save_state(self) -> bytes:
        return json.dumps([self._tick, self._age, self._shown,
                           self._rng.bit_generator.state]).encode()

    def load_state(self, state: bytes) -> None:
        self._tick, self._age, self._shown, self._rng.bit_generator.state = json.loads(state)
