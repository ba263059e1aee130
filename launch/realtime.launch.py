"""Starts a scenario: `ros2 launch realtime_rl realtime.launch.py config:=catch record:=run1`."""

import os

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from realtime_rl.ros.graph import PACKAGE
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.transport import node_environment
from realtime_rl.runner.prepare import prepare

# name, default ("": what the parameter file says), description, parameter it sets
ARGUMENTS = (
    ("config", "catch", "scenario: a parameter file, or the name of a bundled one", None),
    ("workers", "", "staggered inference workers, over all processes", "scenario.workers"),
    ("processes", "", "inference processes", "scenario.processes"),
    ("policy", "", "ONNX file to start from", "scenario.policy"),
    ("learner", "", "true: learn while playing; false: do not", "scenario.learner"),
    ("record", "", "folder to record a bag into", "scenario.record"),
    ("duration", "", "end by itself after so many seconds", "scenario.duration"),
    ("respawn", "", "true: start a node again when it dies", "scenario.respawn"),
    ("nodes", "", "only these nodes, as plant,actuator: the others run on another host",
     "scenario.nodes"),
    ("namespace", "", "ROS namespace: one a robot", "scenario.namespace"),
    ("set", "", "more parameters: 'node.parameter=value node.parameter=value'", None),
)


def start(context: LaunchContext) -> list:
    """Turn the scenario's nodes into launch actions."""
    given = {name: LaunchConfiguration(name).perform(context) for name, *_ in ARGUMENTS}
    assignments = [f"{target}={given[name]}" for name, _, _, target in ARGUMENTS
                   if target and given[name]]
    prepared = prepare(given["config"], [*assignments, *given["set"].split()])
    actions = [SetEnvironmentVariable(name, value)
               for name, value in (*node_environment(os.environ).items(),
                                   *RunClock().environment.items())]
    for node in prepared.nodes:
        if node.executable == "recorder" and rosbag2_is_installed():
            actions.append(ExecuteProcess(
                cmd=["ros2", "bag", "record", "--storage", "mcap", "--all", "--output",
                     prepared.scenario.record], output="screen", sigterm_timeout="10"))
            continue
        actions.append(Node(
            package=PACKAGE, executable=node.executable, name=node.name,
            namespace=node.namespace or None, output="screen", respawn=node.respawn,
            respawn_delay=0.5,
            # launch_ros cannot tell the type of an empty list; leaving it out means the same
            parameters=[{name: list(value) if isinstance(value, tuple) else value
                         for name, value in node.parameters.items() if value != ()}]))
    if prepared.scenario.duration:
        actions.append(TimerAction(
            period=prepared.scenario.duration,
            actions=[EmitEvent(event=Shutdown(reason="the duration is over"))]))
    return actions


def rosbag2_is_installed() -> bool:
    """Whether `ros2 bag record` is there; else our own recorder does the same."""
    try:
        get_package_prefix("ros2bag")
    except PackageNotFoundError:
        return False
    return True


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` asks for."""
    arguments = [DeclareLaunchArgument(name, default_value=default, description=description)
                 for name, default, description, _ in ARGUMENTS]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])
