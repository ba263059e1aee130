"""A recorded run, once more in virtual time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bags.played import play, record
from simulate.tiny_plant import Echo

from realtime_rl.bags import messages
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.storage import open_bag
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.cli.main import main
from realtime_rl.core.errors import BagError
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation
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
    assert (parity.difference, parity.skipped_ticks) == ("", 0)
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


COUNTER = {"observation": "vector", "episode_ticks": "20", "random_phase": "true"}


def counted(folder: Path, ticks: int, lost: range, seed: int = 3) -> Parity:
    """Episodes of 21 ticks, with the one that begins them."""
    plant = registry.make("counter", COUNTER, 3)
    path = record(folder, play(plant, ticks), plant.spec.observation, lost=lost)
    return replay(read_run(path), lambda: registry.make("counter", COUNTER, seed))


@pytest.mark.parametrize(("lost", "compared", "skipped"), [
    (range(5), 60 - 21, 16), (range(22), 60 - 42, 20), (range(30, 33), 60 - 12, 9),
    (range(20, 22), 60 - 22, 20)])
def test_it_goes_on_with_the_episode_after_a_gap(lost: range, compared: int, skipped: int,
                                                 tmp_path: Path) -> None:
    parity = counted(tmp_path / "bag", 60, lost)
    assert (parity.difference, parity.ticks, parity.skipped_ticks) == ("", compared, skipped)
    assert "tick " in counted(tmp_path / "other", 60, lost, seed=4).difference


def test_without_an_episodes_beginning_there_is_nothing_to_replay(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="no episode that was recorded from its beginning"):
        counted(tmp_path / "bag", 20, range(3))


def test_a_replay_that_sees_none_of_the_observations_shows_nothing(tmp_path: Path) -> None:
    """They were recorded, but with other stamps than the ticks, as those of a stranger's camera."""
    played = play(Echo(3), 40)
    bag = record(tmp_path / "ticks", played, SPEC.observation, unseen=range(40))
    strange = [(replace(step, stamp_ns=step.stamp_ns + 1), seen) for step, seen in played]
    other = record(tmp_path / "camera", strange, SPEC.observation)
    with BagWriter(tmp_path / "both", [TopicInfo("/timestep", messages.SCALARS),
                                       TopicInfo("/observation", messages.SCALARS)]) as writer:
        for topic, source in (("/timestep", bag), ("/observation", other)):
            for message in open_bag(source).messages({topic}):
                writer.write(topic, message.cdr, message.receive_ns)
    with pytest.raises(BagError, match="none of its 40 observations is of a tick that was replay"):
        replay(read_run(tmp_path / "both"), lambda: Echo(3))


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
