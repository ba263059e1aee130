"""Starts a scenario: `ros2 launch realtime_rl realtime.launch.py config:=catch record:=run1`.

As under `realtime-rl run`, whatever dies is told in the end, and the exit status is then not 0.
Where another launch file includes this one, the rest of that launch is left alone: its environment,
its arguments, and its processes, when the scenario ends.
"""

import difflib
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    GroupAction,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit, OnProcessIO, OnProcessStart, OnShutdown
from launch.events import matches_action
from launch.events.process import ProcessExited, ProcessIO, ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node

from launch import Event, EventHandler, LaunchContext, LaunchDescription
from realtime_rl.bags import run_record
from realtime_rl.bags.run_record import Origin
from realtime_rl.core.errors import choices
from realtime_rl.core.peers.deaths import RESPAWN_DELAY_S, Deaths, Then
from realtime_rl.core.peers.noted import Noted
from realtime_rl.core.settings.config import parameters
from realtime_rl.core.settings.parameters import Scenario
from realtime_rl.ros import environment, graph, memory_limit, scenario_settings
from realtime_rl.ros.processes import ProcessSpec, processes
from realtime_rl.ros.rosbag2 import record_command
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.transport import reach
from realtime_rl.runner.isolated import describe
from realtime_rl.runner.log_filter import WARNINGS, LogFilter
from realtime_rl.runner.origin import origin_of
from realtime_rl.runner.output_lines import OutputLines
from realtime_rl.runner.prepare import bundled

# parameters of the scenario that are arguments of the same name
OF_THE_SCENARIO = ("robot", "workers", "processes", "policy", "learner", "record", "duration",
                   "respawn", "nodes", "namespace", "composed")
# statuses of a process that ends when it is asked to: also while it is still importing
ENDED = (0, -2, -15, 130, 143)
# what Python says last, with status 1, where it is interrupted before it runs anything
INTERRUPTED = "KeyboardInterrupt"
LIFECYCLE = ("inference",)


class Watch:
    """What becomes of a scenario whose processes end; the runner decides alike."""

    def __init__(self, record: str, rate: str = "", origin: Origin | None = None) -> None:
        """Watch over the processes of a scenario that records into `record`, if it does.

        `rate`: how the plant's period comes about. `origin`: from what the run can be made anew.
        """
        self._record, self._rate, self._origin = record, rate, origin
        self._deaths = Deaths(RunClock().now_ns())
        self._began = time.monotonic()
        self._noted = Noted()
        self._lines = OutputLines()
        self._filter = LogFilter(self._lines, lambda line: self._noted.take(line, self._at_s()),
                                 WARNINGS)
        self._actions: list[ExecuteProcess] = []
        self._running: set[str] = set()
        self._ending = False
        self._timer: TimerAction | None = None
        self._failed = Event()
        self._folder = tempfile.TemporaryDirectory(prefix="realtime_rl-")
        self.folder = Path(self._folder.name)
        """For the nodes' parameter files; gone with this process."""

    def over(self, action: ExecuteProcess, process: ProcessSpec) -> list:
        """Return what starts a process and looks after it."""
        name = process.name
        self._actions.append(action)
        self._running.add(name)
        said = [""]

        def on_line(event: ProcessIO) -> None:
            lines = event.text.decode(errors="replace").rstrip().splitlines()
            for line in lines:
                self._lines.put((name, line))
            self._filter.drain()
            said[0] = lines[-1].strip() if lines else said[0]

        def on_exit(event: ProcessExited, context: LaunchContext) -> list:
            self._running.discard(name)
            at_s = self._at_s()
            words = memory_limit.explained(process.kind, said[0])
            if self._ending or context.is_shutdown:
                if event.returncode not in ENDED and said[0] != INTERRUPTED:
                    self._deaths.failed_at_the_end(name, at_s, event.returncode, words)
                return self._said_last(over=context.is_shutdown)
            death = self._deaths.died(name, process.executables, at_s, event.returncode, words,
                                      respawn=process.respawn)
            line = LogInfo(msg=f"{name} died ({death.cause}), {death.then.value}")
            if death.then is Then.RUN_ENDED:
                return [line, *self.end(death.summary)]
            if death.then is Then.GIVEN_UP:  # else it would be started again
                return [line, EmitEvent(event=ShutdownProcess(
                    process_matcher=matches_action(action)))]
            return [line]

        return [RegisterEventHandler(OnProcessStart(
                    target_action=action, on_start=lambda event, context: self._running.add(name))),
                RegisterEventHandler(OnProcessExit(target_action=action, on_exit=on_exit)),
                RegisterEventHandler(OnProcessIO(target_action=action, on_stdout=on_line,
                                                 on_stderr=on_line)), action]

    def _at_s(self) -> float:
        return time.monotonic() - self._began

    def until(self, duration_s: float) -> list:
        """Return what ends the scenario when it is over, and tells of it when the launch is."""
        self._timer = TimerAction(period=duration_s, actions=[OpaqueFunction(
            function=lambda context: self.end("the duration is over"))]) if duration_s else None
        return [RegisterEventHandler(OnShutdown(
                    on_shutdown=lambda event, context: self._said_last(over=True))),
                RegisterEventHandler(EventHandler(
                    matcher=lambda event: event is self._failed,
                    entities=OpaqueFunction(function=self._fail))),
                *([self._timer] if self._timer else [])]

    def end(self, reason: str) -> list:
        """Return what ends the scenario's processes, and no others."""
        self._ending = True
        if self._timer is not None:
            self._timer.cancel()
        return [LogInfo(msg=f"the scenario ends: {reason}"),
                EmitEvent(event=ShutdownProcess(
                    process_matcher=lambda action: action in self._actions))]

    def _said_last(self, *, over: bool) -> list:
        """Once all have ended, note who died; where the launch is over, say it and make it fail."""
        if self._running:
            return []
        if self._record:
            run_record.write(Path(self._record), self._deaths, reach(os.environ), self._rate,
                             self._noted, origin=self._origin)
        # raised here, it would keep this event from others
        return [EmitEvent(event=self._failed)] if self._deaths and over else []

    def _fail(self, context: LaunchContext) -> None:
        """An exception is what makes the exit status of the launch 1."""
        del context
        raise RuntimeError("; ".join(self._deaths.summary()))


