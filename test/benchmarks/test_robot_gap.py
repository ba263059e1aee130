"""What is compared of two worlds: whole episodes, and the targets that they had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from benchmarks import robot_gap
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause


def step(tick: int, reward: float = 0.0, cause: Cause = Cause.POLICY, *, first: bool = False,
         last: bool = False, discount: float = 1.0) -> Timestep:
    return Timestep(
        stamp_ns=tick, tick=tick, period_ns=1, lateness_s=0.0, missed=False, episode=0,
        reward=reward, discount=discount, first=first, last=last, cause=cause, worker=0, version=1,
        observation_tick=tick - 1, action=(0.0,), plant="arm")


def test_an_episode_is_reckoned_from_its_first_tick_and_from_its_first_action() -> None:
    ticks = [step(0, 0.0, Cause.STOP, first=True), step(1, -0.5, Cause.DEFAULT), step(2, -0.25),
             step(3, -0.5, Cause.DEFAULT), step(4, 1.0, last=True, discount=0.0)]
    assert robot_gap.episode(ticks) == robot_gap.Episode(-0.25, 0.25, 5, 2, reached=True)
    assert not robot_gap.episode([*ticks[:-1], step(4, last=True)]).reached


def test_only_whole_episodes_count_and_not_what_is_between_them() -> None:
    steps = [step(0), step(1, first=True), step(2, last=True), step(3), step(4, first=True),
             step(5, last=True), step(6), step(7, first=True), step(8)]
    assert [[each.tick for each in found] for found in robot_gap.split(steps)] == [[1, 2], [4, 5]]


def test_targets_are_those_of_the_robots_log(tmp_path: Path) -> None:
    log = tmp_path / "arm.jsonl"
    assert robot_gap.targets(log) == []
    records = [{"kind": "robot", "t": 0.0, "clock_ns": 1_000}, {"kind": "state", "t": 0.1},
               {"kind": "target", "t": 0.5, "place": [1, 2, 3]},
               {"kind": "target", "t": 1.5, "place": [4, 5, 6]}]
    log.write_text("".join(f"{json.dumps(each)}\n" for each in records)
                   + '{"kind": "target", "t"')  # it is being written
    drawn = robot_gap.targets(log)
    assert drawn == [(500_001_000, (1, 2, 3)), (1_500_001_000, (4, 5, 6))]
    assert robot_gap.place_at(drawn, 1_400_000_000) == (1, 2, 3)
    assert robot_gap.place_at(drawn, 1_600_000_000) == (4, 5, 6)


@pytest.mark.parametrize("world", robot_gap.WORLDS.values(), ids=robot_gap.WORLDS)
def test_a_world_is_that_of_its_scenarios(world: robot_gap.World) -> None:
    assert Path(robot_gap.plant_options(world)["contract"]).is_file()
    assert Path(robot_gap.policy_file(world.policy)).is_file()


def test_the_arm_reaches_with_the_joints_with_which_the_plant_does() -> None:
    world = robot_gap.WORLDS["arm"]
    moving = robot_gap.plant_options(world)["moving"].split()
    begin = world.words.index("--moving") + 1
    assert list(world.words[begin:begin + len(moving)]) == moving
