"""Policies that take applied actions: checked when loaded, told them by the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from policies.tiny_policies import BUTTONS, VECTOR, copier, metadata, model

from realtime_rl.core.enumerations import Algorithm, Dealing, Miss, SlotSource
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.gathering import Lost
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.policies.engine_config import EngineConfig
from realtime_rl.policies.hot_swap import HotSwap
from realtime_rl.policies.inference_engine import InferenceEngine
from realtime_rl.policies.latency import NoLatency
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader

Write = Callable[..., Path]
SEEN = np.zeros(3, np.float32)


def about(history: int) -> PolicyMetadata:
    return metadata(observation=VECTOR, stack=1, action_history=history, epsilon=0.0)


def test_the_newest_action_comes_last(write: Write) -> None:
    policy = OnnxPolicy.load(write(copier(3, 3), about(3)), (VECTOR, BUTTONS))
    assert policy.infer(SEEN, ((0.0,), (0.0,), (1.0,))).tolist() == [0, 1, 0]
    assert policy.infer(SEEN, ((1.0,), (1.0,), None)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("history", "told", "message"), [
    (3, 0, "its input is 'x', 'action_history', its metadata say 'x'"),
    (3, 2, r"its input 'action_history' is 'tensor\(float\)' \[1, 3, 3\], not "
           r"'tensor\(float\)' \[1, 2, 3\]"),
])
def test_a_history_must_be_as_the_metadata_say(
    write: Write, history: int, told: int, message: str
) -> None:
    with pytest.raises(PolicyError, match=message):
        OnnxPolicy.load(write(copier(history, 3), about(told)), (VECTOR, BUTTONS))


def test_a_second_input_of_another_name_is_refused(write: Write) -> None:
    with pytest.raises(PolicyError, match=r"no input 'action_history' .*, but 'pending', 'x'"):
        OnnxPolicy.load(write(copier(2, 3, "pending"), about(2)), (VECTOR, BUTTONS))


def test_one_without_a_history_that_its_metadata_promise_is_refused(write: Write) -> None:
    path = write(model(VECTOR, 1, np.eye(3)), about(2))
    with pytest.raises(PolicyError, match=r"it has no input 'action_history' .*, but 'x'"):
        OnnxPolicy.load(path, (VECTOR, BUTTONS))


@pytest.mark.parametrize("said", [True, False])
def test_the_history_is_an_input_by_its_name(write: Write, said: bool) -> None:
    proto = copier(2, 3)
    proto.graph.input.reverse()
    policy = OnnxPolicy.load(write(proto, about(2) if said else None), (VECTOR, BUTTONS))
    assert policy.action_history == 2
    assert policy.infer(SEEN, ((0.0,), (1.0,))).tolist() == [0, 1, 0]


class Loop:
    """An engine of one worker whose inferences are waited for."""

    def __init__(self, path: Path) -> None:
        self.done = threading.Event()
        self.policies: HotSwap[OnnxPolicy] = HotSwap(Loader((VECTOR, BUTTONS)), lambda: 0)
        self.policies.request(f"file://{path}", 0)
        assert self.policies.wait_idle(60)
        schedule = Schedule((0,), 1_000_000, 0, 0, 1, 0, Algorithm.EXP_TIME, Dealing.POOLED,
                            SlotSource.TICK, 1)
        self.engine = InferenceEngine(
            EngineConfig("test", (0,), BUTTONS, NoLatency(), 0, 1), schedule, self.policies,
            self.done.set)

    def act(self, tick: int, first: bool = False) -> float:
        """Return the action on the observation of a tick."""
        self.engine.observe(tick, tick, first, SEEN)
        self.done.clear()
        assert self.engine.start(time.monotonic_ns(), 0) == []
        assert self.done.wait(60)
        self.engine.collect()
        due_ns = self.engine.next_due_ns()
        assert due_ns is not None
        (message, _, error), = self.engine.due(due_ns)
        assert error == ""
        assert message is not None
        return message.action[0]

    def close(self) -> None:
        self.engine.close()
        self.policies.close()


def test_the_engine_tells_the_policy_what_was_applied(write: Write) -> None:
    """The policy repeats what the tick before applied; without any, its first choice."""
    loop = Loop(write(copier(2, 3), about(2)))
    try:
        assert loop.act(0, first=True) == 0.0
        assert loop.engine.inputs.wants_applied
        loop.engine.inputs.applied(0, (1.0,))
        assert loop.act(1) == 1.0
        loop.engine.inputs.applied(1, (2.0,))
        assert loop.act(2) == 2.0
        assert loop.act(3) == 0.0               # of tick 2 nothing was heard
        loop.engine.inputs.applied(3, (2.0,))
        assert loop.act(4, first=True) == 0.0   # another episode
    finally:
        loop.close()


def test_an_engine_without_such_a_policy_does_not_ask(write: Write) -> None:
    loop = Loop(write(model(VECTOR, 1, np.eye(3)), metadata(
        observation=VECTOR, stack=1, epsilon=0.0)))
    try:
        loop.act(0, first=True)
        assert not loop.engine.inputs.wants_applied
    finally:
        loop.close()


def test_an_observation_that_lacks_a_part_is_a_slot_missed_and_says_so(write: Write) -> None:
    loop = Loop(write(copier(2, 3), about(2)))
    try:
        assert loop.act(0, first=True) == 0.0
        (missed,) = loop.engine.lost(Lost(1, 1, ("arm",)), time.monotonic_ns())
        assert (missed.tick, missed.miss, missed.worker) == (1, Miss.LACKING, -1)
        before, lacking = loop.engine.lost(Lost(3, 3, ("arm",)), time.monotonic_ns())
        assert (before.miss, lacking.miss) == (Miss.BUSY, Miss.LACKING)
        assert loop.act(4) == 0.0
    finally:
        loop.close()
