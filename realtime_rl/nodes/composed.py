"""Several nodes in one process: what one publishes, the others have without a system call.

They are the same nodes with the same topics, parameters and services; one thread runs them. Such a
process lives and dies as a whole.

    composed plant inference actuator --ros-args --params-file graph.yaml
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from rclpy.node import Node

from realtime_rl.core.errors import choices
from realtime_rl.policies.host import threads_hang
from realtime_rl.ros import priorities, runtime
from realtime_rl.ros.processes import COMPOSED

_SWITCH_S = 0.0005
"""How long a thread that computes may keep the interpreter from the one that ticks [s]."""


def main(words: Sequence[str] = sys.argv[1:]) -> int:
    """Run the nodes that stand before `--ros-args`."""
    wanted = list(words[:words.index("--ros-args")] if "--ros-args" in words else words)
    group = next((name for name, members in COMPOSED.items()
                  if wanted and set(wanted) <= set(members)), None)
    if group is None:
        print(f"composed: error: {' '.join(wanted) or 'no nodes'}: name some of "
              f"{' or of '.join(choices(members) for members in COMPOSED.values())}",
              file=sys.stderr)
        return 2
    acting = group == next(iter(COMPOSED))
    sys.setswitchinterval(_SWITCH_S)
    status = runtime.main_of(
        [_maker(name) for name in wanted],
        priorities.Priority.REALTIME if acting else priorities.Priority.BACKGROUND, group)
    if threads_hang():
        sys.stdout.flush()
        os._exit(status)  # the interpreter's own end would meet them in what it takes down
    return status


def _maker(name: str) -> Callable[[], Node]:
    """Return what makes a node; only what is wanted is imported."""
    if name == "plant":
        from realtime_rl.nodes.plant import PlantNode as Kind
    elif name == "robot":
        from realtime_rl.nodes.robot import RobotNode as Kind
    elif name == "inference":
        from realtime_rl.nodes.inference import InferenceNode as Kind
    elif name == "actuator":
        from realtime_rl.nodes.actuator import ActuatorNode as Kind
    elif name == "coordinator":
        from realtime_rl.nodes.coordinator import CoordinatorNode as Kind
    elif name == "monitor":
        from realtime_rl.nodes.monitor import MonitorNode as Kind
    else:
        from realtime_rl.nodes.recorder import RecorderNode as Kind
    return Kind


if __name__ == "__main__":
    sys.exit(main())
