"""Networks by name: `small`, `mlp`, and the paper's `nature:K` and `impala:K`.

All take a batch of stacked observations as the plant gives them: uint8 is scaled to [0, 1]
inside, so that the exported file needs no preparation of its input. They return one value a
choice (discrete actions) or actions within their limits (continuous ones).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from realtime_rl.core.errors import choices
from realtime_rl.core.types import ActionSpace, ObservationSpec
from realtime_rl.learning.errors import LearningError

Shape = tuple[int, ...]


class PolicyNetwork(nn.Module):
    """A body with the scaling of its inputs and outputs."""

    def __init__(self, body: nn.Module, observation: ObservationSpec, actions: ActionSpace) -> None:
        """Wrap `body`, whose output has one value a choice or a dimension."""
        super().__init__()
        self.body = body
        self._scale = 1.0 / 255.0 if observation.dtype == "uint8" else 1.0
        low, high = torch.tensor(actions.low), torch.tensor(actions.high)
        self.register_buffer("centre", (high + low) / 2)
        self.register_buffer("reach", (high - low) / 2)
        self._bounded = not actions.discrete

    def forward(self, observation: Tensor) -> Tensor:
        """Map `(batch, stack * C, …)` to `(batch, actions.size)` float32."""
        values = cast(Tensor, self.body(observation.float() * self._scale))
        if self._bounded:
            return cast(Tensor, self.centre) + cast(Tensor, self.reach) * torch.tanh(values)
        return values


def build(
    name: str, observation: ObservationSpec, stack: int, actions: ActionSpace, seed: int
) -> PolicyNetwork:
    """Build a network with initial weights that follow from `seed` alone.

    Args:
        name: `small`, `mlp`, `nature`, `nature:K`, `impala` or `impala:K`, K the paper's width.
        observation: one observation of the plant.
        stack: how many are joined along the first axis.
        actions: the plant's actions.
        seed: of the weights.

    Raises:
        LearningError: the name is unknown, or the network cannot take such observations.
    """
    kind, _, width_text = name.partition(":")
    if kind not in KINDS or not (width_text or "1").isdecimal() or width_text == "0":
        raise LearningError(f"network {name!r} is not one of {choices(KINDS)}, "
                            "with a width of 1 or more like 'impala:7'")
    shape = (stack * observation.shape[0], *observation.shape[1:])
    if kind != "mlp" and len(shape) != 3:
        raise LearningError(f"network {name!r} takes images, not observations '{observation}'; "
                            "take 'mlp'")
    maker, default_width = KINDS[kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = maker(shape, actions.size, int(width_text) if width_text else default_width)
    return PolicyNetwork(body, observation, actions)


def parameter_count(network: nn.Module) -> int:
    """Return how many weights a network has."""
    return sum(weights.numel() for weights in network.parameters())


class _Contrast(nn.Module):
    """Brings every image to mean 0 and deviation 1.

    A few dark objects on a bright ground are nearly all the same number; without this most of the
    first updates go into taking the ground away.
    """

    def forward(self, images: Tensor) -> Tensor:
        images = images - images.mean(dim=(1, 2, 3), keepdim=True)
        deviation = images.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return images / deviation.clamp(min=1e-3)


def _small(shape: Shape, outputs: int, width: int) -> nn.Module:
    """Quick on one CPU thread, and quick to learn: a strided look at 84x84 images."""
    convolutions = [_Contrast(), nn.Conv2d(shape[0], 16 * width, 8, stride=4), nn.ReLU(),
                    nn.Conv2d(16 * width, 32 * width, 4, stride=2), nn.ReLU()]
    return _headed(convolutions, shape, 128 * width, outputs)


def _nature(shape: Shape, outputs: int, width: int) -> nn.Module:
    """Mnih and others 2015; `width` 2 is the network as published."""
    convolutions = [nn.Conv2d(shape[0], 16 * width, 8, stride=4), nn.ReLU(),
                    nn.Conv2d(16 * width, 32 * width, 4, stride=2), nn.ReLU(),
                    nn.Conv2d(32 * width, 32 * width, 3, stride=1), nn.ReLU()]
    return _headed(convolutions, shape, 256 * width, outputs)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        inner = self.first(torch.relu(features))
        return features + cast(Tensor, self.second(torch.relu(inner)))


def _impala(shape: Shape, outputs: int, width: int) -> nn.Module:
    """Espeholt and others 2018, with filters `16 K`, `32 K`, `32 K` as in the paper."""
    layers: list[nn.Module] = []
    channels = shape[0]
    for filters in (16 * width, 32 * width, 32 * width):
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.MaxPool2d(3, 2, padding=1),
                   _Residual(filters), _Residual(filters)]
        channels = filters
    return _headed([*layers, nn.ReLU()], shape, 256, outputs)


def _mlp(shape: Shape, outputs: int, width: int) -> nn.Module:
    hidden = 64 * width
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), hidden), nn.ReLU(),
                         nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def _headed(layers: list[nn.Module], shape: Shape, hidden: int, outputs: int) -> nn.Module:
    """Append the fully connected layers, sized by trying the convolutions on a zero image."""
    features = nn.Sequential(*layers, nn.Flatten())
    try:
        with torch.no_grad():
            size = features(torch.zeros(1, *shape)).shape[1]
    except RuntimeError as error:
        raise LearningError(f"images of shape {shape} are too small for this network") from error
    return nn.Sequential(features, nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


KINDS: dict[str, tuple[Callable[[Shape, int, int], nn.Module], int]] = {
    "small": (_small, 1),
    "nature": (_nature, 2),
    "impala": (_impala, 1),
    "mlp": (_mlp, 1),
}
"""Maker of each kind, and its width when the name gives none."""
