"""Gradients of learners beside one another, emulated in one: what one learner began, others pass.

Each of `K` staggered learners computes a gradient of the weights that it found, and adds it to what
they are by then: `K - 1` updates of the others lie between. The optimizer's moments are shared, as
by the shared statistics of Mnih and others (2016).
"""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from torch import Tensor, nn

from realtime_rl.core.experience.snapshot import Snapshot

_NAME = "under_way"


class UnderWay:
    """The gradients that were begun and are not yet applied, oldest first."""

    def __init__(self, learners: int) -> None:
        """Begin with none; `learners` is K, 1 or more: with 1 nothing ever waits."""
        self.learners = learners
        self._gradients: deque[list[Tensor]] = deque()

    def exchange(self, network: nn.Module) -> bool:
        """Put the gradient that `network` has under way, and give it the one that is due.

        False while none is: the first learners have only begun.
        """
        if self.learners == 1:
            return True
        mine = [weight for weight in network.parameters() if weight.grad is not None]
        self._gradients.append([weight.grad.clone() for weight in mine if weight.grad is not None])
        if len(self._gradients) < self.learners:
            return False
        for weight, due in zip(mine, self._gradients.popleft(), strict=True):
            weight.grad = due
        return True

    def save(self, snapshot: Snapshot, *, contents: bool) -> None:
        """Write what is under way, with `contents`; without, it is as if none had begun."""
        found = list(self._gradients) if contents else []
        snapshot.values[_NAME] = [len(gradients) for gradients in found]
        for age, gradients in enumerate(found):
            for index, gradient in enumerate(gradients):
                snapshot.arrays[f"{_NAME}.{age}.{index}"] = gradient.cpu().numpy().copy()

    def load(self, snapshot: Snapshot, device: torch.device) -> None:
        """See `Saveable`; older snapshots have none."""
        self._gradients = deque(
            [torch.from_numpy(np.array(snapshot.arrays[f"{_NAME}.{age}.{index}"])).to(device)
             for index in range(count)]
            for age, count in enumerate(snapshot.values.get(_NAME, [])))
