"""The learner's parameters: their defaults learn `catch` within ten minutes on one core."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.config import parameter


@dataclass(frozen=True)
class DqnConfig:
    """Parameters of `DqnLearner`. Not slotted, so that a node's configuration can extend it."""

    network: str = parameter(
        "small", "small, mlp, nature:K, impala:K or impala_deep:K; K multiplies the filters and may "
        "be a fraction, as `impala:1/16`")
    stack: int = parameter(4, "observations joined for the network", unit="ticks", low=1, high=64)
    learning_rate: float = parameter(3e-4, "Adam's step size", low=0.0)
    gamma: float = parameter(0.99, "discount a tick", low=0.0, high=1.0)
    batch_size: int = parameter(32, "transitions an update", low=1)
    replay_size: int = parameter(40_000, "transitions kept; bounds the learner's memory", low=1)
    learn_start: int = parameter(1_000, "transitions before the first update", low=1)
    target_interval: int = parameter(500, "updates between copies to the target network", low=1)
    double: bool = parameter(True, "choose with one network, value with the other (double DQN)")
    huber: bool = parameter(True, "Huber loss, else squared error")
    clip_norm: float = parameter(10.0, "gradients are scaled down to this norm", low=0.0)
    n_step: int = parameter(8, "actions whose rewards are summed before bootstrapping", low=1)
    epsilon_start: float = parameter(1.0, "exploration at first", low=0.0, high=1.0)
    epsilon_end: float = parameter(0.05, "exploration in the end", low=0.0, high=1.0)
    epsilon_transitions: int = parameter(12_000, "transitions from first to end", low=1)
    hold_ticks: int = parameter(8, "ticks for which an exploratory action is held", low=1)
    seed: int = parameter(0, "of weights, sampling and exploration", low=0)
