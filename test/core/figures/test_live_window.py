"""What the monitor says of the newest records."""

from __future__ import annotations

import pytest
from handmade import inference, learning, schedule, step, verdict

from realtime_rl.core.enumerations import Phase, StopCause
from realtime_rl.core.figures.health import Health, Level
from realtime_rl.core.figures.live_window import LiveWindow
from realtime_rl.core.messages.records import RobotRecord
from realtime_rl.core.types import Cause

S = 1_000_000_000


def said(window: LiveWindow, now_ns: int) -> dict[str, Health]:
    return {health.name: health for health in window.look(now_ns)}


def filled(ticks: int = 500) -> LiveWindow:
    """Five seconds of a plant at 100 Hz, heard of as they come."""
    window = LiveWindow(10 * S)
    window.take(schedule(), 0)
    for tick in range(ticks):
        now_ns = tick * S // 100
        window.take(step(tick, Cause.DEFAULT if tick % 10 == 9 else Cause.POLICY, reward=1.0,
                         first=tick % 100 == 0, last=tick % 100 == 99), now_ns)
        window.take(verdict(tick), now_ns)
        window.take(inference(tick), now_ns)
    return window


def test_it_is_of_the_last_seconds_only() -> None:
    window = filled()
    assert said(window, 5 * S)["plant"].figures["plant rate"] == "100.000 Hz, 0 missed"
    assert said(window, 5 * S)["plant"].figures["episode return"] == "mean of 5: 100.00"
    assert said(window, 5 * S)["interaction"].figures["inaction"].startswith("0.1000 (50 default")
    assert said(window, 12 * S)["interaction"].figures["inaction"].startswith("0.1000 (30 default")
    assert said(window, 15 * S)["plant"].level is Level.STALE
    assert said(window, 15 * S)["inference"].figures["workers"].startswith("2, required 2")


