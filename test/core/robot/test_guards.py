"""What stops a robot of its own accord, and what lets it go."""

from __future__ import annotations

from contracts import arm
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.enumerations import StopCause
from realtime_rl.core.robot.guards import Guards

MS = 1_000_000
ESTOP = {"estop__topic": "/estop", "estop__timeout": 0.5}
DEADMAN = {"deadman__topic": "/joy", "deadman__button": 1, "deadman__timeout": 0.25}


def test_nothing_stops_a_robot_without_guards() -> None:
    stops = Guards(arm()).stops(10**12)
    assert not stops.causes
    assert stops.reasons == ()


def test_an_emergency_stop_stays_until_it_is_released() -> None:
    guards = Guards(arm(**ESTOP))
    guards.on_estop(False, 0)
    assert not guards.stops(0).causes
    guards.on_estop(True, 10 * MS)
    assert guards.stops(10 * MS).causes == StopCause.ESTOP
    assert guards.release(20 * MS) == ("estop: pressed, on /estop",)
    guards.on_estop(False, 30 * MS)
    assert guards.stops(30 * MS).causes == StopCause.ESTOP
    assert guards.release(40 * MS) == ()
    assert not guards.stops(40 * MS).causes


def test_a_press_between_two_ticks_is_not_missed() -> None:
    guards = Guards(arm(**ESTOP))
    guards.on_estop(True, 0)
    guards.on_estop(False, 1)
    assert guards.stops(2).causes == StopCause.ESTOP


def test_silence_of_an_emergency_stop_is_a_stop() -> None:
    guards = Guards(arm(**ESTOP))
    guards.on_estop(False, 0)
    assert not guards.stops(500 * MS).causes
    assert guards.stops(501 * MS).reasons == ("estop: /estop was silent for 0.5 s",)
    assert guards.release(600 * MS)
    guards.on_estop(False, 700 * MS)
    assert guards.stops(700 * MS).causes == StopCause.ESTOP
    assert guards.release(700 * MS) == ()


def test_silence_that_no_tick_saw_is_a_stop() -> None:
    """As when this node itself was paused."""
    guards = Guards(arm(**ESTOP))
    guards.on_estop(False, 0)
    guards.on_estop(False, 900 * MS)
    assert guards.stops(900 * MS).causes == StopCause.ESTOP


def test_an_emergency_stop_that_never_spoke_stops_without_a_release() -> None:
    guards = Guards(arm(**ESTOP))
    assert guards.stops(0).reasons == ("estop: nothing heard yet on /estop",)
    guards.on_estop(False, 10**10)
    assert not guards.stops(10**10).causes


def test_a_deadman_must_be_held_and_needs_no_release() -> None:
    guards = Guards(arm(**DEADMAN))
    assert guards.stops(0).causes == StopCause.DEADMAN
    guards.on_deadman((0, 1), 0)
    assert not guards.stops(250 * MS).causes
    assert guards.stops(251 * MS).reasons == ("deadman: button 1 on /joy is not held",)
    guards.on_deadman((0, 1), 300 * MS)
    assert not guards.stops(300 * MS).causes
    for buttons in ((1, 0), (1,), ()):
        guards.on_deadman(buttons, 310 * MS)
        assert guards.stops(310 * MS).causes == StopCause.DEADMAN


def go_stale(guards: Guards, at_ns: int = 0) -> None:
    for later in (0, 20):
        guards.on_sources(("joints",), at_ns + later * MS)


def test_a_stale_source_stays_until_it_is_released() -> None:
    guards = Guards(arm())
    go_stale(guards)
    assert guards.release(0) == ("source.joints: older than max_age, 0.05 s",)
    guards.on_sources((), 40 * MS)
    assert guards.stops(0).causes == StopCause.STALE
    assert guards.release(0) == ()
    assert not guards.stops(0).causes


def test_ticks_that_are_made_up_for_after_a_pause_do_not_judge_sources() -> None:
    guards = Guards(arm())
    for now_ns in (0, 1 * MS, 2 * MS):
        guards.on_sources(("joints",), now_ns)
    guards.on_sources((), 20 * MS)
    guards.on_sources(("joints",), 40 * MS)
    assert not guards.stops(40 * MS).causes
    guards.on_sources(("joints",), 60 * MS)
    assert guards.stops(60 * MS).causes == StopCause.STALE


def test_nothing_is_released_while_one_cause_lasts() -> None:
    guards = Guards(arm(**ESTOP))
    guards.on_fault("a command could not be made")
    guards.on_estop(True, 0)
    assert guards.release(0) == ("estop: pressed, on /estop",)
    assert guards.stops(0).causes == StopCause.ESTOP | StopCause.FAULT


def test_what_was_stopped_begins_stopped() -> None:
    guards = Guards(arm(**ESTOP))
    go_stale(guards)
    guards.on_fault("broken")
    again = Guards(arm(**ESTOP))
    again.restore(guards.snapshot())
    assert again.stops(0).causes == StopCause.STALE | StopCause.FAULT | StopCause.ESTOP
    assert again.stops(0).reasons[1] == "broken; was so when this node began anew"
    third = Guards(arm())
    third.restore(again.snapshot())
    assert third.snapshot() == again.snapshot()
    assert third.release(0) == ()
    assert third.snapshot() == {}


def test_a_cause_that_is_unknown_stops_too() -> None:
    guards = Guards(arm())
    guards.restore({"earthquake": "it shook"})
    assert guards.stops(0).causes == StopCause.FAULT


@given(st.lists(st.tuples(st.sampled_from(["press", "let go", "stale", "fresh", "release"]),
                          st.integers(0, 400))))
def test_a_robot_is_free_only_after_a_release_that_found_no_cause(
        events: list[tuple[str, int]]) -> None:
    guards = Guards(arm(**ESTOP))
    guards.on_estop(False, 0)
    now, heard, pressed, stale, latched = 0, 0, False, False, False
    for what, later in events:
        now += later * MS
        latched |= now - heard > 500 * MS
        if what in ("press", "let go"):
            pressed, heard = what == "press", now
            guards.on_estop(pressed, now)
        elif what == "release":
            lasting = pressed or stale or now - heard > 500 * MS
            assert bool(guards.release(now)) == lasting
            latched &= lasting
        else:
            stale = what == "stale"
            guards.on_sources(("joints",) if stale else (), now - 15 * MS)
            guards.on_sources(("joints",) if stale else (), now)
        latched |= pressed or stale
        assert bool(guards.stops(now).causes) == latched
