"""Transitions of a task that a few hundred updates solve: press the button that is shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace

VECTOR = ObservationSpec((3,), "float32", 0, 1)
IMAGE = ObservationSpec((1, 84, 84), "uint8", 0, 255)
BUTTONS = ActionSpace(("A", "B", "NOOP"), (2.0,))
WHEELS = ActionSpace(("vx", "wz"), (0.0, 0.0), (-0.5, -1.0), (0.5, 3.0))
TINY = DqnConfig(network="mlp", stack=1, learning_rate=3e-3, batch_size=16, replay_size=500,
                 learn_start=32, target_interval=20, n_step=1, epsilon_transitions=100)


def shown(index: int) -> Observation:
    """Return an observation that shows button `index`."""
    return np.eye(3, dtype=np.float32)[index]


def transition(observation: Observation, action: float, reward: float, *,
               next_observation: Observation | None = None, discount: float = 0.9,
               terminal: bool = False) -> SemiMdpTransition:
    """Make a transition of one step."""
    following = observation if next_observation is None else next_observation
    return SemiMdpTransition((observation,), (action,), reward, 0.0 if terminal else discount,
                             (following,), 1, terminal)


def presses(count: int, seed: int = 0) -> Iterator[SemiMdpTransition]:
    """Press buttons at random; 1 for the right one, else 0; each press ends an episode."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        button, pressed = int(rng.integers(3)), int(rng.integers(3))
        yield transition(shown(button), float(pressed), float(button == pressed), terminal=True)