def start(context: LaunchContext) -> list:
    """Turn the scenario's nodes into launch actions."""
    def given(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    assignments = [f"scenario.{name}={given(name)}" for name in OF_THE_SCENARIO if given(name)]
    described = describe(given("config"), [*assignments, *scenario_settings.words(given("set"))],
                         within=context.launch_configurations.get("ros_namespace") or "")
    actions = [LogInfo(msg=line) for line in (
        *misspelt(context.argv), *described.remarks,
        f"the graph can be seen and commanded from {reach(os.environ)}")]
    # with a prefix, a node's parent is another process
    parent = ({} if "launch-prefix" in context.launch_configurations
              else {graph.PARENT_VARIABLE: str(os.getpid())})
    added = {**environment.additions(os.environ), **parent, **RunClock().environment}
    watch = Watch(described.scenario.record, described.rate, origin_of(described.nodes))
    apart = ("recorder",) if rosbag2_is_installed() else ()
    for process in processes(
            described.nodes, composed=described.scenario.composed, apart=apart):
        action = (ExecuteProcess(cmd=record_command(process.nodes[0], watch.folder),
                                 output="screen", sigterm_timeout="10", additional_env=added)
                  if process.executables == apart
                  else process_action(process, watch.folder, added))
        actions += watch.over(action, process)
    return [*actions, *watch.until(described.scenario.duration)]


def misspelt(words: Iterable[str]) -> list[str]:
    """Say which words of the command line launch passes over, if they resemble an argument."""
    known = ("config", *OF_THE_SCENARIO, "set")
    given = [word.partition(":=")[0] for word in words if ":=" in word]
    return [f"{name}:= is no argument of realtime.launch.py and changes nothing; {near[0]}:= is one"
            for name in given if name not in known
            and (near := difflib.get_close_matches(name, known, n=1, cutoff=0.75))]


def process_action(process: ProcessSpec, folder: Path, added: dict[str, str]) -> Node:
    """Return what starts nodes of ours, with their parameters in a file, as the runner does."""
    # of values in a dictionary launch_ros takes a text for what YAML takes it for
    path = folder / f"{process.name}.params.yaml"
    path.write_text(process.parameter_file, encoding="utf-8")
    kind = LifecycleNode if process.executable in LIFECYCLE else Node
    named = ({"ros_arguments": process.names, "arguments": process.arguments} if process.composed
             else {"name": process.name})
    return kind(package=graph.PACKAGE, executable=process.executable, **named,
                namespace=f"/{process.namespace}", parameters=[str(path)], additional_env=added,
                respawn=process.respawn, respawn_delay=RESPAWN_DELAY_S, output="screen")


def rosbag2_is_installed() -> bool:
    """Whether `ros2 bag record` is there; else our own recorder does the same."""
    try:
        get_package_prefix("ros2bag")
    except PackageNotFoundError:
        return False
    return True


def arguments() -> list:
    """Return the arguments, with what holds where they are not given."""
    return [
        DeclareLaunchArgument("config", default_value="catch", description=(
            "scenario: a parameter file, or the name of a bundled one "
            f"({choices(bundled('config', '.yaml'))})")),
        *(argument(name) for name in OF_THE_SCENARIO),
        DeclareLaunchArgument("set", default_value="", description=(
            "more parameters: 'node.parameter=value node.parameter=value'; a value with blanks in "
            r"quotes, a comma within an item of a list as '\,'"))]


def argument(name: str) -> DeclareLaunchArgument:
    """Return the argument that is a parameter of the scenario; empty: what its file says."""
    item = parameters(Scenario)[name]
    unit = f" [{item.unit}]" if item.unit else ""
    allowed = f" ({item.range_text})" if item.range_text else ""
    otherwise = ("as the file says" if item.default in ("", (), 0.0) else
                 f"as the file says, or else {str(item.default).lower()}")
    return DeclareLaunchArgument(
        name, default_value="", choices=["", "true", "false"] if item.kind is bool else None,
        description=f"{item.description}{unit}{allowed}. Not given: {otherwise}")


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` asks for."""
    return LaunchDescription([GroupAction([*arguments(), OpaqueFunction(function=start)])])
