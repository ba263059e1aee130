"""What a robot's contract, which its node put into the bag, says of the numbers in its records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import yaml

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.figures.robot_figures import RobotNames
from realtime_rl.core.robot import contract_reading
from realtime_rl.core.robot.contract_choices import Mode

_PARAMETERS = "ros__parameters"
_PLACES = (Mode.POSITION, Mode.DELTA)


def names_in(text: str) -> RobotNames:
    """Read a contract, a ROS 2 parameter file; `ConfigError` where it is none."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {' '.join(str(error).split())}") from error
    read = contract_reading.read(_parameters(content))
    return RobotNames(
        read.elements, tuple(source.name for source in read.sources),
        tuple((limit.min_position, limit.max_position)
              if limit.has_positions and mode in _PLACES else (-math.inf, math.inf)
              for limit, mode in zip(read.limits, read.modes, strict=True)),
        tuple(source.config.max_age for source in read.sources))


def _parameters(content: Any) -> Mapping[str, object]:  # noqa: ANN401 - what YAML says
    """Return a node's parameters out of a parameter file of one node."""
    while isinstance(content, dict) and _PARAMETERS not in content and len(content) == 1:
        content, = content.values()
    found = content.get(_PARAMETERS) if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise ConfigError(f"no section {_PARAMETERS!r} of one node")
    return {str(name): value for name, value in found.items()}
