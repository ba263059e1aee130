"""The learner's thread: what it does when a policy cannot be written, or nobody takes it up."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from learning.tiny_transitions import BUTTONS, TINY, VECTOR, presses

from realtime_rl.learning import onnx_export
from realtime_rl.learning.dqn import DqnLearner
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
