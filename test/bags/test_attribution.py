from __future__ import annotations

import pytest
import synthetic
from handmade import defaulted, inference, stamp, step, verdict
from synthetic import Scenario

from realtime_rl.bags.attribution import disagreements
from realtime_rl.core.enumerations import Fate, Reason
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages.records import Inference
from realtime_rl.core.types import Cause

TICKS = [step(0, Cause.DEFAULT), step(1, Cause.DEFAULT), *(step(i) for i in range(2, 8))]
VERDICTS = [defaulted(0), defaulted(1), *(verdict(i) for i in range(2, 8))]


def run(ticks: object = None, verdicts: object = None, inferences: object = ()) -> RunRecords:
    return RunRecords(ticks or TICKS, verdicts or VERDICTS, inferences)  # type: ignore[arg-type]


def test_a_run_that_keeps_the_law() -> None:
    assert disagreements(run(inferences=[inference(i) for i in range(6)])) == []
    assert disagreements(RunRecords()) == []


@pytest.mark.parametrize("scenario", [Scenario(ticks=600), Scenario(ticks=600, cv=0.3, lost=0.1)])
def test_a_plausible_run_keeps_the_law(scenario: Scenario) -> None:
    assert disagreements(synthetic.make(scenario).run) == []


def test_an_applied_action_that_the_plant_did_not_latch() -> None:
    for wrong in (verdict(4, worker=3), verdict(4, version=9), verdict(4, observation_tick=1)):
        found = disagreements(run(verdicts=[*VERDICTS[:4], wrong, *VERDICTS[5:]]))
        assert "1 verdict(s) call an action applied where the plant latched another; " \
               "the first: tick 4" in found


def test_two_actions_applied_at_one_tick() -> None:
    found = disagreements(run(verdicts=[*VERDICTS, verdict(4, worker=5)]))
    assert "1 tick(s) had more than one action called applied; the first: tick 4" in found


def test_an_action_with_two_fates() -> None:
    found = disagreements(run(verdicts=[*VERDICTS, verdict(4, Fate.SUPERSEDED)]))
    assert found == [f"1 action(s) have more than one fate; the first: worker 0, observation at "
                     f"{stamp(2)} ns"]
    again = verdict(4, Fate.REJECTED, reason=Reason.DUPLICATE)
    assert disagreements(run(verdicts=[*VERDICTS, again])) == []


def test_a_tick_without_a_verdict() -> None:
    found = disagreements(run(verdicts=[v for v in VERDICTS if v.tick != 3]))
    assert found == ["1 tick(s) of the policy or the default have no verdict; the first: tick 3"]


def test_the_last_ticks_verdicts_may_lie_outside() -> None:
    assert disagreements(run(verdicts=VERDICTS[:-2])) == []


def test_at_a_high_rate_those_are_more_ticks() -> None:
    """A verdict takes as long to come, whatever the period."""
    ticks = [step(tick, Cause.DEFAULT, period_ns=1_000_000) for tick in range(60)]
    assert disagreements(run(ticks, [defaulted(tick) for tick in range(42)])) == []
    [line] = disagreements(run(ticks, [defaulted(tick) for tick in range(38)]))
    assert line.startswith("2 tick(s) of the policy or the default have no verdict")


def test_actions_before_the_actuator_was_there_are_not_lost_ones() -> None:
    first = min(verdict.stamp_ns for verdict in VERDICTS if verdict.worker >= 0)
    early = inference(1, worker=6, stamp_ns=first - 1)
    assert disagreements(run(inferences=[early])) == []


def test_where_no_action_ever_arrived_all_are_lost() -> None:
    unheard = [verdict for verdict in VERDICTS if verdict.worker < 0]
    found = disagreements(run(verdicts=unheard, inferences=[inference(1, worker=6)]))
    assert any("1 computed action(s) never reached the actuator" in line for line in found)


def test_an_action_that_never_arrived() -> None:
    lost = inference(1, worker=6)
    found = disagreements(run(inferences=[lost, inference(7, worker=6)]))
    assert found == ["1 computed action(s) never reached the actuator; the first: "
                     "worker 6, tick 1"]


