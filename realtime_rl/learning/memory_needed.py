"""Whether a training fits this machine, told before anything of it is allocated."""

from __future__ import annotations

from torch import nn

from realtime_rl.core.observations import Observations
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.networks import parameter_count
from realtime_rl.learning.transition_table import full_bytes

_SHARED_COPIES = 2
"""Weights and target network, each float32; there once, however many learn."""
_OWN_COPIES = 3
"""Gradients and Adam's two moments of each learner."""
_FLOAT32 = 4


def training_bytes(network: nn.Module, learners: int = 1, under_way: int = 0) -> int:
    """Return what `learners` on shared weights take beside replay and activations [bytes].

    `under_way`: gradients that wait to be applied.
    """
    copies = _SHARED_COPIES + _OWN_COPIES * learners + under_way
    return parameter_count(network) * copies * _FLOAT32


def check(name: str, network: nn.Module, available: int | None, learners: int = 1, *,
          under_way: int = 0) -> None:
    """Refuse a network that cannot be trained in `available` bytes; `None`: not known, so not.

    Raises:
        LearningError: it does not fit.
    """
    needed = training_bytes(network, learners, under_way)
    if available is not None and needed > available:
        raise LearningError(
            f"network {name!r} has {parameter_count(network):,} weights: training needs "
            f"{needed / 1e9:.1f} GB, {available / 1e9:.1f} GB are free; take a smaller width"
            + (", or fewer learners" if under_way else ""))


def replay_memory(config: DqnConfig, observation: Observations, available: int | None
                  ) -> tuple[str, bool]:
    """Say what a replay will have taken once it is full; and whether that fits `available` bytes.

    It is no reason to refuse the training, which may end before.
    """
    needed = full_bytes(config, observation)
    fits = available is None or needed <= available
    text = (f"the replay takes {needed / 1e6:,.0f} MB once its {config.replay_size:,} transitions "
            "are there")
    if available is not None and not fits:
        text += f", {available / 1e6:,.0f} MB are free; take a smaller replay_size"
    return text, fits
