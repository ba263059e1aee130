"""`realtime-rl plants`."""

import json

import pytest

from realtime_rl.cli.main import main
from realtime_rl.core.errors import PlantError


def test_all_are_listed_and_none_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plants"]) == 0
    text = capsys.readouterr().out
    assert "counter: " in text and "pyboy: " in text and "gymnasium: " in text
    assert "no-op: " not in text


def test_one_shows_what_its_options_make_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plants", "counter", "--plant-option", "observation=image",
                 "--plant-option", "actions=2"]) == 0
    text = capsys.readouterr().out
    assert "observation: uint8[1,8,8], 0 to 255, a picture" in text
    assert "actions: one of 2 choices: 0 A0, 1 A1\n" in text
    assert "episode_ticks=100" in text  # its options stay


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plants", "counter", "--json"]) == 0
    assert "observation: float32[2]" in json.loads(capsys.readouterr().out)["counter"]


def test_what_cannot_be_made_without_options_still_lists_them(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_rl.plants.counter.CounterPlant.__init__", _refuse)
    assert main(["plants", "counter"]) == 0
    text = capsys.readouterr().out
    assert "episode_ticks=100" in text
    assert "known once it is made: say which\n" in text
    assert main(["plants", "counter", "--plant-option", "actions=2"]) != 0
    assert "error: say which" in capsys.readouterr().err


def _refuse(self: object, options: object, seed: int) -> None:
    raise PlantError("say which")


@pytest.mark.parametrize(("words", "said"), [
    (["--plant-option", "actions=2"], "--plant-option is of one plant"),
    (["counter", "--plant-option", "action=2"], "has no option 'action'"),
    (["nothing"], "unknown plant 'nothing'")])
def test_bad_input_is_one_line(words: list[str], said: str,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plants", *words]) != 0
    assert said in capsys.readouterr().err
