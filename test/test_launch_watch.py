"""What becomes of a `ros2 launch` whose processes die, by the real launch service."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS 2 installation only")

from launch.actions import EmitEvent, ExecuteProcess, TimerAction
from launch.events import Shutdown

from launch import LaunchDescription, LaunchService
from realtime_rl.bags import run_record

DIES = "print('no motor'); raise SystemExit(1)"
WAITS = "import signal; signal.signal(signal.SIGINT, lambda *_: exit(0)); signal.pause()"
FAILS_AT_THE_END = "import signal; signal.signal(signal.SIGINT, lambda *_: exit(3)); signal.pause()"


def launch_file() -> ModuleType:
    path = Path(__file__).resolve().parent.parent / "launch" / "realtime.launch.py"
    spec = importlib.util.spec_from_file_location("realtime_launch", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def launched(bag: Path, seconds: float, *, respawn: bool = True, **sources: str) -> int:
    """Launch scripts as executables of their names; return the exit status of `ros2 launch`."""
    bag.mkdir()
    watch = launch_file().Watch(SimpleNamespace(scenario=SimpleNamespace(record=str(bag)),
                                                plant=SimpleNamespace(rate="")))
    actions = []
    for name, source in sources.items():
        action = ExecuteProcess(cmd=[sys.executable, "-c", source], respawn=respawn,
                                respawn_delay=0.05)
        actions += watch.over(action, name, name, respawn=respawn)
    end = TimerAction(period=seconds, actions=[EmitEvent(event=Shutdown(reason="over"))])
    service = LaunchService(noninteractive=True)
    service.include_launch_description(LaunchDescription([*actions, end]))
    return int(service.run())


def told(bag: Path) -> list[str]:
    noted = run_record.read(bag)
    assert noted is not None
    return noted.lines


def test_where_all_live_to_the_end_the_status_is_0(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", 0.5, plant=WAITS, monitor=WAITS) == 0
    assert told(tmp_path / "bag") == []


def test_a_recorder_that_dies_is_told_and_makes_the_status_1(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", 1.0, respawn=False, plant=WAITS, recorder=DIES) == 1
    line, = told(tmp_path / "bag")
    assert line.startswith("recorder died at ")
    assert line.endswith("(status 1), not started again: no motor")


def test_who_acts_and_dies_again_and_again_ends_the_launch(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", 300.0, plant=DIES, monitor=WAITS) == 1
    lines = told(tmp_path / "bag")
    assert len(lines) == 5
    assert "the run was ended" in lines[-1]


def test_who_does_not_act_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", 5.0, plant=WAITS, monitor=DIES) == 1
    lines = told(tmp_path / "bag")
    assert len(lines) == 5
    assert "given up" in lines[-1]


def test_a_failure_in_the_end_is_told_too(tmp_path: Path) -> None:
    assert launched(tmp_path / "bag", 1.0, plant=WAITS, recorder=FAILS_AT_THE_END) == 1
    assert [line.startswith("recorder failed in ending") for line in told(tmp_path / "bag")] == [
        True]
