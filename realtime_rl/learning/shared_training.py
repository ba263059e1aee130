"""What learning processes share: weights, replay, and who makes which update when.

The weights are written without a lock, as by Hogwild! (Niu and others 2011) and the asynchronous
Q-learning of Mnih and others (2016): an update may miss a part of another one's, and no process
ever waits for another one's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from realtime_rl.core.observations import Observations
from realtime_rl.core.schedule.stagger import spaced_start_ns
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace
from realtime_rl.learning import networks, shared_replay
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.shared_arrays import Layout, SharedArrays
from realtime_rl.learning.shared_replay import SharedReplay


def layout(config: DqnConfig, observation: Observations, parameters: int, learners: int
           ) -> Layout:
    """Return all arrays that `learners` processes share for a network of `parameters` weights."""
    return {"network": ("float32", (parameters,)), "target": ("float32", (parameters,)),
            "allowed": ("int64", (1,)), "claimed": ("int64", (1,)), "free_from": ("int64", (1,)),
            "alive": ("int64", (1,)), "failed": ("int64", (1,)),
            "updates": ("int64", (learners,)), "duration": ("int64", (learners,)),
            "loss": ("float64", (learners,)), **shared_replay.layout(config, observation)}


@dataclass(frozen=True, slots=True)
class Claim:
    """An update that one learner is to make."""

    number: int
    """Among those of all learners, from 0."""
    start_ns: int
    """When, on the clock of who claimed it; in its past or future."""


class Turns:
    """Deals updates to the learners: no more than are allowed, evenly spaced in time."""

    def __init__(self, shared: SharedArrays) -> None:
        """Deal by the arrays of `layout`."""
        self._shared = shared

    @property
    def updates(self) -> int:
        """Updates that all learners made."""
        return int(self._shared["updates"].sum())

    @property
    def loss_sum(self) -> float:
        """Sum of the losses of them all."""
        return float(self._shared["loss"].sum())

    @property
    def failed(self) -> int | None:
        """The learner whose training had to end, and with it that of all."""
        return int(self._shared["failed"][0]) - 1 if self._shared["failed"][0] else None

    def allow(self, updates: int, alive: int) -> None:
        """Let `alive` learners make `updates` in all."""
        with self._shared.lock():
            self._shared["allowed"][0], self._shared["alive"][0] = updates, alive

    def claim(self, now_ns: int) -> Claim | None:
        """Take the next update; `None` when none is allowed now."""
        shared = self._shared
        with shared.lock():
            number = int(shared["claimed"][0])
            if shared["failed"][0] or number >= shared["allowed"][0]:
                return None
            shared["claimed"][0] = number + 1
            known = shared["duration"][shared["duration"] > 0]
            start_ns, shared["free_from"][0] = spaced_start_ns(
                now_ns, int(shared["free_from"][0]), int(known.mean()) if known.size else 0,
                max(1, int(shared["alive"][0])))
            return Claim(number, start_ns)

    def made(self, learner: int, loss: float, duration_ns: int) -> None:
        """Say that a learner made its update, and how long one takes it [ns]."""
        self._shared["loss"][learner] += loss
        self._shared["duration"][learner] = duration_ns
        self._shared["updates"][learner] += 1

    def fail(self, learner: int) -> bool:
        """End the training of all; return whether this learner was the first to do so."""
        with self._shared.lock():
            first = not self._shared["failed"][0]
            if first:
                self._shared["failed"][0] = learner + 1
            return first


def learner_on(
    shared: SharedArrays, config: DqnConfig, observation: Observations, actions: ActionSpace,
    number: int, *, begin: bool = False
) -> tuple[DqnLearner, SharedReplay]:
    """Build learner `number` on the weights and the replay in `shared`, with draws of its own.

    Gradients and the optimizer's moments are its own. With `begin`, the weights are those that
    follow from the seed in the parameters, the same as of a learner alone. Errors as in
    `DqnLearner`.
    """
    seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    replay = SharedReplay(config, shared, seed)
    learner = DqnLearner(config, observation, actions, replay)
    learner.reseed(seed)
    if begin:
        shared["network"][:] = shared["target"][:] = networks.flat(learner.network).numpy()
    learner.share_weights(torch.from_numpy(shared["network"]), torch.from_numpy(shared["target"]))
    return learner, replay
