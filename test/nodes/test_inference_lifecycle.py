"""The inference node in every state that its lifecycle has: what it does there, and what not.

One node in this process, driven by hand: no graph, nothing that waits.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
import rclpy
from nodes.live_graph import PATIENCE_S, private_domain
from policies.tiny_policies import BUTTONS, VECTOR, endless, uri, written
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.lifecycle.node import LifecycleNode
from std_msgs.msg import Empty, String

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.gathering import Whole
from realtime_rl.nodes.inference import InferenceNode
from realtime_rl.policies.compute_threads import NAME
from realtime_rl.policies.hot_swap import LOAD
from realtime_rl.ros import qos

NEXT = {
    "unconfigured": {"configure": "inactive", "shutdown": "finalized"},
    "inactive": {"activate": "active", "cleanup": "unconfigured", "shutdown": "finalized"},
    "active": {"deactivate": "inactive", "shutdown": "finalized"},
    "finalized": {}}
"""The states of a lifecycle node, and which transition leads where."""


def paths(state: str = "unconfigured", length: int = 6) -> Iterator[tuple[str, ...]]:
    """Every way through the lifecycle, of so many transitions at most."""
    if not NEXT[state] or not length:
        yield ()
    for transition, state_after in NEXT[state].items() if length else ():
        yield from ((transition, *rest) for rest in paths(state_after, length - 1))


Make = Callable[..., InferenceNode]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain())
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    made: list[InferenceNode] = []
    others = set(threading.enumerate())

    def make_node(**given: object) -> InferenceNode:
        values = {"autostart": False, "actions": str(BUTTONS), "observation": str(VECTOR), **given}
        words = [part for name, value in values.items()
                 for part in ("-p", f"{name}:={str(value).lower() if value is False else value}")]
        rclpy.init(args=["--ros-args", *words])
        made.append(InferenceNode())
        return made[-1]
    yield make_node
    for node in made:
        node.close()
        node.destroy_node()
    rclpy.try_shutdown()
    assert not left(others)


def left(others: set[threading.Thread]) -> list[threading.Thread]:
    """Threads that load or compute, but for those of tests before."""
    return [thread for thread in threading.enumerate()
            if thread not in others and thread.name in (NAME, LOAD)]


class Driven:
    """A node, and what it does when it is shown an observation or told of a policy."""

    def __init__(self, node: InferenceNode, folder: Path) -> None:
        self.node = node
        self._folder = folder
        self._tick = self._version = 0

    def takes_slots(self) -> bool:
        """Show the next observation, and wait for an action where a slot was taken."""
        self._tick += 1
        self.node._on_observation(Whole(self._tick, time.time_ns(), False,
                                        np.zeros(3, np.float32)))
        engine = self.node._host.engine
        if engine is None or engine.newest is None or engine.newest[0] != self._tick:
            return False
        deadline_s = time.monotonic() + PATIENCE_S
        while engine.pool.busy(time.monotonic_ns()):
            assert time.monotonic() < deadline_s
            self.node.on_deadline(time.monotonic_ns())
        return True

    def announce(self) -> int:
        """Announce another version; return it."""
        self._version += 1
        self.node._on_policy(String(data=uri(written(self._folder, self._version))))
        return self._version

    def version(self) -> int | None:
        policies = self.node._host._policies
        if policies is None:
            return None
        assert policies.wait_idle(PATIENCE_S)
        return None if policies.current is None else policies.current.policy.version


def do(node: LifecycleNode, transition: str) -> TransitionCallbackReturn:
    return getattr(node, f"trigger_{transition}")()


def state_of(node: LifecycleNode) -> str:
    return str(node._state_machine.current_state[1])


@pytest.mark.parametrize("path", sorted(set(paths())), ids=",".join)
def test_every_state_does_what_it_should_and_no_more(make: Make, tmp_path: Path,
                                                     path: tuple[str, ...]) -> None:
    node = make(policy=written(tmp_path, 0))
    driven, state, newest = Driven(node, tmp_path), "unconfigured", 0
    for transition in path:
        assert do(node, transition) is TransitionCallbackReturn.SUCCESS
        state = NEXT[state][transition]
        assert state_of(node) == state
        there = state in ("inactive", "active")
        assert driven.version() == (newest if there else None)
        newest = driven.announce()
        assert driven.version() == (newest if there else None)
        assert driven.takes_slots() == (state == "active")
        assert (node._heartbeat.next_ns is not None) == (state == "active")
        assert there or node.next_deadline_ns() is None


def test_one_that_cannot_be_configured_can_be_later(make: Make, tmp_path: Path) -> None:
    node = make(policy=tmp_path / "policy-000000.onnx")
    driven, others = Driven(node, tmp_path), set(threading.enumerate())
    for _ in range(2):
        assert do(node, "configure") is TransitionCallbackReturn.FAILURE
        assert state_of(node) == "unconfigured"
        assert not left(others)
        assert not driven.takes_slots()
    written(tmp_path, 0)
    assert do(node, "configure") is TransitionCallbackReturn.SUCCESS
    assert do(node, "activate") is TransitionCallbackReturn.SUCCESS
    assert driven.takes_slots()


def test_after_an_error_nothing_is_left_and_it_can_begin_anew(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make(policy=written(tmp_path, 0))
    driven = Driven(node, tmp_path)
    do(node, "configure")

    def fail(now_ns: int) -> None:
        raise RuntimeError("the middleware is out of its mind")

    with monkeypatch.context() as patch:
        patch.setattr(node._heartbeat, "start", fail)
        assert do(node, "activate") is TransitionCallbackReturn.ERROR
    assert state_of(node) == "unconfigured"
    assert not driven.takes_slots()
    assert node.next_deadline_ns() is None
    assert do(node, "configure") is TransitionCallbackReturn.SUCCESS
    assert do(node, "activate") is TransitionCallbackReturn.SUCCESS
    assert driven.takes_slots()


def test_one_that_starts_by_itself_says_why_it_cannot(make: Make, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="this host cannot read it"):
        make(policy=tmp_path / "absent.onnx", autostart="true")


class Ear:
    """Hears whether a node is alive, as the coordinator does."""

    def __init__(self, node: InferenceNode, lease_s: float) -> None:
        self.alive = 0
        self._node = rclpy.create_node("ear")
        self._node.create_subscription(
            Empty, f"{node.get_name()}/alive", lambda message: None, qos.alive(lease_s),
            event_callbacks=SubscriptionEventCallbacks(liveliness=self._on_event))
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)  # the inference node's own loop is the test

    def _on_event(self, event: object) -> None:
        self.alive = event.alive_count  # type: ignore[attr-defined]

    def wait(self, alive: int, meanwhile: Callable[[], None]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while self.alive != alive:
            assert time.monotonic() < deadline_s, f"never became {alive}"
            meanwhile()
            self._executor.spin_once(timeout_sec=0.01)

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()


def test_a_loop_that_is_blocked_is_heard_to_be_dead(make: Make, tmp_path: Path) -> None:
    """The middleware's threads go on: only the loop that works may say that it lives."""
    node = make(policy=written(tmp_path, 0), alive_lease=0.2)
    do(node, "configure")
    do(node, "activate")
    ear = Ear(node, 0.2)
    try:
        def work() -> None:
            node.on_deadline(time.monotonic_ns())

        ear.wait(1, work)
        ear.wait(0, lambda: None)  # it is stuck somewhere
        ear.wait(1, work)
    finally:
        ear.close()


