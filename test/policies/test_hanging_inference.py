"""Inferences that do not come back: noticed, said, written off; and who explores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from policies.tiny_policies import BUTTONS, VECTOR, endless, metadata

from realtime_rl.core.control.exploration import Exploration, explore
from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages.records import Inference
from realtime_rl.core.schedule.slot_watch import LOOK_NS
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.policies.engine_config import EngineConfig
from realtime_rl.policies.hot_swap import HotSwap
from realtime_rl.policies.inference_engine import InferenceEngine
from realtime_rl.policies.latency import NoLatency
from realtime_rl.policies.policy_loader import Loader
from realtime_rl.policies.stop import Stop

Write = Callable[..., Path]
LIMIT_NS = 1_000_000_000


class Gated:
    """A policy whose inference on a tick ends when the test says so."""

    version, epsilon, stack, action_history, provider, alone_ns = 3, 0.5, 1, 0, "cpu", 0
    horizon, goal, takes_prefix = 0, None, False

    def __init__(self, obeys: bool) -> None:
        self.gates: dict[int, threading.Event] = {}
        self._obeys = obeys

    def gate(self, tick: int) -> threading.Event:
        return self.gates.setdefault(tick, threading.Event())

    def infer(self, stacked: np.ndarray, history: object, *, stop: Stop, **beside: object
              ) -> np.ndarray:
        gate = self.gate(int(stacked[0]))
        if self._obeys:
            stop.on_ask(gate.set)
        assert gate.wait(60)
        if stop.asked and self._obeys:
            raise RuntimeError("Exiting due to terminate flag being set to true")
        return np.zeros(3, np.float32)

    def act(self, outputs: object) -> tuple[float, ...]:
        return (0.0,)

    def memory(self) -> None:
        return None


class Driven:
    """An engine whose clock is the test's: each tick shows its number as the observation."""

    def __init__(self, load: Callable[[str, Stop], Any], workers: int = 2, uri: str = "any",
                 exploration: str = "off") -> None:
        self.came = threading.Semaphore(0)
        self.told: list[str] = []
        self.policies: HotSwap[Any] = HotSwap(load, lambda: 0)
        self.policies.request(uri, 0)
        assert self.policies.wait_idle(60)
        assert self.policies.current is not None
        ids = tuple(range(workers))
        self.engine = InferenceEngine(
            EngineConfig("test", ids, BUTTONS, NoLatency(), 7, 4, Exploration.parse(exploration),
                         LIMIT_NS), Schedule(ids, 1_000_000), self.policies, self.came.release,
            on_trouble=self.told.append)
        self.now_ns = time.monotonic_ns()

    def show(self, tick: int, value: float | None = None) -> list[Inference]:
        self.now_ns = time.monotonic_ns()  # computations end by that clock, whatever `look` did
        shown = np.array([tick if value is None else value, 0, 0], np.float32)
        self.engine.observe(tick, tick, tick == 0, shown)
        return self.engine.start(self.now_ns, 0)

    def look(self, span_ns: int) -> list[tuple[Inference, str]]:
        """Look for so long, as often as it must be."""
        end_ns, found = self.now_ns + span_ns, []
        while self.now_ns < end_ns:
            self.now_ns += LOOK_NS
            found += self.engine.overdue(self.now_ns)
        return found

    def left(self) -> list[tuple[float | None, Inference]]:
        """What leaves once one more computation has ended."""
        assert self.came.acquire(timeout=60)
        return [(message.action[0] if message else None, record)
                for message, record, _ in self.engine.due(self.now_ns + 10**12)]


@pytest.fixture
def drive() -> Iterator[Callable[..., Driven]]:
    made: list[Driven] = []

    def make(load: object, **details: Any) -> Driven:
        made.append(Driven(load if callable(load) else lambda uri, stop: load, **details))
        return made[-1]
    yield make
    for driven in made:
        current = driven.policies.current
        for gate in getattr(current.policy, "gates", {}).values():
            gate.set()
        driven.engine.close()
        driven.policies.close()


def test_one_that_hangs_fails_once_and_the_others_go_on(drive: Callable[..., Driven]) -> None:
    policy = Gated(obeys=False)
    driven = drive(policy)
    assert driven.show(0) == []
    assert driven.look(LIMIT_NS - LOOK_NS) == []
    (record, said), = driven.look(2 * LIMIT_NS)
    assert (record.miss, record.worker, record.tick, record.version) == (Miss.FAILED, 0, 0, 3)
    assert LIMIT_NS < record.duration_s * 1e9 <= LIMIT_NS + 2 * LOOK_NS
    assert said == ("worker 0 hangs: version 3 of the policy has computed for 1.1 s (slot_limit); "
                    "the others take its slots")
    assert driven.engine.hung_for_ns(driven.now_ns) == 0
    for tick in (1, 2):
        policy.gate(tick).set()
        assert driven.show(tick) == []
        (action, taken), = driven.left()
        assert (action, taken.worker, taken.miss) == (0.0, 1, Miss.NONE)


