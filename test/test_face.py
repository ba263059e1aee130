"""The public names, and the examples that use them."""

from __future__ import annotations

import ast
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from plants_conformance import PlantConformance

import realtime_rl as rl
from realtime_rl.cli.main import main as cli

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
HEAVY = ("torch", "rclpy", "onnx", "onnxruntime", "pyboy", "cv2", "gymnasium", "matplotlib", "mcap",
         "rosbags", "rich")


def example(name: str) -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLES / f"{name}.py")))


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = ("import sys, json, realtime_rl as rl; at_once = sorted(sys.modules); rl.plan_workers; "
            "rl.Plant; print(json.dumps([at_once, sorted(sys.modules)]))")
    at_once, asked = map(set, json.loads(subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout))
    assert not {*HEAVY, "numpy", "realtime_rl.api"} & at_once
    assert not set(HEAVY) & asked
    assert "realtime_rl.api" in asked


def test_every_name_can_be_had_and_is_known_to_type_checkers() -> None:
    assert set(rl.__all__) <= set(dir(rl))
    tree = ast.parse((ROOT / "realtime_rl" / "__init__.py").read_text(encoding="utf-8"))
    checked = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.If)
               for found in node.body for alias in found.names}  # type: ignore[attr-defined]
    assert checked | {"__version__"} == set(rl.__all__)
    for name in rl.__all__:
        assert getattr(rl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        rl.nonsense  # noqa: B018


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_keeps_to_the_public_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    modules = {alias.name for node in ast.walk(ast.parse(text))
               if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.ImportFrom)}
    assert not any(name.startswith("realtime_rl.") for name in modules)


def test_planning_gives_the_workers_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    example("plan_workers").main("constant:95ms", "16.742706")
    assert "max_time: 6 workers, delay 6.0 ticks" in capsys.readouterr().out
    assert cli(["plan", "--latency", "constant:95ms", "--algorithm", "max_time", "--dealing",
                "pooled", "--json", "-"]) == 0
    row = json.loads(capsys.readouterr().out)["rows"][0]
    seen = rl.plan_workers("constant:95ms", period_ms=16.742706)
    assert (seen.required_workers, seen.prediction.delay_ticks, seen.prediction.inaction) == (
        row["required_workers"], row["delay_ticks"], row["inaction_fraction"])


def test_simulating_gives_the_figures_of_the_command_line(
        capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["simulate", "--plant", "counter", "--plant-option", "random_phase=true", "--policy",
                "random", "--delay", "3", "--steps", "900", "--seed", "4", "--json", "-"]) == 0
    wanted = json.loads(capsys.readouterr().out)
    plant = rl.make_plant("counter", seed=4, random_phase=True)
    for _ in range(17):
        plant.step((0.0,))
    plant.reset(4)
    ticks: list[int] = []
    figures = rl.simulate_policy(plant, "random", delay=3, ticks=900, seed=4,
                                 on_tick=lambda done: ticks.append(done.tick))
    assert (figures.reward, figures.interval().mean, figures.inaction_fraction) == (
        wanted["reward"], wanted["episodes"]["return"]["mean"], wanted["inaction_fraction"])
    assert ticks == list(range(900))


def test_a_policy_plays_alike_by_its_path_and_loaded() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("pyboy")
    plant = rl.make_plant("pyboy", seed=1, rom="catch")
    path = ROOT / "policies" / "catch.onnx"
    by_path = rl.simulate_policy(plant, path, delay=2, ticks=300)
    plant.reset(1)
    loaded = rl.simulate_policy(plant, rl.load_policy(path, plant), delay=2, ticks=300)
    assert by_path == loaded
    plant.close()


def test_the_delays_of_a_game(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("pyboy")
    example("simulate_policy").main(str(ROOT / "policies" / "catch.onnx"), "60")
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "delay  1 ticks", "delay  6 ticks", "delay 12 ticks"]


def test_what_is_trained_is_exported_and_plays(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnxruntime")
    example("train_policy").main(str(tmp_path / "out"), "1500")
    reward = float(capsys.readouterr().out.split("reward ")[1].split()[0])
    assert reward > 0.9
    assert (tmp_path / "out" / "policy.onnx").is_file()


def test_a_bag_tells_who_acted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rosbags")
    import synthetic

    bag = synthetic.write(tmp_path / "run", synthetic.make(synthetic.Scenario(ticks=120)))
    example("read_bag").main(str(bag))
    out = capsys.readouterr().out
    assert "tick 60: action (0.0,), from the observation of tick 54" in out
    assert "'policy': 11" in out
    assert "inaction: 0.0" in out


class TestTank(PlantConformance):
    def make_plant(self, seed: int) -> rl.Plant:
        plant: rl.Plant = example("own_plant").Tank(seed)
        return plant


def test_a_plant_of_ones_own_is_held_worse_the_later_one_acts(
        capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "own_plant.py"), run_name="__main__")
    rewards = [float(line.split()[4]) for line in capsys.readouterr().out.splitlines()]
    assert rewards == sorted(rewards, reverse=True)
    assert len(set(rewards)) == 3


@pytest.mark.parametrize(("call", "message"), [
    (lambda: rl.plan_workers("constant:95ms", period_ms=0.0), "period_ms 0.0 is outside"),
    (lambda: rl.plan_workers("constant:95ms", period_ms=10, workers=0), "workers 0 is outside 1"),
    (lambda: rl.plan_workers("constant:95ms", period_ms=10, algorithm="fast"),
     "algorithm 'fast' is not one of 'exp_time', 'max_time'"),
    (lambda: rl.plan_workers("95", period_ms=10), "95"),
    (lambda: rl.make_plant("none"), "unknown plant 'none'"),
    (lambda: rl.make_plant("counter", colour=1), "colour"),
    (lambda: rl.simulate_policy(rl.make_plant("counter"), "random", ticks=0), "ticks 0 is outside"),
    (lambda: rl.simulate_policy(rl.make_plant("counter"), "random", delay=0), "delay 0"),
    (lambda: rl.train_policy(rl.make_plant("counter"), "out", threads=0), "threads 0 is outside"),
    (lambda: rl.report_bag("no-such-bag", skip_s=-1.0), "skip_s -1.0 is outside"),
])
def test_bad_arguments_are_refused_in_a_line(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(rl.RealtimeRlError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
