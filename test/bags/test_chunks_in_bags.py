"""Runs of chunks, written by hand: what the report says of them, and how it sees a broken law."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import synthetic
from handmade import defaulted, inference, schedule, stamp, step, verdict

from realtime_rl.bags import messages
from realtime_rl.bags.attribution import disagreements
from realtime_rl.bags.chunk_picture import Drawn, chunk_picture, runs, window_of
from realtime_rl.bags.metadata import OfferedQos
from realtime_rl.bags.report import make_report, to_text
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.enumerations import Fate
from realtime_rl.core.figures.accounting import RunRecords, account
from realtime_rl.core.figures.seams import Seams, sizes_of
from realtime_rl.core.messages import joy_wire
from realtime_rl.core.messages.records import ActionMessage, Inference, Timestep, Verdict
from realtime_rl.core.types import ActionSpace, Cause

DELAY, EVERY, HORIZON, TICKS = 3, 4, 12, 43
SPACE = ActionSpace(("u",), (0.0,), (-1e3,), (1e3,))


def value(tick: int, seen: int) -> tuple[float, ...]:
    """What the chunk of an observation has for a tick.

    It rises by 1 a tick, and the chunk after it has 0.5 more for the same tick.
    """
    return (tick + seen / EVERY / 2,)


def chunk_step(tick: int, seen: int) -> Timestep:
    return step(tick, observation_tick=seen, row=tick - seen - 1, merged=1,
                action=value(tick, seen))


def chunk(seen: int, horizon: int = HORIZON) -> ActionMessage:
    rows = tuple(value(tick, seen) for tick in range(seen + 1, seen + horizon + 1))
    return ActionMessage(stamp(seen), seen, seen + DELAY, 0, 1, 1, rows[0], rows, seen + 1)


def chunks(horizon: int = HORIZON) -> list[ActionMessage]:
    return [chunk(seen, horizon) for seen in range(0, TICKS, EVERY)]


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
    assert (figures["seams"], figures["seam_step"]["n"]) == (9, 0)
    assert figures["inner_step"]["mean"] == 1.0
    assert figures["merged"]["max"] == 1


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


def test_a_seam_is_what_acts_less_what_the_chunk_before_had_for_that_tick() -> None:
    records = run()
    figures = account(replace(records, seam_sizes=sizes_of(records.timesteps, chunks())))["chunks"]
    assert figures is not None
    seam = figures["seam_step"]
    assert (seam["n"], seam["mean"], seam["max"]) == (9, 0.5, 0.5)


def test_the_row_of_before_may_be_of_a_chunk_that_was_old_already() -> None:
    records = run(lost=(16,))
    assert sorted(sizes_of(records.timesteps, chunks()).values()) == [0.5] * 7 + [1.0]


@pytest.mark.parametrize(("horizon", "known"), [(DELAY + EVERY, 9), (DELAY + EVERY - 1, 0)])
def test_where_the_chunk_before_had_ended_there_is_no_seam(horizon: int, known: int) -> None:
    assert len(sizes_of(run().timesteps, chunks(horizon))) == known


def test_a_chunk_that_began_after_a_tick_without_one_has_no_seam() -> None:
    steps = list(run().timesteps)
    steps[11] = step(11, Cause.DEFAULT)
    assert Seams(steps).wants(stamp(8))
    assert stamp(11) not in (sizes := sizes_of(steps, chunks()))
    assert stamp(12) not in sizes
    assert len(sizes) == 8


def test_only_chunks_that_a_seam_asks_for_are_looked_at() -> None:
    seams = Seams(run().timesteps)
    last = TICKS - 1 - (TICKS - 1 - DELAY) % EVERY - DELAY
    assert [seen for seen in range(TICKS) if seams.wants(stamp(seen))] == list(
        range(0, last, EVERY))
    seams.take(replace(chunk(0), worker=1))
    assert not seams.sizes, "another worker's chunk"


def bag(folder: Path, actions: list[ActionMessage]) -> Path:
    topics = [*synthetic.topics("/arm"), TopicInfo("/arm/action", messages.JOY, OfferedQos(1))]
    with BagWriter(folder, topics) as writer:
        for message in actions:
            writer.write("/arm/action", messages.joy_to_cdr(
                joy_wire.encode_action(message, SPACE)), message.stamp_ns)
        records = run()
        for record in (*records.timesteps, *records.verdicts, *records.inferences,
                       *records.schedules):
            writer.write(f"/arm/{synthetic.TOPIC_OF[type(record)]}", synthetic.cdr_of(record),
                         record.stamp_ns + 10**7)
    return folder


def test_a_bag_tells_the_seams_by_its_actions(tmp_path: Path) -> None:
    report = make_report(bag(tmp_path / "whole", chunks()))
    figures = report.figures["chunks"]
    assert figures is not None
    assert (figures["seam_step"]["n"], figures["seam_step"]["mean"]) == (9, 0.5)
    assert "95 % within 0.500; known of 9 of 9" in to_text(report)


@pytest.mark.parametrize("actions", [[], [replace(chunk(8), rows=(), first_tick=-1)]])
def test_a_bag_without_the_chunks_says_that_no_seam_is_known(
        tmp_path: Path, actions: list[ActionMessage]) -> None:
    text = to_text(make_report(bag(tmp_path / "bare", actions)))
    assert "known of 0 of 9" in text


def test_which_rows_of_which_chunk_acted() -> None:
    window = window_of(run(lost=(16,)))
    assert window is not None
    assert (window.begin, window.end) == (0, TICKS)
    assert window.others == dict.fromkeys(range(DELAY), Cause.DEFAULT)
    seen = {each.seen: each for each in window.chunks}
    assert seen[8] == Drawn(8, 0, 9, 20, 11, Fate.APPLIED, [11, 12, 13, 14])
    assert seen[12].acted == list(range(15, 23))
    assert seen[12].tails == [19, 20, 21, 22]
    assert 16 not in seen
    assert sorted(tick for each in window.chunks for tick in each.acted) == list(
        range(DELAY, TICKS))


def test_older_chunks_take_part_in_a_mean() -> None:
    records = run()
    steps = [replace(each, merged=2) if each.tick >= 20 else each for each in records.timesteps]
    refused = [replace(each, fate=Fate.REJECTED) if each.observation_tick == 20 else each
               for each in records.verdicts]
    window = window_of(replace(records, timesteps=steps, verdicts=refused))
    assert window is not None
    taken = {each.seen: each.averaged for each in window.chunks if each.averaged}
    assert taken[16] == [23, 24, 25, 26, 27, 28]  # of 24's ticks the ones that it has rows for
    assert 20 not in taken
    assert taken[12] == [20, 21, 22]


def test_a_picture_says_what_is_in_it() -> None:
    drawn = chunk_picture(run(lost=(16,)))
    assert drawn is not None
    words = " ".join(key.meaning for key in drawn.keys)
    assert "tail: rows that acted though a newer chunk was promised" in words
    assert "took part" not in words
    whole = chunk_picture(run())
    assert whole is not None and "tail" not in " ".join(key.meaning for key in whole.keys)
    assert chunk_picture(RunRecords([step(tick) for tick in range(9)])) is None


def test_ticks_that_follow_each_other_are_one_bar() -> None:
    assert runs([3, 4, 5, 9, 11, 12]) == [(3, 3), (9, 1), (11, 2)]
    assert runs([]) == []
