"""Tables of trainings: their cells, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from matplotlib.axes import Axes

from realtime_rl.core.errors import ConfigError
from realtime_rl.simulate import drawing
from realtime_rl.simulate.drawing import draw_sweep
from realtime_rl.simulate.sweep import Part, parts_of
from realtime_rl.simulate.sweep_figures import points, rows, score

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


def part_of(text: str = FILE, *, quick: bool = False) -> Part:
    return parts_of(yaml.safe_load(text), quick=quick, source="x.yaml")[0]


def result(mean: float) -> dict[str, Any]:
    figures = {"mean": mean, "low": mean, "high": mean, "n": 5}
    return {"reward": 100 * mean, "ticks": 100, "inaction_fraction": 0.0, "parameters": 7,
            "updates": 3, "weights_sha256": "0" * 64, "episodes": {"late_return": figures},
            "evaluation": {"return": figures}}


def test_a_cell_for_every_combination() -> None:
    part = part_of()
    assert len(part.cells) == 16
    assert part.cells[0].labels == {"task": "easy", "delay": "1", "interaction": "asynchronous",
                                    "seed": "0"}
    assert part.cells[0].settings == {"plant": "counter", "ticks": 100, "option.actions": 2,
                                      "delay": 1, "interaction": "asynchronous", "seed": 0}
    assert len({cell.key for cell in part.cells}) == 16


def test_quick_has_fewer_and_shorter_ones() -> None:
    part = part_of(quick=True)
    assert len(part.cells) == 8
    assert {cell.settings["ticks"] for cell in part.cells} == {10}
    assert not {cell.key for cell in part.cells} & {cell.key for cell in part_of().cells}


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
    from matplotlib.figure import Figure

    def draw(height: float, paint: Callable[[Axes], None]) -> bytes:
        paint(axes)
        return b""

    axes = Figure().subplots()
    monkeypatch.setattr(drawing, "draw", draw)
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
    ("score: reward", "score: luck", "score 'luck' is not one of 'greedy', 'late', 'reward'"),
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
        part_of(FILE.replace(old, new, 1), quick=True)
    assert "sweep 'x.yaml': " in str(refused.value)
    assert message in str(refused.value)
