"""`realtime-rl train --sweep`."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from realtime_rl.cli import sweep
from realtime_rl.cli.main import main
from realtime_rl.cli.main import parser as command_line
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.learning import bodies
from realtime_rl.plants import registry
from realtime_rl.simulate.sweep import Cell, parts_of

BUNDLED = ["delay", "figure4", "figure5", "figure6", "learners", "stochasticity"]
FILE = """
base: {plant: counter, ticks: 60, option.episode_ticks: 20, learner.network: mlp, evaluate: 1}
parts:
  table: {axes: {delay: [1, 2], seed: [0]}, plot: {x: delay, score: late}}
"""


def result(arguments: Sequence[str]) -> dict[str, Any]:
    figures = {"mean": 1.0, "low": 1.0, "high": 1.0, "n": 5}
    return {"reward": 1.0, "ticks": 60, "inaction_fraction": 0.0, "parameters": 7, "updates": 3,
            "weights_sha256": "0" * 64, "episodes": {"late_return": figures},
            "evaluation": {"return": figures}, "arguments": list(arguments)}


class Fake:
    """Takes the place of the processes."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.calls: list[list[str]] = []

    def stop(self) -> None:
        self.stopped = True

    def __call__(self, arguments: Sequence[str], log: Path) -> int:
        self.calls.append(list(arguments))
        status = self.statuses.pop(0) if self.statuses else 0
        log.write_text("begins anew\ntrain: error: no such game\n\n")
        if status == 0:
            run = Path(arguments[arguments.index("--out") + 1])
            run.mkdir(parents=True, exist_ok=True)
            (run / "checkpoint.json").write_text("{}")
            (run / "checkpoint-0123456789abcdef.safetensors").write_bytes(b"")
            place = Path(arguments[arguments.index("--json") + 1])
            place.write_text(json.dumps(result(arguments)))
        return status


@pytest.fixture
def table(tmp_path: Path) -> list[str]:
    path = tmp_path / "table.yaml"
    path.write_text(FILE)
    return ["train", "--sweep", str(path), "--out", str(tmp_path / "out")]


