"""The learner's parameters: their defaults learn `catch` within ten minutes on one core."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import Observations, ObservationSpec
from realtime_rl.core.settings.config import parameter

LEARNERS = ("dqn", "rainbow")
DEVICES = ("cpu", "cuda", "auto")
REPLAYS = ("recency", "reservoir", "priority")
AUTO, PICTURES, VECTORS = "auto", "small", "mlp"
"""Networks: by the observation, for pictures, for all else."""
_SMALLEST = 20
"""Sides of a picture that the network `small` can see [px]."""
_Config = TypeVar("_Config", bound="DqnConfig")


def network_for(name: str, observation: Observations) -> str:
    """Return the network of that name; for `auto`, the one that follows from the observation."""
    if name != AUTO:
        return name
    return PICTURES if any(map(is_picture, observation.parts)) else VECTORS


def is_picture(part: ObservationSpec) -> bool:
    """Whether networks with convolutions can see it."""
    return len(part.shape) == 3 and min(part.shape[1:]) >= _SMALLEST


@dataclass(frozen=True)
class DqnConfig:
    """Parameters of `DqnLearner`. Not slotted, so that a node's configuration can extend it."""

    network: str = parameter(
        AUTO, "small, keypoints, mlp, nature:K, impala:K or impala_deep:K; K multiplies the "
        "filters and may be a fraction, as `impala:1/16`; `auto`: small for pictures, mlp for all "
        "else")
    device: str = parameter(
        "cpu", "where the network is trained; `cuda`: on a GPU; `auto`: on one where torch finds "
        "it. On a GPU the same seed need not give the same weights", choices=DEVICES)
    stack: int = parameter(4, "observations joined for the network", unit="ticks", low=1, high=64)
    action_history: int = parameter(
        0, "applied actions that the network is given beside the observations, those of the ticks "
        "before it: what a delayed policy needs to know of what is under way", unit="ticks",
        low=0, high=1024)
    algorithm: str = parameter(
        "dqn", "`dqn`: with the parts that are switched on below; `rainbow`: with all of double, "
        "dueling, distributional, noisy and `replay: priority`, whatever they say; `n_step` holds "
        "for both", choices=LEARNERS)
    learning_rate: float = parameter(3e-4, "Adam's step size", low=0.0)
    gamma: float = parameter(0.99, "discount a tick", low=0.0, high=1.0)
    batch_size: int = parameter(32, "transitions an update", low=1)
    replay_size: int = parameter(40_000, "transitions kept; bounds the learner's memory", low=1)
    replay: str = parameter(
        "recency", "`recency`: the newest, drawn uniformly; `reservoir`: a uniform sample of all; "
        "`priority`: the newest, those with large errors more often", choices=REPLAYS)
    priority_exponent: float = parameter(
        0.5, "`priority`: of the error; 0 draws uniformly", low=0.0, high=1.0)
    priority_correction: float = parameter(
        0.4, "`priority`: importance weighting at first; rises to 1", low=0.0, high=1.0)
    correction_updates: int = parameter(100_000, "`priority`: updates until it is 1", low=1)
    learn_start: int = parameter(1_000, "transitions before the first update", low=1)
    target_interval: int = parameter(500, "updates between copies to the target network", low=1)
    double: bool = parameter(True, "choose with one network, value with the other (double DQN)")
    dueling: bool = parameter(False, "value and advantage in streams of their own")
    distributional: bool = parameter(
        False, "learn the distribution of returns (C51), act on its mean; `huber` is not used then")
    atoms: int = parameter(51, "`distributional`: returns it has", low=2, high=1001)
    value_min: float = parameter(-10.0, "`distributional`: the least of them")
    value_max: float = parameter(10.0, "`distributional`: the largest of them")
    noisy: bool = parameter(
        False, "learned noise on the last layers while training; exported policies act on the mean "
        "weights, exploration stays that of epsilon")
    huber: bool = parameter(True, "Huber loss, else squared error")
    clip_norm: float = parameter(10.0, "gradients are scaled down to this norm", low=0.0)
    n_step: int = parameter(8, "actions whose rewards are summed before bootstrapping", low=1)
    epsilon_start: float = parameter(1.0, "exploration at first", low=0.0, high=1.0)
    epsilon_end: float = parameter(0.05, "exploration in the end", low=0.0, high=1.0)
    epsilon_transitions: int = parameter(12_000, "transitions from first to end", low=1)
    hold_ticks: int = parameter(8, "ticks for which an exploratory action is held", low=1)
    seed: int = parameter(0, "of weights, sampling and exploration", low=0)

    def __post_init__(self) -> None:
        """Refuse an empty range of returns."""
        if not self.value_min < self.value_max:
            raise ConfigError(f"value_min: {self.value_min!r} must be below value_max "
                              f"{self.value_max!r}")

    def resolved(self: _Config) -> _Config:
        """Return the parameters with the parts that `algorithm` stands for switched on."""
        if self.algorithm != "rainbow":
            return self
        return replace(self, double=True, dueling=True, distributional=True, noisy=True,
                       replay="priority")

    def for_observation(self: _Config, observation: Observations) -> _Config:
        """Return the parameters with the network that `auto` stands for."""
        return replace(self, network=network_for(self.network, observation))
