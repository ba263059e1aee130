"""What becomes of a `ros2 launch` whose processes die, by the real launch service."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS 2 installation only")

from launch.actions import (
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetLaunchConfiguration,
)
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.events import Shutdown
from launch.events.process import ProcessExited, ProcessIO
from launch_ros.actions import PushRosNamespace

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity, LaunchService
from realtime_rl.bags import run_record
from realtime_rl.core.settings.parameters import Scenario
from realtime_rl.ros.graph import NodeSpec
from realtime_rl.ros.processes import ProcessSpec
from realtime_rl.runner.isolated import Described

DIES = "print('no motor'); raise SystemExit(1)"
READY = "ready"


def waits(end: str) -> str:
    """Return what says that it is there, and ends by a signal."""
    return (f"import signal; signal.signal(signal.SIGINT, lambda *_: {end}); "
            f"print('{READY}', flush=True); signal.pause()")


WAITS, FAILS_AT_THE_END = waits("exit(0)"), waits("exit(3)")
INTERRUPTED = waits("print('KeyboardInterrupt') or exit(1)")


def launch_file() -> ModuleType:
    path = Path(__file__).resolve().parent.parent / "launch" / "realtime.launch.py"
    spec = importlib.util.spec_from_file_location("realtime_launch", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*entities: LaunchDescriptionEntity) -> int:
    """Return the exit status of `ros2 launch`."""
    service = LaunchService(noninteractive=True)
    service.include_launch_description(LaunchDescription(entities))
    return int(service.run())


def scripts(watch: Any, *, respawn: bool = True, delay_s: float = 0.05, **sources: str) -> list:
    """Return what launches scripts as executables of their names."""
    actions = []
    for name, source in sources.items():
        action = ExecuteProcess(cmd=[sys.executable, "-c", source], respawn=respawn,
                                respawn_delay=delay_s)
        actions += watch.over(action, ProcessSpec(name, (NodeSpec(name, name, "", {}, respawn),)))
    return actions


def once_all_are_there(watch: Any, actions: list) -> list:
    """Return what ends the scenario when each process has said that it is there, or has died."""
    missing = {action for action in actions if isinstance(action, ExecuteProcess)}

    def there(event: ProcessIO | ProcessExited, _: LaunchContext | None = None) -> list | None:
        if isinstance(event, ProcessIO) and READY.encode() not in event.text:
            return None
        last = missing == {event.action}
        missing.discard(event.action)
        return watch.end("all were there") if last else None

    return [RegisterEventHandler(OnProcessIO(on_stdout=there)),
            RegisterEventHandler(OnProcessExit(on_exit=there))]


def launched(bag: Path, *, respawn: bool = True, **sources: str) -> int:
    """Launch scripts until all are there; return the exit status."""
    bag.mkdir()
    watch = launch_file().Watch(str(bag))
    actions = scripts(watch, respawn=respawn, **sources)
    # what is registered last is told first, and that is the watch
    return run(*once_all_are_there(watch, actions), *actions, *watch.until(0.0))


def launched_until_it_ends(bag: Path, seconds: float, **sources: str) -> int:
    """Launch scripts, some of which die again and again, for so long at most."""
    bag.mkdir()
    watch = launch_file().Watch(str(bag))
    return run(*scripts(watch, **sources), *watch.until(seconds))


def told(bag: Path) -> list[str]:
    noted = run_record.read(bag)
    assert noted is not None
    return noted.lines


def test_where_all_live_to_the_end_the_status_is_0(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", plant=WAITS, monitor=WAITS) == 0
    assert told(tmp_path / "bag") == []


def test_who_is_interrupted_before_it_runs_anything_has_not_failed(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", plant=INTERRUPTED, monitor=WAITS) == 0
    assert told(tmp_path / "bag") == []


def test_a_recorder_that_dies_is_told_and_makes_the_status_1(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", respawn=False, plant=WAITS, recorder=DIES) == 1
    line, = told(tmp_path / "bag")
    assert line.startswith("recorder died at ")
    assert line.endswith("(status 1), not started again: no motor")


def test_who_acts_and_dies_again_and_again_ends_the_launch(tmp_path: Path) -> None:
    assert launched_until_it_ends(tmp_path / "bag", 300.0, plant=DIES, monitor=WAITS) == 1
    lines = told(tmp_path / "bag")
    assert len(lines) == 5
    assert "the run was ended" in lines[-1]


def test_who_does_not_act_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    assert launched_until_it_ends(tmp_path / "bag", 20.0, plant=WAITS, monitor=DIES) == 1
    lines = told(tmp_path / "bag")
    assert len(lines) == 5
    assert "given up" in lines[-1]


def test_what_the_nodes_warned_of_is_noted(tmp_path: Path) -> None:
    warns = "print('[INFO] begun'); print('[WARN] [1.2] [plant]: hot'); print('fine');" * 2
    assert launched(tmp_path / "bag", plant=warns + WAITS) == 0
    noted = run_record.read(tmp_path / "bag")
    assert noted is not None and noted.began_ns > 0
    (text, note), = noted.noted.kept.items()
    assert text == "[WARN] [plant]: hot" and note.times == 2


def test_a_failure_in_the_end_is_told_too(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", plant=WAITS, recorder=FAILS_AT_THE_END) == 1
    assert [line.startswith("recorder failed in ending") for line in told(tmp_path / "bag")] == [
        True]


@pytest.mark.parametrize(("duration_s", "plant", "status"), [(0.5, WAITS, 0), (300.0, DIES, 1)])
def test_the_rest_of_the_launch_lives_on(tmp_path: Path, duration_s: float, plant: str, status: int
                                         ) -> None:
    watch = launch_file().Watch(str(tmp_path))
    over: list[bool] = []

    def ended(event: ProcessExited, context: LaunchContext) -> EmitEvent | None:
        mine = [action for action in actions if isinstance(action, ExecuteProcess)]
        if any(action.return_code is None for action in mine):
            return None
        over.append(context.is_shutdown)
        return EmitEvent(event=Shutdown(reason="the test is over"))

    actions = scripts(watch, plant=plant, monitor=WAITS)
    others = ExecuteProcess(cmd=[sys.executable, "-c", WAITS])
    assert run(others, *actions, *watch.until(duration_s),
               RegisterEventHandler(OnProcessExit(on_exit=ended))) == status
    assert over[0] is False
    assert others.return_code == 0
    assert len(told(tmp_path)) == (0 if status == 0 else 5)


def test_a_death_is_told_where_the_launch_ends_before_the_node_is_there_again(
    tmp_path: Path
) -> None:
    watch = launch_file().Watch(str(tmp_path))
    actions = scripts(watch, delay_s=300.0, plant=DIES)
    assert run(*actions, *watch.until(0.0), RegisterEventHandler(OnProcessExit(
        on_exit=EmitEvent(event=Shutdown(reason="over"))))) == 1
    assert len(told(tmp_path)) == 1


def test_nothing_of_it_reaches_who_includes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = launch_file()
    given: list[object] = []
    monkeypatch.setattr(module, "describe", lambda *words, **more: given.append((words, more))
                        or Described(Scenario(), [], []))
    monkeypatch.delenv("FASTRTPS_DEFAULT_PROFILES_FILE", raising=False)
    seen: list[tuple[dict, dict]] = []

    def look(context: LaunchContext) -> None:
        seen.append((dict(context.launch_configurations), dict(os.environ)))

    assert run(OpaqueFunction(function=look), SetLaunchConfiguration("set", "a.b='c d'"),
               PushRosNamespace("fleet"), module.generate_launch_description(),
               OpaqueFunction(function=look)) == 0
    (_, before), (arguments, after) = seen
    assert arguments == {"set": "a.b='c d'", "ros_namespace": "/fleet"}
    assert before == after
    assert given == [(("catch", ["a.b=c d"]), {"within": "/fleet"})]


def test_an_argument_that_is_misspelt_is_told() -> None:
    module = launch_file()
    assert module.misspelt(["wrokers:=3", "config:=catch", "speed:=2", "--noninteractive"]) == [
        "wrokers:= is no argument of realtime.launch.py and changes nothing; workers:= is one"]
    assert module.misspelt(["duraton:=4"])[0].endswith("; duration:= is one")


def test_what_the_arguments_are(monkeypatch: pytest.MonkeyPatch) -> None:
    module = launch_file()
    monkeypatch.setattr(module, "bundled", lambda *words: {"catch": Path("catch.yaml")})
    described = {each.name: each for each in
                 module.generate_launch_description().get_launch_arguments()}
    assert described["learner"].choices == ["", "true", "false"]
    assert "(1 … 4096). Not given: as the file says, or else 4" in described["workers"].description
    assert "'catch'" in described["config"].description
