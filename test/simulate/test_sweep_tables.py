"""Tables of trainings: their cells, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml
from matplotlib.axes import Axes

from realtime_rl.core.errors import ConfigError
from realtime_rl.simulate import drawing
from realtime_rl.simulate.drawing import draw_curves, draw_sweep
from realtime_rl.simulate.sweep import Part, parts_of
from realtime_rl.simulate.sweep_figures import courses, curves, points, rows, score

FILE = """
base: {plant: counter, ticks: 100}
quick: {ticks: 10}
parts:
  table:
    axes:
      task: {easy: {option.actions: 2}, hard: {option.actions: 9}}
      delay: [1, 4]
      interaction: [asynchronous, sequential]
      seed: [0, 1]
    quick: {seed: [0]}
    plot: {x: delay, lines: interaction, score: reward}
"""
OVER_TIME = FILE.replace("x: delay", "x: tick").replace("score: reward", "score: caught")
NEEDS = FILE.replace("    axes:", "    needs: {rom: a game, state: saved ones}\n    axes:", 1)


def part_of(text: str = FILE, *, size: str = "") -> Part:
    return parts_of(yaml.safe_load(text), size=size, source="x.yaml")[0]


def result(mean: float) -> dict[str, Any]:
    figures = {"mean": mean, "low": mean, "high": mean, "n": 5}
    return {"reward": 100 * mean, "ticks": 100, "inaction_fraction": 0.0, "parameters": 7,
            "updates": 3, "weights_sha256": "0" * 64, "episodes": {"late_return": figures},
            "evaluation": {"return": figures}}


def drawn_into(monkeypatch: pytest.MonkeyPatch) -> Axes:
    """Return axes into which everything is drawn."""
    from matplotlib.figure import Figure

    def draw(height: float, paint: Callable[[Axes], None]) -> bytes:
        paint(axes)
        return b""

    axes: Axes = Figure().subplots()
    monkeypatch.setattr(drawing, "draw", draw)
    return axes


def test_a_cell_for_every_combination() -> None:
    part = part_of()
    assert len(part.cells) == 16
    assert part.cells[0].labels == {"task": "easy", "delay": "1", "interaction": "asynchronous",
                                    "seed": "0"}
    assert part.cells[0].settings == {"plant": "counter", "ticks": 100, "option.actions": 2,
                                      "delay": 1, "interaction": "asynchronous", "seed": 0}
    assert len({cell.key for cell in part.cells}) == 16


def test_quick_has_fewer_and_shorter_ones() -> None:
    part = part_of(size="quick")
    assert len(part.cells) == 8
    assert {cell.settings["ticks"] for cell in part.cells} == {10}
    assert not {cell.key for cell in part.cells} & {cell.key for cell in part_of().cells}


def test_a_part_may_have_no_cells_of_a_size() -> None:
    part = part_of(FILE.replace("quick: {seed: [0]}", "quick: false"), size="quick")
    assert (part.cells, part.left_out) == ((), "it has no size 'quick'")
    assert part_of(FILE.replace("quick: {seed: [0]}", "cpu: {seed: [3]}"), size="cpu").cells[0
        ].settings["seed"] == 3


def test_a_part_that_needs_files_is_left_out_without_them() -> None:
    part = part_of(NEEDS)
    assert not part.cells
    assert part.left_out == ("it needs --option table.rom=FILE (a game) and "
                             "--option table.state=FILE (saved ones)")
    given = {"table": {"rom": "/a.gb", "state": "/s"}}
    found = parts_of(yaml.safe_load(NEEDS), source="x.yaml", given=given)[0]
    assert len(found.cells) == 16
    assert {(cell.settings["option.rom"], cell.settings["option.state"])
            for cell in found.cells} == {("/a.gb", "/s")}


@pytest.mark.parametrize(("given", "message"), [
    ({"table": {"rom": "/a"}}, "part 'table' also needs --option table.state=FILE (saved ones)"),
    ({"table": {"rim": "/a"}}, "part 'table' needs no file 'rim'; it needs 'rom', 'state'"),
    ({"tables": {"rom": "/a"}}, "there is no part 'tables' that would need a file; parts: 'table'"),
])
def test_files_that_nobody_needs_are_refused(given: dict[str, dict[str, str]], message: str
                                             ) -> None:
    with pytest.raises(ConfigError) as refused:
        parts_of(yaml.safe_load(NEEDS), source="x.yaml", given=given)
    assert str(refused.value) == f"sweep 'x.yaml': {message}"


def over_time(slope: float, ticks: Sequence[int] = (10, 20)) -> dict[str, Any]:
    """Return the result of a training in which `slope` were caught a tick."""
    return {**result(0.0), "counters": {"caught": slope * ticks[-1]}, "over_time": {
        "ticks": list(ticks), "reward": [-tick for tick in ticks],
        "counters": {"caught": [slope * tick for tick in ticks]}}}


def test_a_curve_is_what_was_counted_by_then() -> None:
    part = part_of(OVER_TIME)
    results = {cell.key: over_time(float(cell.settings["delay"]) + (cell.labels["seed"] == "1"))
               for cell in part.cells}
    results[part.cells[0].key] = over_time(1.0, (20, 30))
    found = {curve.line: curve for curve in curves(part, results)}
    assert found["sequential"].ticks == (10, 20)
    assert [interval.mean for interval in found["sequential"].intervals] == [30.0, 60.0]
    assert found["asynchronous"].ticks == (20,), "only what all runs have"
    assert sorted(found["sequential"].runs) == [20.0] * 2 + [40.0] * 2 + [80.0] * 2 + [100.0] * 2
    table = courses(part, results)
    assert table[0] == {"task": "easy", "delay": "1", "interaction": "asynchronous", "seed": "0",
                        "tick": 20, "caught": 20.0}
    assert len(table) == 2 * len(part.cells)
    assert rows(part, results)[1]["counted_caught"] == 40.0
    by_reward = replace(part, plot=replace(part.plot, score="reward"))
    assert curves(by_reward, results)[1].intervals[0].mean == -10.0


def test_a_counter_that_no_plant_has_is_no_curve() -> None:
    part = part_of(OVER_TIME.replace("caught", "battles"))
    assert not curves(part, {part.cells[0].key: over_time(1.0), part.cells[1].key: result(1.0)})


@pytest.mark.parametrize(("seeds", "areas"), [(4, 0), (5, 1)])
def test_intervals_are_drawn_from_five_runs_on(
    seeds: int, areas: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = drawn_into(monkeypatch)
    text = FILE.replace("seed: [0, 1]", f"seed: {list(range(seeds))}").replace(
        "interaction: [asynchronous, sequential]", "interaction: [asynchronous]").replace(
        "{easy: {option.actions: 2}, hard: {option.actions: 9}}", "{easy: {option.actions: 2}}")
    part = part_of(text)
    draw_sweep(part.plot, points(part, {
        cell.key: result(float(cell.settings["seed"])) for cell in part.cells}))
    assert len(axes.collections) == areas
    part = part_of(text.replace("x: delay", "x: tick").replace("delay: [1, 4]", "delay: [1]"))
    axes.clear()
    draw_curves(part.plot, curves(part, {
        cell.key: over_time(float(cell.settings["seed"])) for cell in part.cells}))
    assert len(axes.lines) == 1
    assert len(axes.collections) == areas


def test_points_are_means_over_tasks_and_seeds() -> None:
    part = part_of()
    results = {cell.key: result(float(cell.settings["delay"]) + (cell.labels["task"] == "hard"))
               for cell in part.cells}
    found = {(point.line, point.x): point.interval for point in points(part, results)}
    assert len(found) == 4
    interval = found["asynchronous", "4"]
    assert (interval.mean, interval.n) == (4.5, 4)
    assert interval.low == interval.high == 4.5, "that tasks differ is no uncertainty"
    assert len(rows(part, results)) == 16
    assert draw_sweep(part.plot, points(part, results)).startswith(b"<?xml")


def test_a_line_that_is_a_number_is_drawn_with_its_axis() -> None:
    part = part_of()
    numbers = replace(part.plot, x="interaction", lines="delay")
    results = {cell.key: result(1.0) for cell in part.cells}
    by_delay = draw_sweep(numbers, points(replace(part, plot=numbers), results))
    assert b"delay 4" in by_delay
    by_interaction = draw_sweep(part.plot, points(part, results))
    assert b" asynchronous " in by_interaction
    assert b"interaction asynchronous" not in by_interaction


@pytest.mark.parametrize(("x", "lines", "style"), [
    ("delay", "", "-"), ("interaction", "", "None"), ("interaction", "delay", "-")])
def test_what_is_only_compared_is_not_joined(
    x: str, lines: str, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = drawn_into(monkeypatch)
    part = part_of()
    plot = replace(part.plot, x=x, lines=lines)
    results = {cell.key: result(1.0) for cell in part.cells}
    found = points(replace(part, plot=plot), results)
    draw_sweep(plot, found)
    means, runs = axes.lines[0], axes.lines[1]
    assert (means.get_linestyle(), runs.get_linestyle()) == (style, "None")
    assert not axes.collections, "no interval is drawn"
    assert sum(len(line.get_xdata()) for line in axes.lines[1::2]) == len(part.cells)


def test_a_difference_is_to_the_same_cell_but_for_one_axis() -> None:
    part = part_of(FILE.replace("score: reward", "score: greedy, against: {delay: 1}")
                   .replace("ticks: 100", "ticks: 100, evaluate: 1"))
    results = {cell.key: result(10.0 - float(cell.settings["delay"])) for cell in part.cells}
    found = points(part, results)
    assert [(point.x, point.interval.mean) for point in found] == [("4", 3.0), ("4", 3.0)]
    assert part.plot.meaning == "greedy return: less than with delay 1"
    del results[part.cells[0].key]
    assert sum(point.interval.n for point in points(part, results)) == 7


def test_scores() -> None:
    document = result(3.0)
    assert [score(document, which) for which in ("greedy", "late", "reward")] == [3.0] * 3
    assert score({**document, "evaluation": None}, "greedy") != 3.0


@pytest.mark.parametrize(("old", "new", "message"), [
    ("base:", "basis:", "unknown key 'basis'; known: 'about', 'base', "),
    ("ticks: 100", "tics: 100", "base: unknown setting 'tics'; known: 'checkpoint_every', "),
    ("option.actions: 9", "learner.brain: 9", "unknown parameter 'learner.brain'; known: 'learner"),
    ("delay: [1, 4]", "delays: [1, 4]", "unknown setting 'delays'"),
    ("delay: [1, 4]", "delay: 4", "neither a list of values nor a mapping"),
    ("delay: [1, 4]", "delay: [[1]]", "'delay' is [1], not one value"),
    ("x: delay", "x: size", "'size' is not one of the axes 'delay', 'interaction', "),
    ("score: reward", "score: luck", "score 'luck' is not one of 'greedy', 'late', 'reward'; a "),
    ("x: delay, lines: interaction, score: reward", "x: tick, score: late",
     "score 'late' is one figure of a training; over time there are 'reward' and"),
    ("x: delay, lines: interaction", "x: tick, log: true", "log is not of a plot over time; leave"),
    ("x: delay", "x: tick, against: {delay: 1}", "against is not of a plot over time; leave it"),
    ("seed: [0, 1]", "seed: [0, 1]\n      tick: {a: {}}", "no axis can have the name 'tick'"),
    ("    axes:", "    needs: rom\n    axes:", "needs: 'rom' is not a mapping of options to what"),
    ("score: reward", "against: {delay: 2}", "against 'delay' '2' is not one of '1', '4'"),
    ("quick: {seed", "quick: {seeds", "unknown setting 'seeds'"),
    ("plant: counter, ", "", "no 'plant' in base nor on an axis"),
    ("ticks: 100", "ticks: 1e5", "base: ticks: '1e5' is not an integer"),
    ("ticks: 100", "ticks: -10", "base: ticks: -10 is outside ≥ 1"),
    ("delay: [1, 4]", "delay: [1, four]", "'delay': delay: 'four' is not an integer"),
    ("asynchronous, ", "parallel, ", "interaction: 'parallel' is not one of 'asynchronous', "),
    ("option.actions: 9", "learner.n_step: abc", "'hard': n_step: 'abc' is not an integer"),
    ("option.actions: 9", "learner.double: 1", "'hard': double: '1' is not a bool"),
    ("  table:", "  ta/ble:", "part 'ta/ble': its picture is a file of that name, without '/'"),
    ("score: reward", "score: greedy", "the score 'greedy' is that of an evaluation; set"),
])
def test_what_is_unknown_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        part_of(FILE.replace(old, new, 1), size="quick")
    assert "sweep 'x.yaml': " in str(refused.value)
    assert message in str(refused.value)


def test_a_size_that_the_file_has_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="it has no size 'cpu': neither the file nor a part has"):
        part_of(size="cpu")
