"""Whether the nodes that start here can read what they are told, and understand each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realtime_rl.core import observations
from realtime_rl.core.control import default_policy
from realtime_rl.core.control.gamepad import pad_layout
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot.command_writing import check_command_type
from realtime_rl.core.settings.chunks import chunking_of
from realtime_rl.core.settings.parameters import ActuatorParameters, PlantParameters, Scenario
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.policies.latency import Latency
from realtime_rl.ros.graph import NodeSpec
from realtime_rl.ros.scenario_settings import ROBOT, Settings, section_of


def check(settings: Settings, plant: PlantSpec, nodes: Sequence[NodeSpec]) -> None:
    """`ConfigError` for what a node would refuse at its start, and for nodes told differently."""
    actuator: ActuatorParameters = section_of(settings, "actuator")
    for node in nodes:
        if isinstance(latency := node.parameters.get("latency"), str):
            Latency.parse(latency)
    # a robot's are not those of the plant that stands in the file, and does not start
    actions = next((ActionSpace.parse(str(node.parameters["actions"])) for node in nodes
                    if node.executable == "actuator"), plant.actions)
    default_policy.make(actuator.default_policy, actions, actuator.default_action)
    pad_layout(actuator.gamepad_layout, actions)
    chunking_of(actuator, actions, plant.period_ns)
    if ROBOT in settings and actuator.command_type != "joy":
        raise ConfigError(f"actuator.command_type: {actuator.command_type!r}; the robot's contract "
                          "says which messages it takes: leave it out")
    plays = any(node.executable == "plant" for node in nodes)
    _check_alike(nodes, _told(section_of(settings, "scenario"),
                              plant if plays or ROBOT in settings else None))
    if plays:
        _check_commands(section_of(settings, "plant"), actuator)
    check_command_type(actuator.command_type, actions)


def _check_commands(plant: PlantParameters, actuator: ActuatorParameters) -> None:
    for name in ("command_type", "gamepad_layout"):
        if getattr(plant, name) != getattr(actuator, name):
            raise ConfigError(
                f"{name}: the plant has {getattr(plant, name)!r}, the actuator "
                f"{getattr(actuator, name)!r}: commands would not be understood; set both "
                f"plant.{name} and actuator.{name}")


def _told(scenario: Scenario, plant: PlantSpec | None) -> dict[str, tuple[str, object]]:
    """Return who says what to all nodes, and what it is, where that is known here."""
    said: dict[str, tuple[str, object]] = {
        name: ("scenario", getattr(scenario, name)) for name in ("workers", "processes")}
    if plant is not None:
        said |= {name: ("plant", getattr(plant, name))
                 for name in ("actions", "observation", "period_ns")}
    return said


def _check_alike(nodes: Sequence[NodeSpec], told: Mapping[str, tuple[str, object]]) -> None:
    """`ConfigError` where nodes that start here were told differently of what they share."""
    for name, read in (("actions", ActionSpace.parse), ("observation", observations.parse),
                       ("period_ns", int), ("workers", int), ("processes", int)):
        said = {node.name: str(read(str(node.parameters[name]))) for node in nodes
                if name in node.parameters and node.executable != ROBOT}
        if name in told:
            who, value = told[name]
            said = {who: str(value), **said}
        first = next(iter(said), "")
        for node, value in said.items():
            if value != said[first]:
                raise ConfigError(f"{name}: of {node} it is '{value}', of {first} "
                                  f"'{said[first]}': they would not understand each other; "
                                  + (f"the {first} says it, so leave it out" if name in told
                                     else "give both the same"))
