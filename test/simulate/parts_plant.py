"""A plant whose observation has two parts: a coloured picture, and a vector with named elements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from simulate.tiny_plant import Echo

from realtime_rl.core.observations import observed, parse
from realtime_rl.core.types import Action, Transition

PARTS = parse("front=uint8[3,24,24] 0:255; arm=float32[2] 0:1 a,b")


class Parted(Echo):
    """Lights one of two colours and says it by one of two numbers; pays 1 for the one before."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.spec = replace(self.spec, name="parted", observation=PARTS)

    def step(self, action: Action) -> Transition:
        base = super().step(action)
        picture = np.zeros((3, 24, 24), np.uint8)
        picture[self._shown, self._tick % 24] = 255
        return replace(base, observation=observed(
            PARTS, {"front": picture, "arm": base.observation}))