def test_what_comes_too_late_is_dropped_and_its_worker_is_back(drive: Callable[..., Driven]
                                                               ) -> None:
    policy = Gated(obeys=False)
    driven = drive(policy, workers=1)
    driven.show(0)
    assert len(driven.look(2 * LIMIT_NS)) == 1
    assert [missed.miss for missed in driven.show(1)] == [Miss.BUSY]
    policy.gate(0).set()
    assert driven.left() == []
    assert len(driven.told) == 1
    assert driven.told[0].startswith("worker 0 is back after ")
    assert driven.told[0].endswith("what it computed is dropped")
    policy.gate(2).set()
    assert driven.show(2) == []
    (action, record), = driven.left()
    assert (action, record.tick) == (0.0, 2)


def test_one_that_hangs_is_asked_to_end(drive: Callable[..., Driven]) -> None:
    driven = drive(Gated(obeys=True), workers=1)
    driven.show(0)
    assert len(driven.look(2 * LIMIT_NS)) == 1
    assert driven.left() == []
    assert driven.engine.hung_for_ns(driven.now_ns) == 0


def test_where_all_hang_it_is_known_since_when(drive: Callable[..., Driven]) -> None:
    driven = drive(Gated(obeys=False))
    for tick in (0, 1):
        driven.show(tick)
    assert driven.engine.hung_for_ns(driven.now_ns) == 0
    assert len(driven.look(2 * LIMIT_NS)) == 2
    assert driven.engine.hung_for_ns(driven.now_ns) > 0
    driven.now_ns += LIMIT_NS
    assert driven.engine.hung_for_ns(driven.now_ns) > LIMIT_NS


def test_a_pause_of_the_process_is_no_hang(drive: Callable[..., Driven]) -> None:
    policy = Gated(obeys=False)
    driven = drive(policy)
    driven.show(0)
    driven.now_ns += 3600 * LIMIT_NS
    assert driven.engine.overdue(driven.now_ns) == []
    policy.gate(0).set()
    (action, record), = driven.left()
    assert (action, record.miss) == (0.0, Miss.NONE)


def test_the_end_leaves_behind_what_hangs(drive: Callable[..., Driven]) -> None:
    driven = drive(Gated(obeys=False))
    driven.show(0)
    assert driven.engine.close() == 1
    driven = drive(Gated(obeys=True))
    driven.show(0)
    assert driven.engine.close() == 0


def test_onnx_runtime_lets_itself_be_ended(write: Write, drive: Callable[..., Driven]) -> None:
    """A loop of 2**62 rounds, where an observation exceeds what the warm-up shows."""
    path = write(endless(2.0), metadata(observation=VECTOR, stack=1, epsilon=0.0))
    driven = drive(Loader((VECTOR, BUTTONS)), workers=1, uri=path.as_uri())
    driven.show(0, 3.0)
    assert len(driven.look(2 * LIMIT_NS)) == 1
    assert driven.left() == []
    assert driven.show(1, 1.0) == []
    (action, record), = driven.left()
    assert (action, record.tick) == (0.0, 1)


def test_a_policy_that_never_returns_is_given_up_while_it_is_loaded(write: Write) -> None:
    failures: list[str] = []
    endless_one = write(endless(), metadata(observation=VECTOR, stack=1))
    swap = HotSwap(Loader((VECTOR, BUTTONS)), lambda: 0, limit_s=0.1,
                   on_failure=lambda uri, error: failures.append(error))
    swap.request(endless_one.as_uri(), 0)
    assert swap.wait_idle(60)
    assert failures == [f"{endless_one.as_uri()!r} is not ready after 0.1 s (load_limit): given up"]
    assert swap.close() == 0


@pytest.mark.parametrize(("exploration", "epsilon"), [("off", 0.0), ("learner", 0.5), ("1", 1.0)])
def test_exploration_is_as_it_is_set_and_said(
    drive: Callable[..., Driven], exploration: str, epsilon: float
) -> None:
    """The policy's own file wants ε = 0.5; what is greedy is action 0."""
    driven = drive(SimpleNamespace(
        version=1, epsilon=0.5, stack=1, action_history=0, goal=None, provider="cpu", alone_ns=0,
        horizon=0, takes_prefix=False, memory=lambda: None, infer=lambda *unused, **more: None,
        act=lambda outputs: (0.0,)), exploration=exploration)
    acted, said = [], set()
    for tick in range(200):
        driven.show(tick)
        (action, record), = driven.left()
        acted.append(action)
        said.add(record.exploration)
    wanted = [explore(tick, epsilon, 4, 7, BUTTONS) or (0.0,) for tick in range(200)]
    assert acted == [action[0] for action in wanted]
    assert said == {exploration}
    assert any(acted) == (epsilon > 0.0)
