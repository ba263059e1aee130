"""What networks end with: from features to action values, plain or with the parts of Rainbow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime_rl.core.settings.dqn_config import DqnConfig

_NOISE = 0.5
"""Initial deviation times the root of the inputs (Fortunato and others 2018, section 3.2)."""


@dataclass(frozen=True, slots=True)
class Head:
    """Which parts a head has."""

    dueling: bool = False
    """Value and advantage in streams of their own (Wang and others 2016)."""
    noisy: bool = False
    """Learned factorised noise on the weights while training (Fortunato and others 2018)."""
    atoms: int = 1
    """Outputs a choice: 1, its value; more, the logits of a distribution over as many returns."""
    low: float = 0.0
    high: float = 0.0
    """The least and largest of these returns (Bellemare and others 2017)."""

    @staticmethod
    def of(config: DqnConfig) -> Head:
        """Return the head that a learner's parameters ask for."""
        config = config.resolved()
        if not config.distributional:
            return Head(config.dueling, config.noisy)
        return Head(config.dueling, config.noisy, config.atoms, config.value_min, config.value_max)


PLAIN = Head()
"""One value a choice, from one stream."""


def make(size: int, hidden: int, outputs: int, head: Head) -> list[nn.Module]:
    """Make the layers from `(batch, size)` to `(batch, outputs * atoms)`."""
    if head.dueling:
        return [_Dueling(size, hidden, outputs, head)]
    return _stream(size, hidden, outputs * head.atoms, head.noisy)


def _stream(size: int, hidden: int, outputs: int, noisy: bool) -> list[nn.Module]:
    linear = NoisyLinear if noisy else nn.Linear
    return [linear(size, hidden), nn.ReLU(), linear(hidden, outputs)]


class _Dueling(nn.Module):
    """Adds a value to advantages whose mean is 0, for each atom (equation 9 of Wang et al.)."""

    def __init__(self, size: int, hidden: int, outputs: int, head: Head) -> None:
        super().__init__()
        self.value = nn.Sequential(*_stream(size, hidden, head.atoms, head.noisy))
        self.advantage = nn.Sequential(
            *_stream(size, hidden, outputs * head.atoms, head.noisy))
        self._shape = (-1, outputs, head.atoms)

    def forward(self, features: Tensor) -> Tensor:
        advantage = cast(Tensor, self.advantage(features)).reshape(self._shape)
        value = cast(Tensor, self.value(features))[:, None]
        return (value + advantage - advantage.mean(1, keepdim=True)).flatten(1)


class NoisyLinear(nn.Linear):
    """A linear layer with noise on its weights in training mode, its mean weights in evaluation.

    `weight` and `bias` are the means, so that what is exported is that of a `Linear`.
    """

    noise_in: Tensor
    noise_out: Tensor

    def __init__(self, size: int, outputs: int) -> None:
        """Start without noise: `draw` makes it."""
        super().__init__(size, outputs)
        deviation = _NOISE / math.sqrt(size)
        self.weight_sigma = nn.Parameter(torch.full((outputs, size), deviation))
        self.bias_sigma = nn.Parameter(torch.full((outputs,), deviation))
        self.register_buffer("noise_in", torch.zeros(size), persistent=False)
        self.register_buffer("noise_out", torch.zeros(outputs), persistent=False)

    def draw(self, generator: torch.Generator) -> None:
        """Draw new noise: signed roots of normal numbers, one an input and one an output."""
        for noise in (self.noise_in, self.noise_out):
            drawn = torch.randn(noise.shape, generator=generator)
            noise.copy_(drawn.sign() * drawn.abs().sqrt())

    def forward(self, features: Tensor) -> Tensor:
        """Map `(batch, size)` to `(batch, outputs)`."""
        if not self.training:
            return super().forward(features)
        weight = self.weight + self.weight_sigma * torch.outer(self.noise_out, self.noise_in)
        return functional.linear(features, weight, self.bias + self.bias_sigma * self.noise_out)


def draw_noise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw new noise in every noisy layer of `network`; nothing where there is none."""
    for layer in network.modules():
        if isinstance(layer, NoisyLinear):
            layer.draw(generator)


def acting_weights(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights that an exported policy has, by name: all but the noise's deviations."""
    return {name: weight for name, weight in network.named_parameters()
            if not name.endswith("_sigma")}
