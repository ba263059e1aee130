"""Runs of chunks, written by hand: what the report says of them, and how it sees a broken law."""

from __future__ import annotations

from dataclasses import replace

import pytest
from handmade import defaulted, inference, schedule, stamp, step, verdict

from realtime_rl.bags.attribution import disagreements
from realtime_rl.core.enumerations import Fate
from realtime_rl.core.figures.accounting import RunRecords, account
from realtime_rl.core.messages.records import Inference, Timestep, Verdict
from realtime_rl.core.types import Cause

DELAY, EVERY, HORIZON, TICKS = 3, 4, 12, 43


def chunk_step(tick: int, seen: int) -> Timestep:
    """Values rise by 1 a tick, and by 0.5 more where another chunk begins."""
    return step(tick, observation_tick=seen, row=tick - seen - 1, merged=1,
                action=(tick + seen / EVERY / 2,))


def chunk_verdict(seen: int, first: int, rows: int) -> Verdict:
    return replace(verdict(first), stamp_ns=stamp(seen), observation_tick=seen,
                   delay_ticks=first - seen, rows=rows)


def run(lost: tuple[int, ...] = ()) -> RunRecords:
    """A chunk of every fourth observation, due 3 ticks later; those in `lost` failed."""
    steps = [step(tick, Cause.DEFAULT) for tick in range(DELAY)]
    for tick in range(DELAY, TICKS):
        steps.append(chunk_step(tick, max(
            seen for seen in range(0, tick - DELAY + 1, EVERY) if seen not in lost)))
    acted: dict[int, list[int]] = {}
    for each in steps[DELAY:]:
        acted.setdefault(each.observation_tick, []).append(each.tick)
    verdicts = [*map(defaulted, range(DELAY)), *(
        chunk_verdict(seen, ticks[0], len(ticks)) for seen, ticks in list(acted.items())[:-1])]
    slots: list[Inference] = [
        replace(inference(seen, due_tick=seen + DELAY, generation=1),
                horizon=0 if seen in lost else HORIZON) for seen in range(0, TICKS, EVERY)]
    taken = [each for each in slots if each.tick not in lost]
    return RunRecords(steps, verdicts, taken + [each for each in slots if each.tick in lost],
                      [schedule(delay=DELAY)])


def test_a_run_of_chunks_keeps_the_law() -> None:
    assert disagreements(run()) == []


def test_what_a_run_of_chunks_gave() -> None:
    figures = account(run())["chunks"]
    assert figures is not None
    assert (figures["ticks"], figures["chunks"], figures["horizon"]) == (40, 10, HORIZON)
    assert figures["every_ticks"]["mean"] == EVERY
    age = figures["feedback_age_ticks"]
    assert (age["mean"], age["max"]) == (DELAY + (EVERY - 1) / 2, DELAY + EVERY - 1)
    assert figures["tail_ticks"] == 0
    assert figures["seam_step"]["mean"] == 1.5
    assert figures["inner_step"]["mean"] == 1.0
    assert figures["merged"]["max"] == 1


def test_how_often_a_whole_prefix_was_settled() -> None:
    records = run()
    told = [replace(each, settled=DELAY - 1 if each.tick else 0) for each in records.inferences]
    figures = account(replace(records, inferences=told))["chunks"]
    assert figures is not None
    assert figures["prefix_settled"] == pytest.approx(1 - 1 / len(told))
    figures = account(records)["chunks"]
    assert figures is not None
    assert figures["prefix_settled"] is None


def test_a_lost_chunk_is_bridged_by_a_tail() -> None:
    figures = account(run(lost=(16,)))["chunks"]
    assert figures is not None
    assert figures["tail_ticks"] == EVERY
    assert figures["feedback_age_ticks"]["max"] == DELAY + 2 * EVERY - 1


def test_without_chunks_there_are_no_figures_of_them() -> None:
    assert account(RunRecords([step(tick) for tick in range(9)]))["chunks"] is None


@pytest.mark.parametrize("rows", [1, 5])
def test_another_number_of_rows_than_was_latched(rows: int) -> None:
    records = run()
    wrong = [replace(each, rows=rows) if each.observation_tick == 8 else each
             for each in records.verdicts]
    assert disagreements(replace(records, verdicts=wrong)) == [
        "1 chunk(s) have another number of rows latched than their verdicts say; the first: tick "
        "8"]


def test_a_chunk_without_a_fate() -> None:
    records = run()
    lacking = [each for each in records.verdicts if each.observation_tick != 8]
    found = disagreements(replace(records, verdicts=lacking))
    assert "4 tick(s) of the policy or the default have no verdict; the first: tick 11" in found


def test_a_first_row_that_was_not_latched() -> None:
    records = run()
    wrong = [replace(each, tick=9) if each.observation_tick == 8 and each.fate is Fate.APPLIED
             else each for each in records.verdicts]
    assert any("where the plant latched another" in line
               for line in disagreements(replace(records, verdicts=wrong)))
