"""`realtime-rl plan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from realtime_rl.cli.main import main


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["plan", *arguments, "--json", "-"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["plan", *arguments]) == 0
    return capsys.readouterr().out


def test_one_row_for_each_algorithm_and_dealing(capsys: pytest.CaptureFixture[str]) -> None:
    document = planned(capsys, "--latency", "constant:95ms", "--workers", "3")
    assert document["schema"] == 1
    assert document["period_ms"] == pytest.approx(16.742706)
    assert [(row["algorithm"], row["dealing"]) for row in document["rows"]] == [
        ("max_time", "pooled"), ("max_time", "fixed"), ("quantile_time", "pooled"),
        ("quantile_time", "fixed"), ("exp_time", "pooled"), ("exp_time", "fixed"),
        ("sequential", None), ("unstaggered", None), ("single_queue", None)]
    best = document["rows"][0]
    assert best["required_workers"] == best["workers"] == best["promised_delay_ticks"] == 6
    assert best["inaction_fraction"] == 0.0
    assert best["delay_ms"] == pytest.approx(6 * 16.742706)
    assert best["given"]["workers"] == 3
    assert best["given"]["inaction_fraction"] == pytest.approx(0.5)
    assert document["rows"][6]["required_workers"] is None


def test_the_period_may_come_from_a_plant(capsys: pytest.CaptureFixture[str]) -> None:
    document = planned(capsys, "--latency", "constant:95ms", "--plant", "counter",
                       "--plant-option", "period_ms=50", "--algorithm", "max_time",
                       "--dealing", "pooled")
    assert document["period_ms"] == 50.0
    assert [row["required_workers"] for row in document["rows"]] == [2]


@pytest.mark.parametrize(("handover", "ticks"), [("0", 5), ("2ms", 5), ("6ms", 6)])
def test_the_hand_over_counts(handover: str, ticks: int,
                              capsys: pytest.CaptureFixture[str]) -> None:
    document = planned(capsys, "--latency", "constant:48ms", "--period", "10ms", "--handover",
                       handover, "--algorithm", "max_time")
    assert document["rows"][0]["promised_delay_ticks"] == ticks


def test_it_says_what_to_buy(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "--latency", "lognormal:215ms,cv=0.3")
    words = " ".join(text.split())
    assert "buy what runs 1" in words
    assert "each no slower than stated (max_time pooled)" in words
    assert "no number of workers acts at every tick" in words
    assert max(map(len, text.splitlines())) <= 110
    quick = said(capsys, "--latency", "constant:5ms", "--algorithm", "max_time")
    assert "one inference at a time is enough" in " ".join(quick.split())


def test_it_says_when_no_number_of_workers_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(said(capsys, "--latency", "constant:95ms,contention=0.25").split())
    assert "gives 42.1 actions a second at most and the plant takes 59.7" in words


def test_a_baseline_alone_recommends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "buy" not in said(capsys, "--latency", "constant:95ms", "--algorithm", "sequential")


def test_json_goes_to_a_file_and_the_table_to_the_screen(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "--latency", "constant:95ms", "--json", str(tmp_path / "plan.json"))
    assert text.splitlines()[3].startswith("algorithm")
    assert len(json.loads((tmp_path / "plan.json").read_text())["rows"]) == 9


@pytest.mark.parametrize(("arguments", "expected"), [
    (["--latency", "none"], "latency 'none': nothing to plan with"),
    (["--latency", "slow"], "kind 'slow' is not one of 'constant', 'lognormal'"),
    (["--latency", "constant:-5ms"], "duration '-5ms': write a positive number"),
    (["--latency", "trace:/no/such"], "trace '/no/such': no such file"),
    (["--latency", "constant:5ms", "--workers", "0"], "--workers: 0 is outside 1 … 4096"),
    (["--latency", "constant:5ms", "--processes", "5000"], "--processes: 5000 is outside"),
    (["--latency", "constant:5ms", "--period", "16"], "--period: duration '16'"),
    (["--latency", "constant:5ms", "--period", "0ms"], "--period: duration '0ms' must be"),
    (["--latency", "constant:5ms", "--handover=-1ms"], "--handover: duration '-1ms'"),
    (["--latency", "constant:5ms", "--quantile", "nan"], "--quantile: nan is outside 0 … 1"),
    (["--latency", "constant:5ms", "--target", "2"], "--target: 2.0 is outside 0 … 1"),
    (["--latency", "constant:5ms", "--plant", "toaster"], "'gymnasium', 'mujoco', 'pyboy'"),
    (["--latency", "constant:5ms", "--plant-option", "a=b"], "needs --plant NAME"),
    (["--latency", "constant:5ms", "--algorithm", "sequential", "--dealing", "fixed"],
     "'sequential' deals no slots"),
    (["--latency", "constant:5ms", "--json", "/proc/no/x"], "cannot be written"),
])
def test_bad_input_is_one_line(arguments: list[str], expected: str,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *arguments]) == 2
    captured = capsys.readouterr()
    [line] = captured.err.strip().splitlines()
    assert line.startswith("realtime-rl plan: error: ")
    assert expected in line
    assert captured.out == ""


def test_an_unknown_algorithm_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["plan", "--latency", "constant:5ms", "--algorithm", "best"])
    assert left.value.code == 2
    assert "quantile_time" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["plan", "--help"])
    assert left.value.code == 0
    assert "realtime-rl plan" in capsys.readouterr().out.split("examples:")[1]


def test_chunks_say_what_each_further_worker_buys(capsys: pytest.CaptureFixture[str]) -> None:
    document = planned(capsys, "--latency", "constant:215ms", "--period", "16.74ms",
                       "--chunk", "50", "--workers", "8")
    assert [row["workers"] for row in document["rows"]] == [1, 2, 3, 4, 5, 7, 13]
    assert [row["rows_needed"] for row in document["rows"]] == [25, 19, 17, 16, 15, 14, 13]
    ages = [row["feedback_age_ticks"] for row in document["rows"]]
    assert ages == sorted(ages, reverse=True)
    assert (ages[0], ages[-1]) == (pytest.approx(19.0, abs=0.1), 13.0)
    assert {row["inaction_fraction"] for row in document["rows"]} == {0.0}
    assert document["given"]["workers"] == 8
    out = said(capsys, "--latency", "constant:215ms", "--period", "16.74ms", "--chunk", "20")
    assert "2 worker(s) leave no tick without an action" in out
    out = said(capsys, "--latency", "constant:215ms", "--period", "16.74ms", "--chunk", "9")
    assert "too short for any number of workers" in out
    assert "13 rows would do" in " ".join(out.split())


def test_chunks_of_a_prefix_begin_a_delay_apart_whatever_the_workers(
    capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--latency", "constant:215ms", "--period", "16.74ms", "--chunk", "50",
             "--chunk-merge", "prefix")
    document = planned(capsys, *words, "--workers", "8")
    (row,), given = document["rows"], document["given"]
    assert (row["workers"], row["every_ticks"], row["rows_needed"]) == (
        1, pytest.approx(13.0, abs=0.05), 25)
    assert {**given, "workers": 1} == row
    assert "begin 13 ticks apart" in " ".join(said(capsys, *words).split())


@pytest.mark.parametrize(("words", "message"), [
    (["--chunk-merge", "prefix"], "give --chunk H"),
    (["--chunk", "0"], "--chunk: 0 must be 1 or more"),
    (["--chunk", "9", "--algorithm", "exp_time"], "leave --algorithm 'exp_time' out"),
])
def test_chunks_that_cannot_be_planned(capsys: pytest.CaptureFixture[str], words: list[str],
                                       message: str) -> None:
    assert main(["plan", "--latency", "constant:95ms", *words]) != 0
    assert message in capsys.readouterr().err
