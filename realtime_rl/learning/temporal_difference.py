"""What an update makes small: how far action values are from what the next ones say they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from realtime_rl.core.experience.action_history import History, encode
from realtime_rl.core.observations import Observation, split
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace
from realtime_rl.learning import distributional, heads
from realtime_rl.learning.batch import Batch
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.networks import PolicyNetwork


class TemporalDifference:
    """Of values, or of their distributions, by a network and its target."""

    def __init__(
        self, config: DqnConfig, actions: ActionSpace,
        networks: tuple[PolicyNetwork, PolicyNetwork], device: torch.device,
        noise: torch.Generator
    ) -> None:
        """Compare `networks`, the one that learns and its target, which are on `device`.

        Noisy ones draw from `noise`.
        """
        self._config = config
        self._actions = actions
        self._network, self._target = networks
        self._device = device
        self._noise = noise

    def of(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return loss and error of each transition, both `(B,)`, under fresh noise if noisy."""
        for network in (self._network, self._target):
            heads.draw_noise(network.train(), self._noise)
        try:
            return (self._of_distributions if self._config.distributional
                    else self._of_values)(batch)
        finally:
            self._network.eval()

    def _of_values(self, batch: Batch) -> tuple[Tensor, Tensor]:
        action = self.there(batch.action)[:, None]
        inputs = self.inputs(batch.observation, batch.history)
        values = self._network(*inputs).gather(1, action)[:, 0]
        with torch.no_grad():
            inputs = self.inputs(batch.next_observation, batch.next_history)
            following: Tensor = self._target(*inputs)
            best = self._best(inputs, following)
            wanted = (self.there(batch.reward) + self.there(batch.discount)
                      * following.gather(1, best[:, None])[:, 0])
        loss = functional.smooth_l1_loss if self._config.huber else functional.mse_loss
        return loss(values, wanted, reduction="none"), values - wanted

    def _of_distributions(self, batch: Batch) -> tuple[Tensor, Tensor]:
        rows = torch.arange(len(batch.action), device=self._device)
        logits = self._network.logits(*self.inputs(batch.observation, batch.history))
        support = self._network.support
        with torch.no_grad():
            inputs = self.inputs(batch.next_observation, batch.next_history)
            following = torch.softmax(self._target.logits(*inputs), dim=2)
            best = self._best(inputs, (following * support).sum(dim=2))
            wanted = distributional.project(
                self.there(batch.reward), self.there(batch.discount),
                following[rows, best], support)
        losses = distributional.cross_entropy(
            wanted, logits[rows, self.there(batch.action)])
        return losses, losses

    def inputs(self, observation: Observation, history: Sequence[History]) -> tuple[Tensor, ...]:
        """Return B observations as the networks take them, with their histories if they do."""
        seen = tuple(map(self.there, split(observation)))
        length = self._config.action_history
        if not length:
            return seen
        if any(len(each) != length for each in history):
            raise LearningError(f"a network with action_history {length} needs as many applied "
                                f"actions beside each observation, not {len(history[0])}: give "
                                "the assembler the same history")
        return *seen, self.there(encode(history, self._actions))

    def there(self, array: NDArray[Any]) -> Tensor:
        """Return an array as a tensor where the network is."""
        return torch.from_numpy(array).to(self._device)

    def _best(self, inputs: tuple[Tensor, ...], following: Tensor) -> Tensor:
        """Choose the actions, `(B,)`, at `inputs`, whose values by the target are `following`."""
        if not self._config.double:
            return following.argmax(1)
        values: Tensor = self._network(*inputs)
        return values.argmax(1)