def test_what_was_left_before_the_policys_first_action_is_no_inaction() -> None:
    """As in the report; what it leaves later counts, also where the window begins with it."""
    window = LiveWindow(S)
    for tick in range(40):
        window.take(step(tick, Cause.DEFAULT), tick * S // 100)
    assert said(window, 4 * S // 10)["interaction"].figures["inaction"].startswith("–")
    for tick in range(40, 100):
        window.take(step(tick), tick * S // 100)
    assert said(window, S)["interaction"].figures["inaction"].startswith("0.0000 (0 default")
    for tick in range(100, 200):
        window.take(step(tick, Cause.POLICY if tick >= 150 else Cause.DEFAULT), tick * S // 100)
    found = said(window, 199 * S // 100)["interaction"].figures["inaction"]
    assert found.startswith(f"{50 / 101:.4f} (50 default")


@pytest.mark.parametrize(("phase", "by", "who", "stop", "level"), [
    (Phase.ENDED, StopCause(0), "nobody: between two episodes", "released", Level.OK),
    (Phase.STOPPED, StopCause.ESTOP | StopCause.STALE, "stop: the safe command",
     "in force (stale, estop), until it is released", Level.WARN)])
def test_a_robot_between_two_episodes_is_not_stopped(
    phase: Phase, by: StopCause, who: str, stop: str, level: Level
) -> None:
    window = LiveWindow(10 * S)
    window.take(step(0, Cause.STOP), 0)
    assert said(window, 0)["acting"].figures["stop"] == "in force, until it is released"
    window.take(RobotRecord(0, 0, phase, by, (), (), (), (), ()), 0)
    found = said(window, 0)["acting"]
    assert (found.figures["acting now"], found.figures["stop"], found.level) == (who, stop, level)
    window.take(step(1), S // 100)
    assert said(window, S // 100)["acting"].figures["stop"] == "released"
    # what the robot said long ago is no reason to call a stop released
    window.take(step(9, Cause.STOP), 9 * S // 100)
    found = said(window, 9 * S // 100)["acting"]
    assert (found.figures["stop"], found.level) == ("in force, until it is released", Level.WARN)


def test_an_untrained_policy_is_version_0() -> None:
    window = filled()
    window.take(step(500, version=0), 5 * S)
    assert said(window, 5 * S)["inference"].figures["policy version"] == "0"
    window = LiveWindow(10 * S)
    window.take(step(0, Cause.DEFAULT), 0)
    window.take(inference(0), 0)
    assert said(window, 0)["inference"].figures["policy version"] == "none yet"


def test_rewards_of_play_that_never_ends_are_shown() -> None:
    window = LiveWindow(10 * S)
    for tick in range(200):
        window.take(step(tick, reward=0.5), tick * S // 100)
    found = said(window, 2 * S)["plant"].figures
    assert found["episode return"] == "none yet"
    assert found["reward"] == "0.5000 a tick, 100.00 in this episode so far"


def test_before_anything_was_heard_nothing_is_claimed() -> None:
    found = said(LiveWindow(S), 0)
    assert found["plant"].message == "no tick was heard of"
    assert found["inference"].figures["workers"] == "not measured yet"
    assert found["learning"].message == "no learner"


@pytest.mark.parametrize(("after_s", "level", "shown"), [
    (1, Level.OK, "7 updates, 14 transitions, loss 0.5000, ε 0.10"),
    (5, Level.OK, "7 updates, 14 transitions, loss 0.5000, ε 0.10"),
    (7, Level.WARN, "silent for 7 s, after 7 updates")])
def test_a_learner_that_says_nothing_any_more_is_said_to_be_silent(
    after_s: int, level: Level, shown: str
) -> None:
    window = LiveWindow(10 * S)
    window.take(learning(7), 3 * S)
    found = said(window, (3 + after_s) * S)["learning"]
    assert (found.level, found.figures["learner"]) == (level, shown)


def test_a_learner_without_updates_has_no_loss() -> None:
    window = LiveWindow(10 * S)
    window.take(learning(0, loss=float("nan")), 3 * S)
    shown = said(window, 4 * S)["learning"].figures["learner"]
    assert shown == "0 updates, 0 transitions, loss –, ε 0.10"


def test_of_chunks_the_age_of_the_feedback_and_tails_are_said() -> None:
    window = LiveWindow(10 * S)
    for tick in range(100):
        seen = max(0, tick - 3) // 5 * 5
        seen -= 5 * (seen == 50)  # one that is lost
        window.take(step(tick, observation_tick=seen, row=tick - seen - 1, merged=1),
                    tick * S // 100)
        if tick % 5 == 0 and tick != 50:
            window.take(inference(tick, due_tick=tick + 3, horizon=20), tick * S // 100)
    window.take(inference(50, due_tick=53), S)
    found = said(window, S)["interaction"].figures
    assert found["feedback"] == "5.2 ticks old, p95 7; a chunk every 5.4 ticks reaches 20"
    assert found["tails"] == "5 of 99 ticks: an older chunk acted than was promised"
    assert "action interval" not in found
    assert "feedback" not in said(filled(), 5 * S)["interaction"].figures


@pytest.mark.parametrize(("horizon", "short"), [(9, False), (5, True)])
def test_rows_of_a_chunk_bridge_workers_that_there_are_not(horizon: int, short: bool) -> None:
    window = LiveWindow(10 * S)
    window.take(schedule(delay=3, required_workers=9, active=(0,)), 0)
    for tick in range(100):
        seen = max(0, tick - 3) // 5 * 5
        window.take(step(tick, observation_tick=seen, row=tick - seen - 1), tick * S // 100)
        if tick % 5 == 0:
            window.take(inference(tick, due_tick=tick + 3, horizon=horizon), tick * S // 100)
    found = said(window, S)["inference"]
    assert (found.level is Level.WARN) is short
    assert ("chunks are shorter" in found.message) is short
