"""Starts a scenario: `ros2 launch realtime_rl realtime.launch.py config:=catch record:=run1`.

As under `realtime-rl run`, whatever dies is told in the end, and the exit status is then not 0.
"""

import os
import time
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.events import Shutdown, matches_action
from launch.events.process import ProcessExited, ProcessIO, ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from realtime_rl.bags import run_record
from realtime_rl.core.deaths import RESPAWN_DELAY_S, Deaths, Then
from realtime_rl.ros import environment, memory
from realtime_rl.ros.graph import PACKAGE, PARENT_VARIABLE
from realtime_rl.ros.rosbag2 import record_command
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.transport import reach
from realtime_rl.runner.prepare import Prepared, prepare, refuse_second

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
# statuses of a process that ends when it is asked to: also while it is still importing
ENDED = (0, -2, -15, 130, 143)


class Watch:
    """What becomes of the launch when a process of it ends; the runner decides alike."""

    def __init__(self, prepared: Prepared) -> None:
        """Watch over the processes of a scenario."""
        self._prepared = prepared
        self._deaths = Deaths()
        self._began = time.monotonic()
        self._living = 0

    def over(self, action: ExecuteProcess, name: str, executable: str, *, respawn: bool) -> list:
        """Return what starts a process and looks after it."""
        self._living += 1
        said = [""]

        def on_line(event: ProcessIO) -> None:
            said[0] = event.text.decode(errors="replace").strip().rpartition("\n")[2] or said[0]

        def on_exit(event: ProcessExited, context: LaunchContext) -> list:
            at_s = time.monotonic() - self._began
            words = memory.explained(executable, said[0])
            if context.is_shutdown:
                self._living -= 1
                if event.returncode not in ENDED:
                    self._deaths.failed_at_the_end(name, at_s, event.returncode, words)
                return self._told() if not self._living else []
            death = self._deaths.died(name, executable, at_s, event.returncode, words,
                                      respawn=respawn)
            told = [LogInfo(msg=f"{name} died ({death.cause}), {death.then.value}")]
            if death.then is Then.AGAIN:
                return told
            self._living -= 1
            if death.then is Then.RUN_ENDED:
                return [*told, EmitEvent(event=Shutdown(reason=death.told))]
            if death.then is Then.ALONE:
                return told
            # else it would be started again
            return [*told, EmitEvent(event=ShutdownProcess(process_matcher=matches_action(action)))]

        return [RegisterEventHandler(OnProcessExit(target_action=action, on_exit=on_exit)),
                RegisterEventHandler(OnProcessIO(target_action=action, on_stdout=on_line,
                                                 on_stderr=on_line)), action]

    def _told(self) -> list:
        """Say in the end who died; an exception is what makes the exit status 1."""
        if self._prepared.scenario.record:
            run_record.write(Path(self._prepared.scenario.record), self._deaths,
                             reach(os.environ), self._prepared.plant.rate)
        if not self._deaths:
            return []

        def fail(context: LaunchContext) -> None:
            del context
            raise RuntimeError("; ".join(self._deaths.summary()))

        return [OpaqueFunction(function=fail)]


def start(context: LaunchContext) -> list:
    """Turn the scenario's nodes into launch actions."""
    given = {name: LaunchConfiguration(name).perform(context) for name, *_ in ARGUMENTS}
    assignments = [f"{target}={given[name]}" for name, _, _, target in ARGUMENTS
                   if target and given[name]]
    prepared = prepare(given["config"], [*assignments, *given["set"].split()])
    # of this process, and so of those that it starts
    said = [*prepared.notes, *environment.adopt()]
    refuse_second(prepared)
    said.append(f"the graph can be seen and commanded from {reach(os.environ)}")
    actions = [LogInfo(msg=line) for line in said]
    # with a prefix, a node's parent is another process
    parent = ({} if "launch-prefix" in context.launch_configurations
              else {PARENT_VARIABLE: str(os.getpid())})
    added = {**parent, **RunClock().environment}
    watch = Watch(prepared)
    for node in prepared.nodes:
        if node.executable == "recorder" and rosbag2_is_installed():
            action = ExecuteProcess(cmd=record_command(node, prepared.run_dir), output="screen",
                                    sigterm_timeout="10")
        else:
            action = Node(
                package=PACKAGE, executable=node.executable, name=node.name,
                namespace=node.namespace or None, output="screen", respawn=node.respawn,
                respawn_delay=RESPAWN_DELAY_S, additional_env=added,
                # launch_ros cannot tell the type of an empty list; leaving it out means the same
                parameters=[{name: list(value) if isinstance(value, tuple) else value
                             for name, value in node.parameters.items() if value != ()}])
        actions += watch.over(action, node.name, node.executable, respawn=node.respawn)
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
