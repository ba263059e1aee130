"""What the benchmark of regret makes of the figures of a run."""

from __future__ import annotations

import math

from benchmarks.regret import CASES, rows_of


def episode(learning: float, recorded: float) -> dict[str, float]:
    rest = 32.0 - recorded - learning + 4.0 - 1.0
    return {"reference": 32.0, "recorded": recorded, "learning": learning, "delay": -4.0,
            "inaction": 1.0, "rest": rest}


def test_terms_are_means_and_learning_and_delay_are_added_within_each_episode() -> None:
    found = {"inaction_fraction": 0.125, "of_episodes": [episode(10.0, 20.0), episode(12.0, 16.0)]}
    (row,) = rows_of("default", found)
    assert (row["case"], row["episodes"], row["inaction_percent"]) == ("default", 2, 12.5)
    assert (row["regret"], row["learning"], row["learning_and_delay"]) == (14.0, 11.0, 7.0)
    # Student's t of two values: 12.706 standard errors, of which each is half of their difference
    assert math.isclose(row["learning_and_delay_within"], 12.71)
    assert row["inaction_within"] == 0.0


def test_from_nothing_each_third_has_a_row_and_every_episode_is_in_one() -> None:
    learning = [30.0, 28.0, 20.0, 18.0, 9.0, 8.0, 7.0]
    found = {"inaction_fraction": 0.0,
             "of_episodes": [episode(value, 5.0) for value in learning]}
    whole, *thirds = rows_of("from-nothing", found)
    assert CASES["from-nothing"].thirds and whole["episodes"] == 7
    assert [row["episodes"] for row in thirds] == [2, 3, 2]
    assert [row["learning"] for row in thirds] == [29.0, 15.67, 7.5]
    assert [row["case"] for row in thirds] == [
        f"from-nothing, {name} third" for name in ("first", "second", "last")]
