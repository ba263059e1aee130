"""`realtime-rl bench`, but for what needs a live graph: see test/bench/test_live.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from realtime_rl.bench import live
from realtime_rl.bench.live import LiveBench, Measured
from realtime_rl.cli import bench
from realtime_rl.cli.main import main


def test_compare_in_virtual_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "compare", "--virtual", "--latency", "constant:95ms", "--duration", "5",
                 "--json", "-", "--plot", str(tmp_path / "c.svg")]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert len(document["rows"]) == 7
    assert (document["live"], document["outlier"]) == (False, 3.0)
    assert captured.err.splitlines()[0] == (
        "[1/7] max_time pooled, 6 workers, 5 s, virtual time")
    assert (tmp_path / "c.svg").exists()


def test_compare_says_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "compare", "--virtual", "--latency", "constant:95ms", "--duration", "3",
                 "--workers", "2", "--outlier", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["algorithm", "workers"]
    assert lines[1].startswith("max_time pooled")


def test_scaling(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "scaling", "--latencies", "1,4,9", "--cv", "0", "--json",
                 str(tmp_path / "s.json"), "--plot", str(tmp_path / "s.png")]) == 0
    document = json.loads((tmp_path / "s.json").read_text())
    assert [point["required_workers"] for point in document["points"]] == [1, 4, 9]
    assert document["fit"]["slope"] == pytest.approx(1.0)
    assert document["live_fit"] is None
    assert "R² = 1.00000" in capsys.readouterr().out
    assert (tmp_path / "s.png").exists()


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> LiveBench:
    """What `bench stagger` would run."""
    seen: list[LiveBench] = []

    def measure(wanted: LiveBench, *_: object) -> Measured:
        seen.append(wanted)
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measure", measure)
    assert main(["bench", "stagger", *arguments]) == 130
    return seen[0]


@pytest.mark.parametrize(("arguments", "workers"), [
    ([], "15"), (["--latency", "constant:95ms"], "6"), (["--workers", "auto"], "auto"),
    (["--workers", "3"], "3"), (["--latency", "none"], "4"),
    (["--latency", "constant:95ms", "--plant-option", "period_ms=50"], "2"),
    (["--latency", "constant:5ms", "--processes", "3"], "3")])
def test_as_many_workers_as_planned(monkeypatch: pytest.MonkeyPatch, arguments: list[str],
                                    workers: str) -> None:
    assert asked(monkeypatch, *arguments).workers == workers


def test_everything_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = asked(monkeypatch, "--workers", "20", "--processes", "4", "--algorithm", "exp_time",
                   "--dealing", "fixed", "--slot-source", "timer", "--duration", "9", "--learner",
                   "--latency", "constant:0.2s", "--record", str(tmp_path / "bag"), "--network",
                   "impala:2", "--set", "inference.threads=2")
    words = wanted.words(tmp_path)
    assert wanted.duration_s == 9.0
    assert {"scenario.workers=20", "scenario.processes=4", "scenario.learner=true",
            f"scenario.record={tmp_path / 'bag'}", "inference.latency=constant:200ms",
            "coordinator.algorithm=exp_time", "coordinator.dealing=fixed",
            "learner.network=impala:2",
            "coordinator.slot_source=timer"} <= set(words)
    assert words[-1] == "inference.threads=2"


def test_another_plant_has_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyboy")
    wanted = asked(monkeypatch, "--plant", "pyboy", "--plant-option", "rom=catch")
    assert (wanted.plant, wanted.plant_options) == ("pyboy", ("rom=catch",))


@pytest.mark.parametrize(("arguments", "expected"), [
    (["stagger", "--workers", "0"], "scenario.workers: 0 is outside 1 … 4096"),
    (["stagger", "--workers", "many"], "'many' is not an integer"),
    (["stagger", "--latency", "slow"], "kind 'slow' is not one of 'constant'"),
    (["stagger", "--latency", "trace:/no/such"], "trace '/no/such': no such file"),
    (["stagger", "--latency", "constant:95ms,contention=1"], "no number of workers is enough"),
    (["stagger", "--duration", "0"], "--duration: 0.0 is outside 1 … 86400"),
    (["stagger", "--duration", "nan"], "--duration: nan is outside"),
    (["stagger", "--workers", "2", "--processes", "3"], "processes: 3 exceeds workers 2"),
    (["stagger", "--set", "workers=3"], "write it as 'node.parameter=value'"),
    (["stagger", "--plant", "toaster"], "'gymnasium', 'mujoco', 'pyboy'"),
    (["stagger", "--workers", "4", "--plant-option", "colour=red"], "'colour'"),
    (["stagger", "--max-stolen", "nan"], "--max-stolen: nan is outside 0 … 100 %"),
    (["stagger", "--workers", "2", "--max-stolen", "1", "--record", "bag"],
     "--max-stolen: a run that is made again has no bag"),
    (["compare", "--latency", "none"], "latency 'none': nothing to plan with"),
    (["compare", "--outlier", "0.5"], "--outlier: 0.5 must be 0 (none), or above 1"),
    (["compare", "--workers", "0"], "--workers: 0 is outside 1 … 4096"),
    (["compare", "--plot", "c.gif"], "--plot 'c.gif': name it .svg or .png"),
    (["scaling", "--latencies", "1,x"], "--latencies: '1,x' must be numbers from 1 to 4096"),
    (["scaling", "--live", "0"], "--live: '0' must be numbers from 1"),
    (["scaling", "--cv", "-1"], "--cv: -1.0 is outside 0 … 1"),
    (["scaling", "--target", "0"], "--target: 0.0 must be above 0"),
])
def test_bad_input_is_one_line(arguments: list[str], expected: str,
                               monkeypatch: pytest.MonkeyPatch,
                               capsys: pytest.CaptureFixture[str]) -> None:
    def never(*_: object) -> None:
        pytest.fail("nothing may be started")

    monkeypatch.setattr(live, "_export", never)
    assert main(["bench", *arguments]) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.strip().splitlines() if not line.startswith("[1")]
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("realtime-rl bench: error: ")
    assert expected in lines[0]
    assert captured.out == ""


def test_a_bag_that_exists_is_not_overwritten(tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "stagger", "--workers", "2", "--record", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["stagger"], ["compare"], ["scaling"]])
def test_help_has_examples(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["bench", *words, "--help"])
    assert left.value.code == 0
    command = " ".join(["realtime-rl bench", *words])
    assert command in capsys.readouterr().out.split("examples:")[1]
