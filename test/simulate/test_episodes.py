"""Episodes shared out among processes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from realtime_rl.core.errors import ConfigError, PlantError
from realtime_rl.simulate.episodes import Game, play, play_all
from realtime_rl.simulate.loop import Delay

COUNTER = Game("counter", {"observation": "vector", "episode_ticks": "20",
                           "random_phase": "true"}, "random", Delay(3), seed=4)


@pytest.mark.parametrize("game", [
    replace(COUNTER, delay=Delay(3, "sequential"), default="random"),
    Game("pyboy", {"rom": "catch", "stochasticity": "255"}, "random", Delay(2), hold_ticks=8)])
def test_the_same_figures_for_any_number_of_processes(game: Game) -> None:
    if game.plant == "pyboy":
        pytest.importorskip("pyboy")
        pytest.importorskip("cv2")
    one = play_all(game, 5)
    assert play_all(game, 5, 2) == one
    assert len(one.returns) == 5
    assert one.end_ticks[-1] == one.ticks - 1
    assert sum(one.returns) == one.reward


def test_there_are_no_more_processes_than_episodes() -> None:
    assert play_all(COUNTER, 1, 1000) == play_all(COUNTER, 1)


def test_an_episode_follows_from_its_number_alone() -> None:
    whole = play(COUNTER, range(4))
    assert [play(COUNTER, (number,))[0] for number in (3, 1)] == [whole[3], whole[1]]
    assert len({each.reward for each in whole}) > 1
    assert play(replace(COUNTER, seed=5), range(4)) != whole


def test_a_longer_series_begins_with_the_shorter_one() -> None:
    assert play_all(COUNTER, 6).returns[:3] == play_all(COUNTER, 3).returns


def test_what_cannot_be_is_refused() -> None:
    for episodes, processes in ((0, 1), (1, 0)):
        with pytest.raises(ConfigError, match="0 must be 1 or more"):
            play_all(COUNTER, episodes, processes)
    with pytest.raises(PlantError, match="unknown plant 'absent'"):
        play_all(replace(COUNTER, plant="absent"), 4, 2)
