"""Swapping policies while they are in use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from realtime_rl.core.errors import PolicyError
from realtime_rl.policies.hot_swap import HotSwap, Swap

NOW_NS = 77


class Loads:
    """A loader that waits for the test at a gate, and refuses what is called `bad`."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.entered = threading.Event()
        self.gate = threading.Event()

    def __call__(self, uri: str) -> str:
        self.begun.append(uri)
        self.entered.set()
        self.gate.wait(10)
        if uri == "bad":
            raise PolicyError("policy 'bad': it is bad")
        if uri == "fault":
            raise ZeroDivisionError("division by zero")
        return f"policy {uri}"


@contextmanager
def swapping(loads: Loads) -> Iterator[tuple[HotSwap[str], list[Swap[str]], list[tuple[str, str]]]]:
    swaps: list[Swap[str]] = []
    failures: list[tuple[str, str]] = []
    hot_swap = HotSwap(loads, lambda: NOW_NS, on_swap=swaps.append,
                       on_failure=lambda uri, error: failures.append((uri, error)))
    try:
        yield hot_swap, swaps, failures
    finally:
        loads.gate.set()
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
