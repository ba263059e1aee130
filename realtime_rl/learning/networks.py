"""Networks: `small`, `keypoints`, `mlp`; the paper's `nature:K`, `impala:K`, `impala_deep:K`.

All take a batch of stacked observations as the plant gives them: uint8 is scaled to [0, 1]
inside, so that the exported file needs no preparation of its input. They return one value a
choice (discrete actions) or actions within their limits (continuous ones).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import cast

import torch
from torch import Tensor, nn

from realtime_rl.core.errors import choices
from realtime_rl.core.settings.dqn_config import AUTO, network_for
from realtime_rl.core.types import ActionSpace, ObservationSpec
from realtime_rl.learning import bodies, heads
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.heads import PLAIN, Head


class PolicyNetwork(nn.Module):
    """A body with the scaling of its inputs and outputs.

    In training mode noisy layers are noisy; in evaluation mode nothing is.
    """

    support: Tensor
    """`(atoms,)`: the returns of a distributional network; one of 0 for any other."""

    def __init__(self, body: nn.Sequential, observation: ObservationSpec, actions: ActionSpace,
                 head: Head = PLAIN) -> None:
        """Wrap `body`, whose output has `head.atoms` numbers a choice or a dimension.

        The first layer of `body` makes the features; a history of actions is appended to them.
        """
        super().__init__()
        self.body = body
        self._scale = 1.0 / 255.0 if observation.dtype == "uint8" else 1.0
        low, high = torch.tensor(actions.low), torch.tensor(actions.high)
        self.register_buffer("centre", (high + low) / 2)
        self.register_buffer("reach", (high - low) / 2)
        self.register_buffer(
            "support", torch.linspace(head.low, head.high, head.atoms), persistent=head.atoms > 1)
        self._bounded = not actions.discrete
        self._shape = (-1, actions.size, head.atoms)

    def forward(self, observation: Tensor, history: Tensor | None = None) -> Tensor:
        """Map observations to `(batch, actions.size)` float32.

        Args:
            observation: `(batch, stack * C, …)`.
            history: `(batch, length, actions.size)`, for a network that was built for one.
        """
        if self._shape[2] > 1:
            probabilities = torch.softmax(self.logits(observation, history), dim=2)
            return (probabilities * self.support).sum(dim=2)
        values = self._outputs(observation, history)
        if self._bounded:
            return cast(Tensor, self.centre) + cast(Tensor, self.reach) * torch.tanh(values)
        return values

    def logits(self, observation: Tensor, history: Tensor | None = None) -> Tensor:
        """Map what `forward` takes to `(batch, actions.size, atoms)`, before the softmax."""
        return self._outputs(observation, history).reshape(self._shape)

    def _outputs(self, observation: Tensor, history: Tensor | None) -> Tensor:
        features, *head = self.body
        found: Tensor = features(observation.float() * self._scale)
        if history is not None:
            found = torch.cat([found, history.flatten(1)], dim=1)
        for layer in head:
            found = layer(found)
        return found


def build(
    name: str, observation: ObservationSpec, stack: int, actions: ActionSpace, seed: int, *,
    head: Head = PLAIN, history: int = 0, device: str = "cpu"
) -> PolicyNetwork:
    """Build a network with initial weights that follow from `seed` alone.

    Args:
        name: a kind, or `kind:K` with K the paper's width, as `impala:7`, `impala:1/16`; or
            `auto`, the one that follows from the observation.
        observation: one observation of the plant.
        stack: how many are joined along the first axis.
        actions: the plant's actions.
        seed: of the weights.
        head: which parts of Rainbow it has; for discrete actions.
        history: how many applied actions it takes beside the observation.
        device: torch's name of where the weights are; `meta`: shapes only, nothing allocated.

    Raises:
        LearningError: the name is unknown, or the network cannot take such observations.
    """
    kind, width = parse(network_for(name, observation))
    shape = (stack * observation.shape[0], *observation.shape[1:])
    if kind != "mlp" and len(shape) != 3:
        raise LearningError(f"network {name!r} takes images, not observations '{observation}'; "
                            "take 'mlp'")
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.manual_seed(seed)
        features, size, hidden = bodies.make(kind, shape, width)
        body = nn.Sequential(features, *heads.make(
            size + history * actions.size, hidden, actions.size, head))
        return PolicyNetwork(body, observation, actions, head)


def parse(name: str) -> tuple[str, Fraction | None]:
    """Split `impala:7` into kind and width (`None`: the kind's own); `LearningError` if unfit."""
    kind, colon, text = name.partition(":")
    readable = re.fullmatch(r"\d+(/\d+|\.\d+)?", text) is not None
    if kind in bodies.KINDS and not colon:
        return kind, None
    if kind in bodies.KINDS and readable and not re.search(r"/0+$", text):
        width = Fraction(text)
        if width > 0:
            return kind, width
    raise LearningError(f"network {name!r} is not one of {choices([AUTO, *bodies.KINDS])}, "
                        "with a width above 0 like 'impala:7' or 'impala:1/16'")


def parameter_count(network: nn.Module) -> int:
    """Return how many weights a network has."""
    return sum(weights.numel() for weights in network.parameters())


def flat(network: nn.Module) -> Tensor:
    """Return a copy of all weights, `(parameters,)`."""
    return torch.cat([weights.detach().flatten() for weights in network.parameters()])


def share(network: nn.Module, memory: Tensor) -> None:
    """Let the weights of `network` be those in `memory`, laid out as `flat` does, uncopied."""
    start = 0
    for weights in network.parameters():
        weights.data = memory[start:start + weights.numel()].view(weights.shape)
        start += weights.numel()
