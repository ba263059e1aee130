"""The policy that `make run` starts from."""

from __future__ import annotations

import json

import pytest

from realtime_rl.cli.main import main
from realtime_rl.runner.prepare import find_policy


def test_it_is_small_and_plays_at_the_delay_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    policy = find_policy("catch")
    assert policy.stat().st_size <= 3_000_000
    ways = ["--policy", str(policy)], ["--policy", "random"]
    played, random = (_return(capsys, *way) for way in ways)
    assert played > 0 > random  # more caught than missed


def _return(capsys: pytest.CaptureFixture[str], *words: str) -> float:
    assert main(["simulate", "--plant", "pyboy", "--plant-option", "rom=catch", "--delay", "6",
                 "--episodes", "3", "--json", "-", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    return float(document["episodes"]["return"]["mean"])