def test_where_all_workers_hang_it_is_silent_then_ends(make: Make, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    node = make(policy=written(tmp_path, 0))
    do(node, "configure")
    do(node, "activate")
    assert node._host.engine is not None
    beats: list[bool] = []
    hung_ns = iter([0, 1, 500_000_000, 1_500_000_000])
    monkeypatch.setattr(node._heartbeat, "beat", lambda now_ns, alive: beats.append(alive))
    monkeypatch.setattr(node._host.engine, "hung_for_ns", lambda now_ns: next(hung_ns))
    for _ in range(3):
        node.on_deadline(2**62)
    assert beats == [True, False, False]
    with pytest.raises(PolicyError, match=r"all 1 workers hang in the policy: this process ends"):
        node.on_deadline(2**62)


ENDED = """
import os, signal, sys, threading
import realtime_rl.nodes.inference as inference
from realtime_rl.policies.onnx_policy import OnnxPolicy

load = OnnxPolicy._warm_up

def warm_up(policy, stop, sessions):
    threading.Timer(0.0, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    {stuck}
    load(policy, stop, sessions)

OnnxPolicy._warm_up = warm_up
sys.argv = ["inference", "--ros-args", *sys.argv[1:]]
sys.exit(inference.main())
"""


@pytest.mark.parametrize("stuck", ["pass", "threading.Event().wait()"],
                         ids=["one that ONNX Runtime ends", "one that nothing ends"])
def test_a_process_whose_first_policy_never_returns_ends_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stuck: str
) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain())
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    done = subprocess.run(
        [sys.executable, "-c", ENDED.format(stuck=stuck), "-p", f"actions:={BUTTONS}", "-p",
         f"observation:={VECTOR}", "-p", f"policy:={written(tmp_path, 0, endless())}"],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert ("1 thread(s) hang in a policy" in done.stderr) == (stuck != "pass")
