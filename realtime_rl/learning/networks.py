"""Networks: `small`, `keypoints`, `mlp`; the paper's `nature:K`, `impala:K`, `impala_deep:K`.

All take a batch of stacked observations as the plant gives them: uint8 is scaled to [0, 1]
inside, so that the exported file needs no preparation of its input. Of an observation of several
parts, each has a body of its own, pictures the one that is named, all else an `mlp`; what they
make of it is joined before the head. They return one value a choice (discrete actions) or actions
within their limits (continuous ones).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import cast

import torch
from torch import Tensor, nn

from realtime_rl.core.errors import choices
from realtime_rl.core.observations import Observations, ObservationSpec
from realtime_rl.core.settings.dqn_config import AUTO, VECTORS, is_picture, network_for
from realtime_rl.core.types import ActionSpace
from realtime_rl.learning import bodies, heads
from realtime_rl.learning.bodies import Body, Encoders
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.heads import PLAIN, Head


class PolicyNetwork(nn.Module):
    """A body with the scaling of its inputs and outputs.

    In training mode noisy layers are noisy; in evaluation mode nothing is.
    """

    support: Tensor
    """`(atoms,)`: the returns of a distributional network; one of 0 for any other."""

    def __init__(self, body: nn.Sequential, observation: Observations, actions: ActionSpace,
                 head: Head = PLAIN) -> None:
        """Wrap `body`, whose output has `head.atoms` numbers a choice or a dimension.

        The first layer of `body` makes the features; a history of actions is appended to them.
        """
        super().__init__()
        self.body = body
        self._scales = [1.0 / 255.0 if part.dtype == "uint8" else 1.0
                        for part in observation.parts]
        low, high = torch.tensor(actions.low), torch.tensor(actions.high)
        self.register_buffer("centre", (high + low) / 2)
        self.register_buffer("reach", (high - low) / 2)
        self.register_buffer(
            "support", torch.linspace(head.low, head.high, head.atoms), persistent=head.atoms > 1)
        self._bounded = not actions.discrete
        self._shape = (-1, actions.size, head.atoms)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map observations to `(batch, actions.size)` float32.

        Args:
            inputs: `(batch, stack * C, …)` of each part; then `(batch, length, actions.size)`, for
                a network that was built for a history of actions.
        """
        if self._shape[2] > 1:
            probabilities = torch.softmax(self.logits(*inputs), dim=2)
            return (probabilities * self.support).sum(dim=2)
        values = self._outputs(*inputs)
        if self._bounded:
            return cast(Tensor, self.centre) + cast(Tensor, self.reach) * torch.tanh(values)
        return values

    def logits(self, *inputs: Tensor) -> Tensor:
        """Map what `forward` takes to `(batch, actions.size, atoms)`, before the softmax."""
        return self._outputs(*inputs).reshape(self._shape)

    def _outputs(self, *inputs: Tensor) -> Tensor:
        features, *head = self.body
        count = len(self._scales)
        found: Tensor = features(*(part.float() * scale for part, scale
                                   in zip(inputs[:count], self._scales, strict=True)))
        for history in inputs[count:]:
            found = torch.cat([found, history.flatten(1)], dim=1)
        for layer in head:
            found = layer(found)
        return found


def build(
    name: str, observation: Observations, stack: int, actions: ActionSpace, seed: int, *,
    head: Head = PLAIN, history: int = 0, device: str = "cpu"
) -> PolicyNetwork:
    """Build a network with initial weights that follow from `seed` alone.

    Args:
        name: a kind, or `kind:K` with K the paper's width, as `impala:7`, `impala:1/16`; or
            `auto`, the one that follows from the observation.
        observation: one observation of the plant, of one part or several.
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
    parts = observation.parts
    if kind != VECTORS and not any(len(part.shape) == 3 for part in parts):
        raise LearningError(f"network {name!r} takes images, not observations '{observation}'; "
                            "set learner.network=mlp, or auto")
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.manual_seed(seed)
        made = [_body_of(part, stack, kind, width, alone=len(parts) == 1) for part in parts]
        features = made[0].features if len(made) == 1 else Encoders(
            [each.features for each in made])
        body = nn.Sequential(features, *heads.make(
            sum(each.size for each in made) + history * actions.size,
            max(each.hidden for each in made), actions.size, head))
        return PolicyNetwork(body, observation, actions, head)


def _body_of(part: ObservationSpec, stack: int, kind: str, width: Fraction | None, *,
             alone: bool) -> Body:
    """Make the body of a part: where there are others, only pictures get that of pictures."""
    if not alone and not is_picture(part):
        kind, width = VECTORS, width if kind == VECTORS else None
    return bodies.make(kind, part.stacked_shape(stack), width)


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