def test_it_goes_on_where_it_failed(table: list[str], monkeypatch: pytest.MonkeyPatch,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    fake = Fake(2)
    monkeypatch.setattr(sweep, "Processes", lambda: fake)
    assert main(table) == 2
    said = capsys.readouterr().err
    assert re.search(r"\[[12]/2\] delay-1_seed-0_\w+: status 2: train: error: no such game\n", said)
    assert "1 of 2 trainings failed; why stands above and in " in said
    assert main(table) == 0
    assert "2 trainings, 1 finished; 60 ticks to go" in capsys.readouterr().err
    assert len(fake.calls) == 3
    assert all({"--resume", "--keep-replay"} <= set(call) for call in fake.calls)
    assert main(table) == 0
    assert len(fake.calls) == 3, "finished cells are skipped"
    out = Path(table[-1])
    assert not list(out.glob("runs/*/checkpoint*")), "finished ones keep no replay on the disk"
    lines = (out / "sweep.csv").read_text().splitlines()
    assert lines[0].startswith("part,delay,seed,greedy,late,reward")
    assert len(lines) == 3
    assert (out / "table.svg").read_bytes().startswith(b"<?xml")


def test_interrupted_it_says_how_to_go_on(table: list[str], monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    fake = Fake(130)
    monkeypatch.setattr(sweep, "Processes", lambda: fake)
    assert main(table) == 130
    assert "stopped; the same command goes on" in capsys.readouterr().err


def test_the_trainings_end_with_the_sweep(tmp_path: Path) -> None:
    processes = sweep.Processes()
    log = tmp_path / "log"
    os.mkfifo(log)
    with ThreadPoolExecutor(1) as pool:
        # opening the pipe waits for the process's output, so that it runs once a line came
        status = pool.submit(processes, [
            "train", "--plant", "counter", "--set", "learner.network=mlp", "--ticks", "1000000",
            "--resume", "--out", str(tmp_path / "out")], log)
        with log.open() as output:
            assert "begins anew" in output.readline()
            processes.stop()
            output.read()
        assert status.result() in (130, -15)
    assert processes(["--version"], tmp_path / "other") == 130


def test_a_cell_is_trained_by_a_command_that_a_person_can_repeat(
    table: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Fake(0, 2)
    monkeypatch.setattr(sweep, "Processes", lambda: fake)
    main(table)
    capsys.readouterr()
    command = fake.calls[1]
    assert main(command) == 0
    document = json.loads(Path(command[command.index("--json") + 1]).read_text())
    assert (document["delay_ticks"], document["ticks"]) == (2, 60)


@pytest.mark.parametrize(("name", "size"), [
    *itertools.product(BUNDLED, ["", "quick"]), ("figure4", "cpu"), ("figure5", "cpu")])
def test_bundled_sweeps_ask_for_what_there_is(name: str, size: str, tmp_path: Path) -> None:
    from realtime_rl.cli.train import learner

    if name == "figure6":
        pytest.importorskip("ale_py")

    parts = parts_of(sweep._read(sweep.find(name)), size=size, source=name)
    made: set[str] = set()
    for cell in (cell for part in parts for cell in part.cells):
        args = command_line().parse_args(sweep.command(cell, tmp_path, tmp_path))
        config = learner(args.set, args.seed)
        assert config.network.split(":")[0] in bodies.KINDS
        if str(args.option) not in made:
            made.add(str(args.option))
            registry.make(args.plant, registry.parse_options(args.option), args.seed).close()


def test_files_that_a_sweep_names_lie_beside_it(tmp_path: Path) -> None:
    cell = Cell("only", {}, {"plant": "pyboy", "option.rom": "mine.gb", "option.rules": "r/a.yaml",
                             "option.size": 42, "learner.network": "mlp"})
    bundled = Cell("only", {}, {"plant": "pyboy", "option.rom": "catch"})
    options = [command_line().parse_args(sweep.command(each, tmp_path, Path("/s"))).option
               for each in (cell, bundled)]
    assert options == [["rom=/s/mine.gb", "rules=/s/r/a.yaml", "size=42"], ["rom=catch"]]


def test_a_part_whose_files_are_not_given_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, rom = tmp_path / "table.yaml", tmp_path / "mine.gb"
    mine = FILE.split("parts:\n")[1].replace("table: {", "mine: {needs: {rom: x}, ")
    path.write_text(FILE + mine)
    rom.write_bytes(b"")
    fake = Fake()
    monkeypatch.setattr(sweep, "Processes", lambda: fake)
    command = ["train", "--sweep", str(path), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "mine is left out: it needs --option mine.rom=FILE (x)\n" in capsys.readouterr().err
    assert len(fake.calls) == 2
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--option", "mine.rom=mine.gb"]) == 0
    assert len(fake.calls) == 4
    assert f"rom={rom}" in fake.calls[-1], "a path is seen from where the command is given"
    path.write_text(FILE.replace("table: {", "table: {needs: {rom: x}, "))
    assert main(command) == 2
    assert "nothing to train: table is left out: it needs" in capsys.readouterr().err


def test_what_is_counted_is_drawn_over_time(table: list[str], capsys: pytest.CaptureFixture[str]
                                            ) -> None:
    path = Path(table[2])
    path.write_text(FILE.replace("x: delay, score: late", "x: tick, lines: delay, score: reward"))
    assert main(table) == 0
    out = Path(table[-1])
    assert "table: 1, after 60 ticks: " in capsys.readouterr().out
    rows = (out / "table.csv").read_text().splitlines()
    assert rows[0] == "delay,seed,tick,reward"
    assert len(rows) == 1 + 2 * 60
    assert (out / "table.svg").read_bytes().startswith(b"<?xml")


def test_figure4_compares_learners_that_see_as_many_transitions() -> None:
    files = {part: {"rom": "/mine.gb", "state": "/states"} for part in ("battles", "catching")}
    for size, names in (("", {"catch", "battles", "catching"}), ("cpu", {"catch"})):
        parts = parts_of(sweep._read(sweep.find("figure4")), source="figure4", size=size,
                         given=files)
        assert {part.name for part in parts if part.cells} == names
        for part in parts:
            staggered, large, *_ = {cell.labels["learning"]: cell.settings for cell in part.cells
                                    }.values() if part.cells else ({}, {})
            if not staggered:
                continue
            learners = int(staggered["learners"])
            assert large["learner.batch_size"] == learners * int(staggered["learner.batch_size"])
            assert float(large["updates_per_tick"]) * learners == pytest.approx(
                float(staggered.get("updates_per_tick", 1.0)), rel=1e-3)


def test_figure5s_sizes_for_a_cpu_are_those_that_were_measured() -> None:
    times = Path(__file__).resolve().parents[2] / "docs/measurements/data/network_times.csv"
    with times.open(encoding="utf-8", newline="") as file:
        measured = {row["network"]: int(row["delay_ticks"]) for row in csv.DictReader(file)}
    parts = parts_of(sweep._read(sweep.find("figure5")), source="figure5", size="cpu")
    for part in (part for part in parts if part.cells):
        assert {cell.settings["learner.network"]: cell.settings["delay"]
                for cell in part.cells} == measured
        assert {cell.labels["seed"] for cell in part.cells} == set("01234")


def test_figure6_is_the_papers_table() -> None:
    parts = parts_of(sweep._read(sweep.find("figure6")), source="figure6")
    cells = [cell for part in parts for cell in part.cells]
    assert len({cell.key for cell in cells}) == 3 * 10 * 2 * 3
    assert {cell.settings["option.id"] for cell in cells} == {
        "ALE/Boxing-v5", "ALE/Krull-v5", "ALE/NameThisGame-v5"}
    delays = {cell.labels["model"]: cell.settings["delay"] for cell in cells}
    assert list(delays.values()) == [1, 5, 8, 70, 599, 3, 29, 47, 80, 750]
    assert all(cell.settings["option.frameskip"] == 1 for cell in cells)


@pytest.mark.parametrize(("arguments", "message"), [
    (["--sweep", "figure7"], "sweep 'figure7': no such file; bundled: delay, figure4, "),
    (["--sweep", "figure5", "--plant", "counter"], "stands in its file; leave --plant out"),
    (["--sweep", "figure5", "--ticks", "9", "--json", "-"], "leave --ticks, --json out"),
    (["--sweep", "figure5", "--option", "rom=/dev/null"], "write 'PART.OPTION=FILE'"),
    (["--sweep", "figure5", "--option", "tetris.rom=/absent.gb"], "no file or folder '/absent.gb'"),
    (["--sweep", "figure5", "--option", "tetris.ram=/dev/null"], "needs no file 'ram'; it needs"),
    (["--sweep", "delay", "--cpu"], "it has no size 'cpu'"),
    (["--sweep", "figure5", "--jobs", "0"], "--jobs 0 must be 1 or more"),
    (["--sweep", "delay", "--out", "/proc/nowhere"], "cannot be written to"),
])
def test_bad_input_is_one_line(arguments: list[str], message: str, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--out", str(tmp_path / "out"), *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("a:\n  b: [1, 2}\n")
    with pytest.raises(RealtimeRlError, match="is not YAML: line 2, column 11: expected ',' or"):
        sweep._read(path)


def test_a_table_is_not_mixed_with_a_training(
    table: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(table[-1])
    out.mkdir()
    (out / "checkpoint.json").write_text("{}")
    assert main(table) == 2
    assert "is the folder of one training; take another" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["checkpoint.json"]


def test_without_a_score_there_is_a_word_instead_of_a_picture(
    table: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep, "Processes", lambda: Fake(2, 2))
    assert main(table) == 2
    assert "table: no training has a score 'late': no picture\n" in capsys.readouterr().err
