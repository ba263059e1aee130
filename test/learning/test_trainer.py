"""The learner's thread: what it does when a policy cannot be written, or nobody takes it up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from learning.tiny_transitions import BUTTONS, TINY, VECTOR, presses

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.learning import onnx_export
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.onnx_export import PolicyExporter
from realtime_rl.learning.trainer import Trainer

WAIT_S = 30.0


class Rig:
    """A trainer whose clock the test moves; what it says comes out of queues."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.exports: queue.Queue[int] = queue.Queue()
        self.troubles: queue.Queue[str] = queue.Queue()
        self.now_ns = 0
        self.learner = DqnLearner(TINY, VECTOR, BUTTONS)
        self.trainer = Trainer(
            self.learner, PolicyExporter(self.learner.network, folder), folder=folder,
            now=lambda: self.now_ns,
            export_interval_ns=1_000_000_000, updates_per_transition=1.0, first_version=1,
            on_export=lambda uri, version: self.exports.put(version),
            on_failure=self.troubles.put, on_trouble=self.troubles.put, **options)
        self._presses = presses(1000)

    def second(self) -> None:
        """Let a second pass; a transition wakes the trainer."""
        self.now_ns += 1_000_000_000
        self.trainer.add(next(self._presses))


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[Rig]:
    rig = Rig(folder, **options)
    rig.trainer.start()
    try:
        yield rig
    finally:
        rig.trainer.close()


def test_a_full_disk_costs_one_version_and_one_line(tmp_path: Path, monkeypatch: Any) -> None:
    written = onnx_export.write_atomically

    def full(path: Path, *parts: bytes) -> None:
        raise OSError(28, "No space left on device")

    with running(tmp_path) as rig:
        rig.second()
        assert rig.exports.get(timeout=WAIT_S) == 1
        monkeypatch.setattr(onnx_export, "write_atomically", full)
        rig.second()
        trouble = rig.troubles.get(timeout=WAIT_S)
        assert rig.trainer.progress().version == 1
        monkeypatch.setattr(onnx_export, "write_atomically", written)
        rig.second()
        assert rig.exports.get(timeout=WAIT_S) == 2
    assert trouble.startswith("version 2 is not announced, the one before stays, training goes on")
    assert "No space left on device" in trouble
    assert "\n" not in trouble


def test_training_waits_for_what_acts(tmp_path: Path) -> None:
    with running(tmp_path, max_lag=2) as rig:
        for version in (1, 2):
            rig.second()
            assert rig.exports.get(timeout=WAIT_S) == version
        rig.second()
        assert rig.troubles.get(timeout=WAIT_S) == (
            "training waits: version 0 acts, 2 is announced (max_lag 2)")
        assert rig.exports.empty()
        rig.trainer.acted(1)
        assert rig.exports.get(timeout=WAIT_S) == 3
        rig.second()
        assert "version 1 acts, 3 is announced" in rig.troubles.get(timeout=WAIT_S)
        rig.trainer.acted(None)  # a person plays
        assert rig.exports.get(timeout=WAIT_S) == 4


def test_nothing_is_learned_while_training_waits(tmp_path: Path) -> None:
    with running(tmp_path, max_lag=1) as rig:
        rig.second()
        assert rig.exports.get(timeout=WAIT_S) == 1
        rig.second()
        rig.troubles.get(timeout=WAIT_S)
        for each in presses(100):
            rig.trainer.add(each)
    assert rig.learner.updates == 0


def test_a_learner_that_goes_on_from_version_6_does_not_wait_for_itself(tmp_path: Path) -> None:
    sent: list[int] = []
    exporter = SimpleNamespace(export=lambda metadata: metadata.version)
    learner = DqnLearner(TINY, VECTOR, BUTTONS)
    trainer = Trainer(learner, exporter, folder=tmp_path, now=lambda: 5,  # type: ignore[arg-type]
                      export_interval_ns=0, updates_per_transition=1.0, first_version=7, max_lag=1,
                      on_export=lambda uri, version: sent.append(version),
                      on_failure=sent.append, on_trouble=sent.append)  # type: ignore[arg-type]
    trainer.acted(0)
    trainer._step()
    assert sent == [7]


class Stub:
    """Learns nothing; `advance` does what a test wants."""

    updates, transitions, epsilon = 0, 0, 1.0

    def __init__(self, advance: Callable[[], float | None] = lambda: None) -> None:
        self.taken: list[SemiMdpTransition] = []
        self.closed = False
        self._advance = advance

    def add(self, transition: SemiMdpTransition) -> None:
        self.taken.append(transition)

    def advance(self, allowed: int) -> float | None:
        return self._advance()

    def close(self) -> None:
        self.closed = True


def of_stub(stub: Stub, said: queue.Queue[str], **options: Any) -> Trainer:
    return Trainer(stub, SimpleNamespace(), folder=Path(), now=lambda: 0,  # type: ignore[arg-type]
                   export_interval_ns=1 << 62, updates_per_transition=1.0, first_version=1,
                   on_export=lambda uri, version: None, on_failure=said.put, on_trouble=said.put,
                   **options)


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(("error", "reason"), [
    (LearningError("no process is left"), "no process is left"),
    (IndexError("index 7 is out of bounds\nfor axis 1"),
     "IndexError: index 7 is out of bounds for axis 1 (test_trainer.py:"),
    (MemoryError(), "MemoryError: "), (RuntimeError("torch"), "RuntimeError: torch (")])
def test_whatever_ends_the_training_is_said_once_and_nothing_is_kept(
    error: Exception, reason: str
) -> None:
    said: queue.Queue[str] = queue.Queue()
    stub = Stub(lambda: fail(error))
    trainer = of_stub(stub, said)
    for each in presses(10):
        trainer.add(each)
    trainer.start()
    told = said.get(timeout=WAIT_S)
    trainer.close()
    assert told.startswith(reason)
    assert "\n" not in told
    for each in presses(1000):
        trainer.add(each)
    assert (trainer.waiting, stub.closed, said.empty()) == (0, True, True)


def test_a_thread_that_cannot_be_prepared_is_said() -> None:
    said: queue.Queue[str] = queue.Queue()
    stub = Stub()
    trainer = of_stub(stub, said, prepare_thread=lambda: fail(PermissionError(13, "not allowed")))
    trainer.start()
    assert said.get(timeout=WAIT_S).startswith("PermissionError: [Errno 13] not allowed (")
    trainer.close()
    assert stub.closed


def test_after_an_orderly_end_nothing_is_kept_either() -> None:
    trainer = of_stub(Stub(), queue.Queue())
    trainer.start()
    trainer.close()
    trainer.add(next(presses(1)))
    assert trainer.waiting == 0


def test_of_more_than_may_wait_the_oldest_are_dropped_counted_and_said() -> None:
    said: queue.Queue[str] = queue.Queue()
    begun, on = threading.Event(), threading.Event()

    def update() -> None:
        begun.set()
        on.wait(WAIT_S)

    stub = Stub(update)
    trainer = of_stub(stub, said, queue=8)
    trainer.start()
    assert begun.wait(WAIT_S)
    came = list(presses(20))
    for each in came:
        trainer.add(each)
    assert (trainer.waiting, trainer.dropped) == (8, 12)
    on.set()
    assert said.get(timeout=WAIT_S) == (
        "12 transitions dropped so far: more than 8 came during one update; take a smaller "
        "network or batch")
    trainer.close()
    assert stub.taken == came[12:]
    assert trainer.progress().dropped == 12
