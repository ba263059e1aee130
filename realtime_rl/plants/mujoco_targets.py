"""Where a simulated robot's targets are."""

from __future__ import annotations

import math

import numpy as np

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.core.robot.contract import Contract
from realtime_rl.plants.mujoco_model import Body, Values
from realtime_rl.plants.mujoco_options import MujocoOptions

_LOWEST_M, _NEAREST_M = 0.03, 0.08
"""A target is above the table, and not where the tip is at the start."""
_RING_M = 0.8, 1.6
_KINDS = "reach", "ring"
_TRIES = 1000


class Targets:
    """Draws targets that can be reached."""

    def __init__(self, body: Body, contract: Contract, options: MujocoOptions) -> None:
        """See the options; `PlantError` where they do not fit the model."""
        self._ring = options.target == "ring"
        self._place = None if options.target in _KINDS else _place(options.target)
        if self._ring or self._place is not None:
            return
        self._body, self._reach = body, options.reach
        moving = options.moving.split() or list(contract.elements)
        self._joints = body.at(moving)
        self._low, self._high = body.model.jnt_range[[body.joint(name) for name in moving]].T
        self._tip = _tip(body, options.tip)
        self._start = body.tip_with([], np.zeros(0), self._tip)

    def draw(self, random: np.random.Generator) -> Values:
        """Return a target [m]; `PlantError` where none is found."""
        if self._place is not None:
            return np.array(self._place)
        if self._ring:
            distance, angle = random.uniform(*_RING_M), random.uniform(-math.pi, math.pi)
            return np.array([distance * math.cos(angle), distance * math.sin(angle), 0.0])
        home = self._body.home[self._joints]
        for _ in range(_TRIES):
            share = random.uniform(-self._reach, self._reach, len(self._joints))
            wanted = np.clip(home + share * (self._high - self._low) / 2, self._low, self._high)
            place = self._body.tip_with(self._joints, wanted, self._tip)
            if place[2] > _LOWEST_M and np.linalg.norm(place - self._start) > _NEAREST_M:
                return place
        raise PlantError("plant 'mujoco': no target is above the table and away from the start; "
                         "give a larger option reach, or other joints in moving")


def _place(text: str) -> Values:
    try:
        place = np.array(text.split(), float)
    except ValueError:
        place = np.zeros(0)
    if place.shape != (3,) or not np.isfinite(place).all():
        raise PlantError(f"plant 'mujoco', option target: {text!r} is neither one of "
                         f"{choices(_KINDS)} nor a place [m], as '0.2 0.1 0.15'")
    return place


def _tip(body: Body, name: str) -> int:
    sites = [str(body.model.site(index).name) for index in range(body.model.nsite)]
    if not sites or (name and name not in sites):
        raise PlantError(f"plant 'mujoco', option tip: {name!r} is no site of the model, which has "
                         f"{choices(sites) or 'none'}")
    return sites.index(name) if name else len(sites) - 1
