"""Bags with values that cannot be: recorded before they were refused, or by somebody else."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from handmade import defaulted, inference, learning, schedule, step, verdict
from synthetic import TOPIC_OF, Made, Scenario, cdr_of, make, topics

from realtime_rl.bags import messages
from realtime_rl.bags.report import Report, make_report, to_json, to_text
from realtime_rl.bags.writer import BagWriter
from realtime_rl.core.errors import BagError
from realtime_rl.core.messages import ranges, records, wire
from realtime_rl.core.types import Cause

NASTY = (float("nan"), float("inf"), -float("inf"), 1e300, -1e300, 1e18, 2.0**62, 2.0**53 + 2, -2.0,
         0.5, -7.0)
SHORT = Scenario(ticks=300, episode_ticks=40, schedule_tick=10)


def write_raw(folder: Path, made: Made, extra: list[tuple[int, str, bytes]]) -> Path:
    """Record a run, and beside it messages as bytes, in order of their times."""
    written = [(at_ns, TOPIC_OF.get(type(record), "policy"), cdr_of(record))
               for at_ns, record in made.records]
    with BagWriter(folder, list(topics())) as bag:
        for at_ns, name, cdr in sorted([*written, *extra]):
            bag.write(f"/{name}", cdr, at_ns)
    return folder


def whole(report: Report) -> None:
    """Every form of the report can be made, and its JSON is JSON."""
    assert json.loads(to_json(report.figures)) == report.figures
    assert to_text(report)
    page = pytest.importorskip("realtime_rl.bags.html").page
    assert page(report).endswith("</html>\n")


@pytest.mark.parametrize("seed", range(3))
def test_what_is_refused_now_is_a_line_and_no_more(tmp_path: Path, seed: int) -> None:
    made, rng = make(SHORT), random.Random(seed)
    bad = []
    for at_ns, record in made.records:
        if isinstance(record, str) or rng.random() > 0.3:
            continue
        scalars = wire.encode(record)
        values = list(scalars.values)
        values[rng.randrange(len(values))] = rng.choice(NASTY)
        try:
            wire.decode(type(record), replace(scalars, values=tuple(values)))
        except wire.WireError:
            bad.append((at_ns, TOPIC_OF[type(record)],
                        messages.scalars_to_cdr(replace(scalars, values=tuple(values)))))
    assert len(bad) > 100
    report = make_report(write_raw(tmp_path / "bag", made, bad))
    assert report.figures == make_report(write_raw(tmp_path / "clean", made, [])).figures
    lines = [line for line in report.warnings if "could not be read; the first: not a" in line]
    assert sum(int(line.split()[0]) for line in lines) == len(bad)
    whole(report)


def test_an_inference_of_a_thousand_million_years(tmp_path: Path) -> None:
    made = make(SHORT)
    record = next(record for _, record in made.records if isinstance(record, records.Inference))
    cdr = messages.scalars_to_cdr(wire.encode(replace(record, duration_s=1e300)))
    bad = [(made.records[5][0], "inference", cdr)]
    report = make_report(write_raw(tmp_path / "bag", made, bad))
    [line] = [line for line in report.warnings if "/inference" in line]
    assert line.startswith("1 message(s) of '/inference' could not be read; the first: not a "
                           "Inference message: field 'duration_s'=1e+300 is outside 0 … 3600")
    whole(report)


def test_a_bag_of_nothing_else_is_one_line(tmp_path: Path) -> None:
    cdr = messages.scalars_to_cdr(wire.encode(step(3, lateness_s=float("nan"))))
    folder = write_raw(tmp_path / "bag", Made(), [(10, "timestep", cdr)] * 5)
    with pytest.raises(BagError, match=r"holds no timestep that could be read.*'lateness_s'=nan"):
        make_report(folder)


EXTREME: list[Any] = [
    step(0, first=True, stamp_ns=0), step(1, reward=ranges.FLOAT32_MAX, lateness_s=3600.0),
    step(2, reward=-ranges.FLOAT32_MAX, stamp_ns=ranges.LATEST_NS),
    step(2**53, stamp_ns=9, worker=4095, version=2**53, observation_tick=0, period_ns=1),
    step(5, stamp_ns=7, reward=float("nan")), step(6, reward=float("inf"), last=True),
    step(6, period_ns=3_600_000_000_000, cause=Cause.POLICY),
    step(7, observation_tick=2**53, action=(ranges.FLOAT32_MAX,) * 4096),
    replace(verdict(3, arrival_s=2e9, age_s=1e20), tick=2**53, delay_ticks=2**53),
    verdict(4, arrival_s=0.0, age_s=-1e20, worker=4095), defaulted(5), defaulted(2**53),
    inference(1, duration_s=3600.0, age_s=1e20, compute_s=0.0, swap_s=2e9),
    inference(2**53, stamp_ns=9, duration_s=0.0, age_s=-1e20, worker=4095, node="x" * 4000),
    schedule(2, effective_tick=2**53, promised_delay_ticks=2**53, active=tuple(range(4096))),
    schedule(3, duration_ns=3_600_000_000_000, active=()),
    learning(5, loss=float("inf"), lag_s=2e9, version=2**53), learning(6, stamp_ns=0)]


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_values_that_are_allowed_make_a_report(tmp_path: Path, seed: int) -> None:
    made, rng = make(SHORT), random.Random(seed)
    first_ns = made.records[0][0]
    extra = [(first_ns + rng.randrange(5 * 10**9), TOPIC_OF[type(record)], cdr_of(record))
             for record in rng.choices(EXTREME, k=12)]
    report = make_report(write_raw(tmp_path / "bag", made, extra))
    assert not [line for line in report.warnings if "could not be read" in line]
    whole(report)


def test_nothing_but_the_largest_values(tmp_path: Path) -> None:
    extra = [(index, TOPIC_OF[type(record)], cdr_of(record))
             for index, record in enumerate(EXTREME)]
    whole(make_report(write_raw(tmp_path / "bag", Made(), extra)))


def test_a_plant_that_was_started_again_after_the_clock_was_set_back(tmp_path: Path) -> None:
    hour_ns = 3600 * 10**9
    sessions = [(hour_ns, range(30)), (0, range(20))]
    extra = [(index, "timestep", cdr_of(step(tick, stamp_ns=10**18 + begin_ns + tick * 10**7)))
             for index, (begin_ns, tick) in enumerate(
                 (begin_ns, tick) for begin_ns, ticks in sessions for tick in ticks)]
    report = make_report(write_raw(tmp_path / "bag", Made(), extra))
    assert report.figures["plant"]["ticks"] == 50
    assert report.figures["plant"]["rate_hz"] == pytest.approx(100.0)
    whole(report)
