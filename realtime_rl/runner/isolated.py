"""Prepares a scenario in a process of its own, for `ros2 launch`.

`ros2` runs in the interpreter that ROS 2 was built for; where a venv is active, that is the nodes'
alone, and the libraries are in it. And what is done to look for a second graph lasts for a process:
its environment, and Fast DDS' profile.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from realtime_rl import strict_json
from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.core.settings.config import build
from realtime_rl.core.settings.parameters import Scenario
from realtime_rl.ros.environment import adopt
from realtime_rl.ros.graph import NodeSpec
from realtime_rl.runner.last_checks import check_last
from realtime_rl.runner.prepare import prepare


@dataclass(frozen=True, slots=True)
class Described:
    """What there is to start, and what is to be said of it before."""

    scenario: Scenario
    nodes: list[NodeSpec]
    remarks: list[str]
    rate: str = ""
    """How the plant's period comes about."""


def describe(config: str, assignments: Sequence[str], within: str = "") -> Described:
    """Prepare a scenario in the interpreter of the nodes, and look whether it runs already.

    Args:
        config: as `prepare`.
        assignments: as `prepare`.
        within: as `prepare`.

    Raises:
        ConfigError: it cannot be started; one line says why.
    """
    python = shutil.which("python3") or sys.executable  # as the first line of every node's script
    asked = strict_json.dumps([config, list(assignments), within])
    # by its path: with `-m` a clone in the working directory would go before what is installed
    done = subprocess.run([python, __file__, asked], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise ConfigError(words[-1] if words else f"{python} ended with status {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Described(build(Scenario, answer["scenario"]), [_node(item) for item in answer["nodes"]],
                     answer["remarks"], answer["rate"])


def _node(item: dict[str, Any]) -> NodeSpec:
    values = {name: tuple(value) if isinstance(value, list) else value
              for name, value in item.pop("parameters").items()}
    return NodeSpec(parameters=values, **item)


def _tell(config: str, assignments: list[str], within: str) -> None:
    prepared = prepare(config, assignments, within)
    remarks = [*prepared.remarks, *adopt(), *check_last(prepared)]
    print(strict_json.dumps({"scenario": dataclasses.asdict(prepared.scenario),
                      "nodes": [dataclasses.asdict(node) for node in prepared.nodes],
                      "remarks": remarks, "rate": prepared.plant.rate}))


if __name__ == "__main__":
    try:
        _tell(*json.loads(sys.argv[1]))
    except RealtimeRlError as error:
        sys.exit(str(error))
