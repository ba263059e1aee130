"""`realtime-rl games` and `ram`, and what `simulate` and `train` say of a game's rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from realtime_rl.cli.main import main

pytest.importorskip("pyboy")
pytest.importorskip("cv2")


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[str, str]:
    assert main(words) == status
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_games_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "games")
    assert "bundled, as rom=NAME: blocks, catch\n" in out
    assert "title 'POKEMON RED', header checksum 0x20" in out
    assert "'python -m pyboy ROM'" in " ".join(out.split())
    found = json.loads(said(capsys, "games", "tetris", "--json")[0])
    assert found["tetris"]["counters"] == ["points", "levels"]
    assert not found["tetris"]["needs_state"]
    _, err = said(capsys, "games", "zelda", status=2)
    assert "no game 'zelda'; choose from 'pokemon_battle'" in err


def test_the_score_is_found_in_memory(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    symbols, png = tmp_path / "catch.sym", tmp_path / "seen.png"
    symbols.write_text("00:c005 score\n")
    out, _ = said(capsys, "ram", "--plant-option", "rom=catch", "--find", "only-rose", "--find",
                  "by-one", "--symbols", str(symbols), "--png", str(png), "--json", "-")
    found = json.loads(out)
    assert (found["bytes"][0]["address"], found["bytes"][0]["symbol"]) == (0xC005, "score")
    # misses, the end of a game, drops, the low byte of frames: a reset is no change
    assert [row["address"] for row in found["bytes"][1:]] == [0xC007, 0xC009, 0xC00A, 0xC011]
    assert found["bytes"][1]["symbol"] == "score+2"
    assert png.read_bytes().startswith(b"\x89PNG")
    out, _ = said(capsys, "ram", "--plant-option", "rom=catch", "--press", "LEFT", "--equals", "0",
                  "--find", "fell", "--steps", "60")
    assert "0xc00b" in out, "the basket is at the left edge"


@pytest.mark.parametrize(("words", "message"), [
    (["--press", "A"], "--press 'A' is none of the actions: LEFT RIGHT NOOP"),
    (["--steps", "0"], "--steps: 0 is outside"),
    (["--png", "x.png", "--plant-option", "observe=memory"],
     "--png: 'pyboy:catch' shows no picture, but float32[5]"),
    (["--symbols", "/absent.sym"], "symbols '/absent.sym' cannot be read")])
def test_bad_searches(capsys: pytest.CaptureFixture[str], words: list[str], message: str,
                      tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in said(capsys, "ram", "--plant-option", "rom=catch", *words, status=2)[1]


RULES = """
episode_ticks: 20
counters: {frames: {address: 0xC011, type: u16le}}
rewards: [{address: 0xC011, type: u16le}]
observe: {x: {address: 0xC011, type: u16le, low: 0, high: 9}}
"""


def test_episodes_that_were_all_the_same_are_said(capsys: pytest.CaptureFixture[str],
                                                  tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    words = ["simulate", "--plant", "pyboy", "--plant-option", "rom=catch", "--plant-option",
             f"rules={path}", "--plant-option", "observe=memory", "--policy", "default"]
    for more in (["--steps", "100"], ["--episodes", "3"], ["--episodes", "4", "--processes", "2"]):
        out, err = said(capsys, *words, *more)
        assert "all episodes were the same, each with the return 20" in out
        assert "set the plant's noops" in out
        assert "frames " in out
        assert "warning: observe.x: " in err and "was outside 0 … 9" in err
    document = json.loads(said(capsys, *words, "--episodes", "3", "--json", "-")[0])
    assert document["episodes"] == {
        "count": 3, "cut": 0, "same": True, "return": {"mean": 20, "low": None, "high": None}}
    assert document["counters"] == {"frames": 60}


def test_the_last_picture_of_a_simulation(capsys: pytest.CaptureFixture[str], tmp_path: Path
                                          ) -> None:
    import cv2

    words = ["simulate", "--plant", "pyboy", "--plant-option", "rom=catch", "--plant-option",
             "size=64", "--policy", "random", "--png", str(tmp_path / "seen.png")]
    said(capsys, *words, "--steps", "30")
    picture = cv2.imread(str(tmp_path / "seen.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape[:2] == (64, 64) and picture.max() == 255 and picture.min() < 100
    assert "without --episodes" in said(capsys, *words, "--episodes", "2", status=2)[1]


def test_training_without_a_reward_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path
                                              ) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "rules.yaml"
    path.write_text("title: CATCH\n")
    _, err = said(capsys, "train", "--plant", "pyboy", "--option", "rom=catch", "--option",
                  f"rules={path}", "--ticks", "10", "--out", str(tmp_path / "out"), status=2)
    assert "no rewards, so that nothing can be learned" in err
