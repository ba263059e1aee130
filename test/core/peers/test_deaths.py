"""Who is started again, who is given up, and what is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.peers.deaths import ACTING, MOST_DEATHS, WINDOW_S, Deaths, Then

EXECUTABLES = ("plant", "inference", "actuator", "coordinator", "learner", "monitor", "recorder")


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_only_the_path_that_acts_ends_a_run(executable: str) -> None:
    deaths = Deaths()
    followed = [deaths.died("x", (executable,), 0.1 * n, 1, "e", respawn=True).then
                for n in range(MOST_DEATHS)]
    assert followed[:-1] == [Then.AGAIN] * (MOST_DEATHS - 1)
    assert followed[-1] is (Then.RUN_ENDED if executable in ACTING else Then.GIVEN_UP)


@given(st.lists(st.floats(0.0, 60.0), max_size=60))
def test_a_node_is_given_up_only_after_so_many_deaths_in_a_window(gaps: list[float]) -> None:
    deaths, times = Deaths(), [sum(gaps[:n + 1]) for n in range(len(gaps))]
    for n, at_s in enumerate(times):
        then = deaths.died("m", ("monitor",), at_s, -9, respawn=True).then
        recent = sum(at_s - t < WINDOW_S for t in times[:n + 1])
        assert then is (Then.GIVEN_UP if recent >= MOST_DEATHS else Then.AGAIN)
    assert len(deaths) == len(gaps)


def test_who_refuses_what_it_is_told_ends_the_run_at_its_beginning_only() -> None:
    deaths = Deaths()
    assert deaths.died("m", ("monitor",), 3.0, 2, "no", respawn=True).then is Then.RUN_ENDED
    assert deaths.died("m", ("monitor",), 30.0, 2, "no", respawn=True).then is Then.AGAIN


@pytest.mark.parametrize(("last", "told"), [
    ("[INFO] [1.5] [arm]: holds", ""), ("error: no arm", ": error: no arm"),
    ("[WARN] [1.5] [arm]: stopped", "; it said last: [WARN] [1.5] [arm]: stopped")])
def test_a_warning_that_was_said_last_is_not_told_as_the_cause(last: str, told: str) -> None:
    death = Deaths().died("arm", ("robot",), 1.0, -9, last, respawn=True)
    assert death.words == told


def test_the_summary_has_a_line_a_node() -> None:
    deaths = Deaths()
    deaths.died("plant", ("plant",), 1.0, 1, "RuntimeError: no motor", respawn=True)
    deaths.died("plant", ("plant",), 2.0, 1, "RuntimeError: no motor", respawn=True)
    deaths.died("recorder", ("recorder",), 4.25, -9, "[INFO] recording", respawn=False)
    deaths.failed_at_the_end("plant", 9.0, -11, "")
    deaths.failed_at_the_end("actuator", 9.1, -34, "")
    assert deaths.summary() == [
        "plant failed in ending at 9.0 s (SIGSEGV); 3 deaths of it in all",
        "recorder died at 4.2 s (SIGKILL), not started again",
        "actuator failed in ending at 9.1 s (signal 34)"]


def test_a_node_that_dies_for_weeks_takes_no_more_memory() -> None:
    deaths = Deaths()
    for n in range(100_000):
        deaths.died("monitor", ("monitor",), 6.0 * n, 1, "e", respawn=True)
    assert len(deaths) == 100_000
    assert len(deaths.kept) <= 200
    assert (deaths.kept[0].at_s, deaths.kept[-1].at_s) == (0.0, 599_994.0)
    assert len(deaths._times["monitor"]) <= MOST_DEATHS
    line, = deaths.summary()
    assert line == ("monitor died at 599994.0 s (status 1), started again: e; 100000 deaths of it "
                    "in all")
