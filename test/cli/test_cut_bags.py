"""Bags that were not closed in order: what can be read is used, and it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from bags.played import play, record
from cli.test_train import COUNTER

from realtime_rl.cli.main import main
from realtime_rl.plants import registry

OPTIONS = {"observation": "vector", "episode_ticks": "20", "random_phase": "true"}


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Return a bag whose recorder was killed: without its end and its index."""
    plant = registry.make("counter", OPTIONS, 3)
    bag = record(tmp_path / "bag", play(plant, 120), plant.spec.observation)
    (bag / "metadata.yaml").unlink()
    file, = bag.glob("*.mcap")
    file.write_bytes(file.read_bytes()[:-300])
    return bag


def test_a_replay_says_so(bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [word for pair in OPTIONS.items() for word in ("--plant-option", "=".join(pair))]
    assert main(["simulate", "--plant", "counter", *options, "--seed", "3", "--replay",
                 str(bag)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("120 ticks, ")
    assert captured.err.startswith("warning: the bag was not closed in order")


def test_a_replay_of_another_seed_asks_for_the_right_one(
    bag: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [word for pair in OPTIONS.items() for word in ("--plant-option", "=".join(pair))]
    assert main(["simulate", "--plant", "counter", *options, "--seed", "4", "--replay",
                 str(bag)]) == 1
    assert capsys.readouterr().out.endswith("; are the options and --seed those of the run?\n")


def test_demonstrations_say_so(bag: Path, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *COUNTER, "--ticks", "30", "--out", str(tmp_path / "out"),
                 "--demonstrations", str(bag)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"warning: {str(bag)!r}: the bag was not closed in order")
    assert lines[1].startswith(f"warning: {str(bag)!r}: bag_0.mcap breaks off")
    assert lines[2].startswith("demonstrations: 120 ticks")
