"""A small contract, of which a test changes what it is about."""

from __future__ import annotations

import copy
from typing import Any

from realtime_rl.core.robot import contract_reading
from realtime_rl.core.robot.contract import Contract

ARM: dict[str, Any] = {
    "period": 0.02,
    "observations": ["state"],
    "observation": {"state": {"sources": ["joints"]}},
    "source": {"joints": {
        "topic": "/joint_states", "type": "sensor_msgs/msg/JointState",
        "fields": ["position.j1", "position.j2", "velocity.j1"], "max_age": 0.05}},
    "actions": ["arm"],
    "action": {"arm": {"topic": "/commands", "type": "std_msgs/msg/Float64MultiArray",
                       "names": ["j1", "j2"], "mode": "position"}},
    "limits": {name: {"min_position": -2.0, "max_position": 2.0, "max_velocity": 1.5}
               for name in ("j1", "j2")},
}
CAMERA = {"topic": "/image", "type": "sensor_msgs/msg/Image", "max_age": 0.2,
          "image": {"width": 8, "height": 4}}


def changed(**changes: Any) -> dict[str, Any]:
    """The arm's parameters, with others by their dotted names, `.` written as `__`; None: absent.
    """
    values = copy.deepcopy(ARM)
    for name, value in changes.items():
        *path, last = name.split("__")
        section = values
        for part in path:
            section = section.setdefault(part, {})
        if value is None:
            del section[last]
        else:
            section[last] = copy.deepcopy(value)
    return values


def arm(**changes: Any) -> Contract:
    """The arm's contract, with changes as of `changed`."""
    return contract_reading.read(changed(**changes))
