"""The parameters of a robot's node are its contract, which holds as long as the node runs."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot import contract_parameters, contract_reading
from realtime_rl.core.robot.contract import Contract
from realtime_rl.ros import parameter_files

_OF_ROS = ("use_sim_time", "start_type_description_service", "qos_overrides.")


def contract_of(node: Node) -> Contract:
    """Read the contract; `ConfigError` where there is none, or it cannot be kept."""
    values = {name: list(value) if not isinstance(value, str) and hasattr(value, "__iter__")
              else value for name, value in _values(node).items()}
    if not values:
        raise ConfigError("no contract: start it with a parameter file that has the section "
                          "'robot:', as `realtime-rl run --robot FILE` does")
    return contract_reading.read(values)


def written(node: Node) -> str:
    """Write the contract as a parameter file."""
    return parameter_files.write(contract_parameters.as_parameters(_values(node)),
                                 node.get_fully_qualified_name())


def refuse_changes(node: Node, changes: Any) -> SetParametersResult:  # noqa: ANN401 - a list of rclpy's
    """Refuse another value of what the contract says."""
    for change in changes:
        if not change.name.startswith(_OF_ROS) and node.has_parameter(
                change.name) and node.get_parameter(change.name).value != change.value:
            return SetParametersResult(successful=False, reason=(
                f"{change.name}: a contract holds as long as its node runs; change the file "
                "and start it again"))
    return SetParametersResult(successful=True)


def _values(node: Node) -> dict[str, object]:
    """Return the contract's parameters."""
    return {name: parameter.value for name, parameter in node.get_parameters_by_prefix("").items()
            if not name.startswith(_OF_ROS)}
