"""Swapping policies while they are in use."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from realtime_rl.core.errors import PolicyError
from realtime_rl.policies.hot_swap import HotSwap, Swap
from realtime_rl.policies.stop import Stop

NOW_NS = 77


class Loads:
    """A loader that waits for the test at a gate, and refuses what is called `bad`."""

    def __init__(self) -> None:
        self.stuck = threading.Event()
        """Ends what is called `stuck`, whatever it is asked."""
        self.asked = threading.Event()
        self.begun: list[str] = []
        self.entered = threading.Event()
        self.gate = threading.Event()

    def __call__(self, uri: str, stop: Stop) -> str:
        self.begun.append(uri)
        self.entered.set()
        if uri.startswith("stuck"):
            stop.on_ask(self.asked.set)
            self.stuck.wait(60)
        self.gate.wait(10)
        if uri == "bad":
            raise PolicyError("policy 'bad': it is bad")
        if uri == "fault":
            raise ZeroDivisionError("division by zero")
        return f"policy {uri}"


@contextmanager
def swapping(loads: Loads, limit_s: float = math.inf
             ) -> Iterator[tuple[HotSwap[str], list[Swap[str]], list[tuple[str, str]]]]:
    swaps: list[Swap[str]] = []
    failures: list[tuple[str, str]] = []
    hot_swap = HotSwap(loads, lambda: NOW_NS, on_swap=swaps.append,
                       on_failure=lambda uri, error: failures.append((uri, error)),
                       limit_s=limit_s)
    try:
        yield hot_swap, swaps, failures
    finally:
        loads.gate.set()
        loads.stuck.set()
        hot_swap.close()


def test_a_policy_comes_into_use() -> None:
    loads = Loads()
    loads.gate.set()
    with swapping(loads) as (hot_swap, swaps, failures):
        assert hot_swap.current is None
        hot_swap.request("a", 5)
        assert hot_swap.wait_idle(10)
        assert hot_swap.current == Swap("policy a", "a", announced_ns=5, ready_ns=NOW_NS)
        assert swaps == [hot_swap.current]
        assert failures == []


def test_the_old_policy_acts_while_the_new_one_loads() -> None:
    loads = Loads()
    loads.gate.set()
    with swapping(loads) as (hot_swap, _, _):
        hot_swap.request("a", 0)
        hot_swap.wait_idle(10)
        loads.gate.clear()
        loads.entered.clear()
        hot_swap.request("b", 1)
        assert loads.entered.wait(10)
        assert hot_swap.loading
        assert hot_swap.current is not None
        assert hot_swap.current.policy == "policy a"
        loads.gate.set()
        assert hot_swap.wait_idle(10)
        assert not hot_swap.loading
        assert hot_swap.current.policy == "policy b"


def test_of_several_requests_the_newest_wins() -> None:
    loads = Loads()
    with swapping(loads) as (hot_swap, _, _):
        hot_swap.request("a", 0)
        assert loads.entered.wait(10)
        for uri in ("b", "c", "d"):
            hot_swap.request(uri, 0)
        loads.gate.set()
        assert hot_swap.wait_idle(10)
        assert loads.begun == ["a", "d"]
        assert hot_swap.current is not None
        assert hot_swap.current.uri == "d"


def test_a_policy_that_cannot_be_loaded_changes_nothing() -> None:
    loads = Loads()
    loads.gate.set()
    with swapping(loads) as (hot_swap, _, failures):
        for uri in ("a", "bad", "fault"):
            hot_swap.request(uri, 0)
            assert hot_swap.wait_idle(10)
        assert hot_swap.current is not None
        assert hot_swap.current.uri == "a"
        assert failures == [("bad", "policy 'bad': it is bad"),
                            ("fault", "ZeroDivisionError: division by zero")]
        hot_swap.request("b", 0)
        assert hot_swap.wait_idle(10)
        assert hot_swap.current.uri == "b"


def test_closing_twice_is_harmless_and_forgets_what_waits() -> None:
    loads = Loads()
    with swapping(loads) as (hot_swap, _, _):
        hot_swap.request("a", 0)
        assert loads.entered.wait(10)
        hot_swap.request("b", 0)
        loads.gate.set()
        hot_swap.close()
        hot_swap.close()
    assert loads.begun in (["a"], ["a", "b"])


GIVEN_UP = "is not ready after 0.02 s (load_limit): given up"


def test_one_that_hangs_is_given_up_and_later_ones_are_loaded() -> None:
    loads = Loads()
    loads.gate.set()
    with swapping(loads, 0.02) as (hot_swap, swaps, failures):
        hot_swap.request("stuck", 0)
        assert hot_swap.wait_idle(10)
        assert failures == [("stuck", f"'stuck' {GIVEN_UP}")]
        assert loads.asked.wait(10)
        hot_swap._limit_s = math.inf  # this one is only slow, where the machine is
        hot_swap.request("a", 0)
        assert hot_swap.wait_idle(10)
        assert hot_swap.current is not None
        assert hot_swap.current.uri == "a"
        loads.stuck.set()
        assert hot_swap.close() == 0  # its thread has ended
        assert hot_swap.current.uri == "a"  # what comes too late is dropped
        assert [swap.uri for swap in swaps] == ["a"]


def test_only_so_many_may_hang() -> None:
    loads = Loads()
    loads.gate.set()
    with swapping(loads, 0.02) as (hot_swap, _, failures):
        for number in range(4):
            hot_swap.request(f"stuck {number}", 0)
            assert hot_swap.wait_idle(10)
        assert [uri for uri, error in failures if error.endswith(GIVEN_UP)] == [
            "stuck 0", "stuck 1", "stuck 2"]
        assert failures[3] == ("stuck 3", "'stuck 3' is not loaded: 3 policies before it hang in "
                               "their loading; start this process again")


def test_the_end_does_not_wait_for_one_that_hangs() -> None:
    loads = Loads()
    with swapping(loads) as (hot_swap, swaps, failures):
        hot_swap.request("stuck", 0)
        assert loads.entered.wait(10)
        assert hot_swap.close() == 1
        assert loads.asked.wait(10)
        loads.gate.set()
        loads.stuck.set()
    assert (swaps, failures) == ([], [])


def test_a_wait_may_be_given_up() -> None:
    loads = Loads()
    with swapping(loads) as (hot_swap, _, _):
        hot_swap.request("stuck", 0)
        assert loads.entered.wait(10)
        asked = iter([False, True])
        assert not hot_swap.wait_idle(given_up=lambda: next(asked))
        assert not hot_swap.wait_idle(0.01)


def test_a_thread_that_cannot_be_prepared_loads_and_says_so() -> None:
    loads, told = Loads(), []
    loads.gate.set()

    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    hot_swap = HotSwap(loads, lambda: NOW_NS, prepare_thread=refuse, on_trouble=told.append)
    hot_swap.request("a", 0)
    assert hot_swap.wait_idle(10)
    assert hot_swap.current is not None
    assert told == ["a policy is loaded as its thread came: PermissionError: [Errno 13] "
                    "Permission denied"]
    assert hot_swap.close() == 0


def test_a_fault_in_a_callback_does_not_end_swapping() -> None:
    loads, failures = Loads(), []
    loads.gate.set()

    def fail(*unused: object) -> None:
        failures.append(unused)
        raise ZeroDivisionError("division by zero")

    hot_swap = HotSwap(loads, lambda: NOW_NS, on_swap=fail, on_failure=fail)
    for uri in ("a", "bad", "b"):
        hot_swap.request(uri, 0)
        assert hot_swap.wait_idle(10)
    assert hot_swap.current is not None
    assert hot_swap.current.uri == "b"
    assert len(failures) == 5
    hot_swap.close()
