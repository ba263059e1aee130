"""A recorded run, once more in virtual time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bags.played import play, record
from simulate.tiny_plant import Echo

from realtime_rl.bags.reader import read_run
from realtime_rl.cli.main import main
from realtime_rl.core.records import Timestep
from realtime_rl.core.types import Observation
from realtime_rl.plants import registry
from realtime_rl.simulate.parity import Parity, replay

SPEC = Echo().spec
Played = list[tuple[Timestep, Observation]]


def again(folder: Path, played: Played, seed: int = 3, **left_out: range) -> Parity:
    path = record(folder, played, SPEC.observation, **left_out)
    return replay(read_run(path), lambda: Echo(seed))


def test_the_same_commands_give_the_same_run(tmp_path: Path) -> None:
    parity = again(tmp_path / "bag", play(Echo(3), 120), unseen=range(7, 9))
    assert (parity.ticks, parity.observations, parity.episode_ends) == (120, 118, 2)
    assert (parity.difference, parity.assumed_ticks) == ("", 0)
    other = again(tmp_path / "shorter", play(Echo(3), 119), unseen=range(7, 9))
    assert other.observations_sha256 != parity.observations_sha256


@pytest.mark.parametrize(("changes", "message"), [
    ({"reward": 7.0}, "tick 60: reward was 7.0, replayed it is "),
    ({"discount": 0.5}, "tick 60: discount was 0.5, replayed it is 1.0"),
    ({"last": True}, "tick 60: last was True, replayed it is False"),
])
def test_the_first_difference_is_named(changes: dict[str, object], message: str,
                                       tmp_path: Path) -> None:
    played = play(Echo(3), 120)
    played[60] = (replace(played[60][0], **changes), played[60][1])
    parity = again(tmp_path / "bag", played)
    assert parity.difference.startswith(message)
    assert parity.ticks == 60


def test_an_observation_is_compared_value_by_value(tmp_path: Path) -> None:
    played = play(Echo(3), 20)
    played[11] = (played[11][0], np.array([1.0, 1.0], np.float32))
    assert again(tmp_path / "bag", played).difference == (
        "tick 11: 1 of the 2 values of its observation differ")


def test_another_seed_is_noticed(tmp_path: Path) -> None:
    assert "tick " in again(tmp_path / "bag", play(Echo(4), 120)).difference


def test_ticks_before_the_recording_were_left_alone(tmp_path: Path) -> None:
    plant = Echo(3)
    before = [plant.step(plant.spec.actions.noop) for _ in range(5)]
    later = [(replace(step, tick=step.tick + 5, stamp_ns=step.stamp_ns + 5_000_000), seen)
             for step, seen in play(plant, 40)]
    assert len(before) == 5
    parity = again(tmp_path / "bag", later)
    assert (parity.difference, parity.assumed_ticks, parity.ticks) == ("", 5, 40)


def test_what_was_not_recorded_cannot_be_replayed(tmp_path: Path) -> None:
    parity = again(tmp_path / "bag", play(Echo(3), 60), lost=range(30, 33))
    assert parity.difference == ("tick 30: not recorded, so that what follows cannot be replayed")
    assert parity.ticks == 30


def test_a_plant_started_again_and_one_that_was_reset(tmp_path: Path) -> None:
    plant = Echo(3)
    first = play(plant, 20)
    plant.reset()
    after = [(replace(step, tick=step.tick + 20, stamp_ns=step.stamp_ns + 20_000_000), seen)
             for step, seen in play(plant, 20)]
    restarted = [(replace(step, stamp_ns=step.stamp_ns + 10**9), seen)
                 for step, seen in play(Echo(3), 15)]
    parity = again(tmp_path / "bag", first + after + restarted)
    assert (parity.difference, parity.ticks) == ("", 55)


@pytest.mark.parametrize(("plant", "option"), [("counter", "random_phase=true"),
                                               ("pyboy", "rom=catch")])
def test_the_verb_says_what_it_compared(plant: str, option: str, tmp_path: Path,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    if plant == "pyboy":
        pytest.importorskip("pyboy")
        pytest.importorskip("cv2")
    made = registry.make(plant, registry.parse_options([option]), 5)
    bag = record(tmp_path / "bag", play(made, 200), made.spec.observation)
    made.close()
    command = ["simulate", "--plant", plant, "--plant-option", option, "--replay", str(bag)]
    assert main([*command, "--seed", "5"]) == 0
    assert "no difference to the last tick" in capsys.readouterr().out
    assert main([*command, "--seed", "6", "--json", "-"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["difference"].startswith("tick ")
    assert document["ticks"] < 200