def test_what_met_no_actuator_is_explained_by_the_ticks_without_a_command() -> None:
    """It was killed at tick 30, before it told of tick 29, and acts again from tick 50 on."""
    ticks = [step(4), *(step(tick, Cause.NONE if 30 <= tick < 50 else Cause.DEFAULT)
                        for tick in range(5, 80))]
    told = [verdict(4), *(defaulted(tick) for tick in range(5, 80) if not 29 <= tick < 50)]
    unheard = [inference(tick, worker=6) for tick in (29, 40)]
    assert disagreements(run(ticks, told, unheard)) == []
    assert disagreements(run(ticks, told, [*unheard, inference(60, worker=6)])) == [
        "1 computed action(s) never reached the actuator; the first: worker 6, tick 60"]


def test_a_process_reaches_an_actuator_that_was_away_from_its_first_decided_action_on() -> None:
    """From tick 50 on the actuator is back; of the processes it hears one at 52, one at 55."""
    ticks = [step(4), *(step(tick, Cause.NONE if 30 <= tick < 50 else Cause.DEFAULT)
                        for tick in range(5, 80))]
    nodes = {5: "inference_0", 6: "inference_1"}
    heard = [(2, 5), (2, 6), (52, 5), (55, 6), (60, 5), (60, 6)]
    told = [*(verdict(tick + 2, Fate.SUPERSEDED, worker=worker) for tick, worker in heard),
            *(defaulted(tick) for tick in range(4, 80) if not 30 <= tick < 50)]

    def computed(*named: tuple[int, int]) -> list[Inference]:
        return [inference(tick, worker=worker, node=nodes[worker])
                for tick, worker in (*heard, *named)]

    ticks[0] = step(4, Cause.DEFAULT)
    assert disagreements(run(ticks, told, computed((51, 5), (54, 6), (1, 6)))) == []
    for lost in ((53, 5), (56, 6), (70, 5), (3, 6)):
        [line] = disagreements(run(ticks, told, computed((51, 5), lost)))
        assert line == ("1 computed action(s) never reached the actuator; the first: "
                        f"worker {lost[1]}, tick {lost[0]}")


def test_before_its_first_decided_action_a_process_did_not_know_the_actuator() -> None:
    other = inference(1, worker=6, node="inference_1")
    first = inference(3, worker=6, node="inference_1")
    [line] = disagreements(run(inferences=[inference(0), other]))
    assert line.startswith("1 computed action(s) never reached the actuator")
    told = [*VERDICTS, verdict(5, Fate.SUPERSEDED, worker=6)]
    assert disagreements(run(verdicts=told, inferences=[inference(0), other, first])) == []


def test_a_late_command_explains_nothing() -> None:
    ticks = [step(4), *(step(tick, Cause.NONE if tick in (30, 31) else Cause.DEFAULT)
                        for tick in range(5, 80))]
    told = [verdict(4), *(defaulted(tick) for tick in range(5, 80) if tick not in (29, 30, 31))]
    found = disagreements(run(ticks, told, [inference(29, worker=6)]))
    assert found == [
        "1 tick(s) of the policy or the default have no verdict; the first: tick 29",
        "1 computed action(s) never reached the actuator; the first: worker 6, tick 29"]


def test_a_policy_tick_that_names_nobody() -> None:
    found = disagreements(run(ticks=[*TICKS, step(8, worker=-1)]))
    assert any(line.startswith("1 policy tick(s) do not say whose") for line in found)


def test_gaps_and_restarts_are_told() -> None:
    ticks = [*TICKS, *(step(t) for t in (10, 12, 14, 16, 18, 20)),
             step(0, Cause.NONE, stamp_ns=stamp(99))]
    found = disagreements(RunRecords(ticks, topics=frozenset({"timestep"})))
    assert found == ["7 tick(s) are absent from the recording: 8…9, 11, 13, 15, 17, …",
                     "the plant was started again 1 time(s) during the recording"]


def test_verdicts_after_a_restart_belong_to_the_new_life() -> None:
    second = [step(t, Cause.POLICY if t > 1 else Cause.NONE, stamp_ns=stamp(1000 + t))
              for t in range(8)]
    verdicts = [verdict(t, stamp_ns=stamp(998 + t)) for t in range(2, 8)]
    found = disagreements(run(ticks=[*TICKS, *second], verdicts=[*VERDICTS, *verdicts]))
    assert found == ["the plant was started again 1 time(s) during the recording"]
