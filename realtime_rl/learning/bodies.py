"""What networks see with: from stacked observations to one vector of features.

`nature` and `impala` are those of the paper's reference code (github.com/CERC-AAI/realtime_rl,
`model/architectures.py`): convolutions and pools that lead into the next sequence are not padded,
and a fully connected layer of 512 follows. `K` multiplies the filters; it may be a fraction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from realtime_rl.learning.errors import LearningError

Shape = tuple[int, ...]


class Body(NamedTuple):
    """Layers up to the features."""

    features: nn.Sequential
    """Maps `(batch, *shape)` float32 to `(batch, size)`."""
    size: int
    hidden: int
    """Width of the fully connected layer that belongs behind them."""


class Kind(NamedTuple):
    """One kind of body."""

    make: Callable[[Shape, Fraction], tuple[list[nn.Module], int]]
    """`(shape, K) -> (layers, width of the fully connected layer)`."""
    default_width: int


def make(kind: str, shape: Shape, width: Fraction | None) -> Body:
    """Make the body `kind` for observations of `shape`; `width` K, or the kind's default.

    Raises:
        LearningError: K leaves a layer without filters, or the images are too small.
    """
    maker, default_width = KINDS[kind]
    layers, hidden = maker(shape, Fraction(default_width) if width is None else width)
    features = nn.Sequential(*layers, nn.Flatten())
    return Body(features, _size(features, shape), hidden)


class Encoders(nn.Module):
    """Features of several parts, a body each, one after another."""

    def __init__(self, bodies: list[nn.Sequential]) -> None:
        """Take the features of each part, in order."""
        super().__init__()
        self.parts = nn.ModuleList(bodies)

    def forward(self, *parts: Tensor) -> Tensor:
        """Map `(batch, *shape)` float32 of each part to `(batch, sum of sizes)`."""
        return torch.cat([body(part) for body, part in zip(self.parts, parts, strict=True)], dim=1)


class _Contrast(nn.Module):
    """Brings every image to mean 0 and deviation 1.

    A few dark objects on a bright ground are nearly all the same number; without this most of the
    first updates go into taking the ground away.
    """

    def forward(self, images: Tensor) -> Tensor:
        images = images - images.mean(dim=(1, 2, 3), keepdim=True)
        deviation = images.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return images / deviation.clamp(min=1e-3)


class Keypoints(nn.Module):
    """Where each map is brightest, as x and y from -1 to 1: a softmax's mean place.

    Levine and others 2016, "End-to-End Training of Deep Visuomotor Policies".
    """

    def __init__(self, maps: int) -> None:
        """Begin as sharp as a plain softmax."""
        super().__init__()
        self.sharpness = nn.Parameter(torch.ones(maps, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Map `(batch, maps, height, width)` to `(batch, 2 * maps)`: all x, then all y."""
        height, width = maps.shape[2:]
        shares = torch.softmax(maps.flatten(2) * self.sharpness, dim=2).reshape(
            -1, *maps.shape[1:])
        x = shares.sum(dim=2) @ torch.linspace(-1.0, 1.0, width, device=maps.device)
        y = shares.sum(dim=3) @ torch.linspace(-1.0, 1.0, height, device=maps.device)
        return torch.cat([x, y], dim=1)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        inner = self.first(torch.relu(features))
        return features + cast(Tensor, self.second(torch.relu(inner)))


def _small(shape: Shape, width: Fraction) -> tuple[list[nn.Module], int]:
    """Quick on one CPU thread, and quick to learn: a strided look at 84x84 images."""
    first, second = _times(16, width), _times(32, width)
    return [_Contrast(), nn.Conv2d(shape[0], first, 8, stride=4), nn.ReLU(),
            nn.Conv2d(first, second, 4, stride=2), nn.ReLU()], _times(128, width)


def _keypoints(shape: Shape, width: Fraction) -> tuple[list[nn.Module], int]:
    """Learns from few pictures, if what matters is where a few objects are; quick on one thread."""
    filters = _times(16, width)
    return [_Contrast(), nn.Conv2d(shape[0], filters, 8, stride=4), nn.ReLU(),
            nn.Conv2d(filters, filters, 3), Keypoints(filters)], _times(128, width)


def _nature(shape: Shape, width: Fraction) -> tuple[list[nn.Module], int]:
    """Mnih and others 2015; K = 2 is the network as published."""
    first, second = _times(16, width), _times(32, width)
    return [nn.Conv2d(shape[0], first, 8, stride=4), nn.ReLU(),
            nn.Conv2d(first, second, 4, stride=2), nn.ReLU(),
            nn.Conv2d(second, second, 3, stride=1), nn.ReLU()], 512


def _sequences(shape: Shape, width: Fraction, strides: tuple[int, ...]
               ) -> tuple[list[nn.Module], int]:
    """Espeholt and others 2018: a convolution, a pool and two residual blocks a stride."""
    layers: list[nn.Module] = []
    channels = shape[0]
    for index, stride in enumerate(strides):
        filters = _times(16 if index == 0 else 32, width)
        layers += [nn.Conv2d(channels, filters, 3), nn.MaxPool2d(3, stride),
                   _Residual(filters), _Residual(filters)]
        channels = filters
    return [*layers, nn.ReLU()], 512


def _impala(shape: Shape, width: Fraction) -> tuple[list[nn.Module], int]:
    return _sequences(shape, width, (2, 2, 2))


def _impala_deep(shape: Shape, width: Fraction) -> tuple[list[nn.Module], int]:
    """Twice as many sequences, of which only two halve the image: the paper's for Atari."""
    return _sequences(shape, width, (2, 1, 1, 1, 2, 1))


def _mlp(shape: Shape, width: Fraction) -> tuple[list[nn.Module], int]:
    hidden = _times(64, width)
    return [nn.Flatten(), nn.Linear(math.prod(shape), hidden), nn.ReLU()], hidden


def _times(filters: int, width: Fraction) -> int:
    """Return `filters` times K, rounded down."""
    count = int(filters * width)
    if count < 1:
        raise LearningError(f"a width of {width} leaves none of {filters} filters")
    return count


def _size(features: nn.Sequential, shape: Shape) -> int:
    """Return how many features there are, without computing or allocating any."""
    weights = {name: weight.to("meta") for name, weight in features.named_parameters()}
    try:
        with torch.no_grad():
            image = torch.zeros(1, *shape, device="meta")
            found = cast(Tensor, torch.func.functional_call(features, weights, image))
    except RuntimeError as error:
        raise LearningError(f"images of shape {shape} are too small for this network") from error
    return found.shape[1]


KINDS: dict[str, Kind] = {
    "small": Kind(_small, 1),
    "keypoints": Kind(_keypoints, 1),
    "nature": Kind(_nature, 2),
    "impala": Kind(_impala, 1),
    "impala_deep": Kind(_impala_deep, 1),
    "mlp": Kind(_mlp, 1),
}
