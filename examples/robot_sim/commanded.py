"""What a robot was commanded, reckoned: steps, velocities, accelerations, and fresh starts. Pure.

Velocity is a step by the period, and acceleration the change of it by the period, however long ago
the command before came: a message that came early or late moves nothing faster, and one that makes
up for those that did not come is a jump. After a silence of half a second a robot may be taken up
anew: such a command is compared with where the joints were measured, as the very first is.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from examples.robot_sim.log import Record

Limits = dict[str, dict[str, float]]
OF_TWISTS = {"linear.x": "vx", "angular.z": "wz"}
"""What a contract calls the elements of a twist, which are velocities themselves."""
_ANEW_S = 0.5


@dataclass(slots=True)
class Commands:
    """The commands on a topic that the robot took; times [s], values of shape (count, joints)."""

    names: tuple[str, ...]
    times: list[float] = field(default_factory=list)
    values: list[list[float]] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one joint: the extremes of its commands."""

    low: float
    high: float
    step: float
    velocity: float
    acceleration: float


@dataclass(frozen=True, slots=True)
class Taken:
    """How a robot was taken up: first, and after each long silence."""

    anew: NDArray[np.bool_]
    """Of each command but the first: it does not go on from the one before. It came after a long
    silence, and is nearer to where the joints were than to that command."""
    from_measured: list[NDArray[np.float64] | None]
    """How far from the measured joints the very first command was, and each that began anew;
    `None`: nothing was measured before it."""


def taken_up(commands: Commands, states: Sequence[Record], joints: Sequence[str]) -> Taken:
    """Say how a robot was taken up; of what has no measured joints nothing begins anew."""
    values, silent = np.array(commands.values), np.diff(commands.times) > _ANEW_S
    begins = np.zeros(len(silent), np.bool_)
    if not commands.times or not set(commands.names) <= set(joints):
        return Taken(begins, [])
    order = [joints.index(name) for name in commands.names]
    measured_at = [state["t"] for state in states]

    def way(place: int) -> NDArray[np.float64] | None:
        state = bisect.bisect_right(measured_at, commands.times[place]) - 1
        return (None if state < 0
                else values[place] - np.array(states[state]["position"])[order])

    found = [way(0)]
    for place in map(int, np.flatnonzero(silent)):
        from_joints, step = way(place + 1), values[place + 1] - values[place]
        begins[place] = from_joints is not None and (np.abs(from_joints).max()
                                                     < np.abs(step).max())
        if begins[place]:
            found.append(from_joints)
    return Taken(begins, found)


def motion(values: NDArray[np.float64], anew: NDArray[np.bool_], period_s: float,
           ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return steps, velocities and accelerations between commands, each of shape (…, joints).

    A command that begins anew has neither velocity nor acceleration: the robot stood.
    """
    steps = np.diff(values, axis=0)
    begins = anew[:, np.newaxis]
    velocities = np.where(begins, 0.0, steps / period_s)
    before = np.vstack([np.zeros((1, values.shape[1])), velocities])  # it began at rest
    return steps, velocities, np.where(begins, 0.0, np.diff(before, axis=0) / period_s)


def figures(commands: Commands, anew: NDArray[np.bool_], period_s: float) -> dict[str, Figures]:
    """Return the figures of each joint, of two commands or more."""
    values = np.array(commands.values)
    if len(values) < 2:
        return {}
    steps, velocities, accelerations = motion(values, anew, period_s)
    steps = np.where(anew[:, np.newaxis], 0.0, steps)
    largest = [np.abs(each).max(axis=0) for each in (steps, velocities, accelerations)]
    return {name: Figures(*(float(each[index]) for each in
                            (values.min(axis=0), values.max(axis=0), *largest)))
            for index, name in enumerate(commands.names)}


def offences(found: dict[str, Figures], limits: Limits, period_s: float,
             tolerance: float) -> list[str]:
    """Say which limit which joint was commanded beyond."""
    lines = []
    for name, joint in found.items():
        own = limits.get(name, {})
        # float32 on the way, in what is divided by the period once or twice
        values = {"max_velocity": (max(-joint.low, joint.high), 0),
                  "max_acceleration": (joint.velocity, 1)} if name in OF_TWISTS else {
            "min_position": (-joint.low, 0), "max_position": (joint.high, 0),
            "max_step": (joint.step, 0), "max_velocity": (joint.velocity, 1),
            "max_acceleration": (joint.acceleration, 2)}
        for limit, (value, order) in values.items():
            if limit not in own:
                continue
            allowed = -own[limit] if limit == "min_position" else own[limit]
            if value > allowed + tolerance / period_s**order:
                sign = -1 if limit == "min_position" else 1
                lines.append(f"{name}: {sign * value:.6g} is beyond {limit} {own[limit]:.6g}")
    return lines


def jumps(commands: Commands, taken: Taken, limits: Limits, period_s: float) -> list[str]:
    """Say which joint was taken up anew farther from where it was than it may go in a period."""
    lines = []
    for each in taken.from_measured[1:]:
        for name, way in zip(commands.names, [] if each is None else np.abs(each), strict=False):
            most = limits.get(name, {}).get("max_velocity")
            if most is not None and way > most * period_s:
                lines.append(f"{name}: taken up anew {way:.6g} from where it was measured")
    return lines
