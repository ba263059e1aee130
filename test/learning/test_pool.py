"""Real learning processes."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from learning.tiny_transitions import BUTTONS, TINY, VECTOR, presses, shown, transition
from safetensors.numpy import load_file

from realtime_rl import free_memory
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.parameters import LearnerParameters
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.onnx_export import PolicyExporter
from realtime_rl.learning.pool import LearningPool
from realtime_rl.learning.trainer import Trainer

PATIENCE_S = 60.0
"""Only a failing test takes so long."""


class Watched:
    """A pool of two with something to learn from, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.pool = LearningPool(TINY, VECTOR, BUTTONS, 2, folder=folder, tell=self.told.append)
        for each in presses(300):
            self.pool.add(each)

    def wait(self, condition: Callable[[], bool], allowed: int) -> None:
        """Look after the processes until `condition` holds."""
        never, looks = threading.Event(), int(PATIENCE_S / 0.02)
        for _ in range(looks):
            self.pool.advance(allowed)
            if condition():
                return
            never.wait(0.02)
        raise AssertionError("never happened")

    def made(self) -> list[int]:
        return self.pool._shared["updates"].tolist()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.pool.close()


def test_two_processes_learn_and_one_that_is_killed_does_not_stop_the_other(
    watched: Watched
) -> None:
    pool = watched.pool
    watched.wait(lambda: pool.updates > 300 and min(watched.made()) > 50, 10**6)
    assert [pool.greedy(shown(button)) for button in range(3)] == [(0.0,), (1.0,), (2.0,)]
    assert pool.metadata(3).training_step > 300
    os.kill(pool.pids[0], signal.SIGKILL)
    watched.wait(lambda: 0 not in pool.pids, 0)
    before = watched.made()
    watched.wait(lambda: watched.made()[1] > before[1] + 100, 10**6)
    assert watched.made()[0] == before[0]
    assert watched.told == ["learning process 0 ended with status -9; 1 go on"]
    os.kill(pool.pids[1], signal.SIGKILL)
    with pytest.raises(LearningError, match="no learning process is left"):
        watched.wait(lambda: False, 500)


def test_a_loss_that_is_not_finite_ends_all_and_its_batch_is_kept(
    watched: Watched, tmp_path: Path
) -> None:
    pool = watched.pool
    watched.wait(lambda: pool.updates > 100, 10**6)
    pool.add(transition(shown(0), 0.0, math.nan))
    with pytest.raises(LearningError, match=r"learning process [01]: update \d+: loss nan .* "
                                            r"are kept; the batch is in '.*bad-batch"):
        watched.wait(lambda: False, 10**6)
    assert np.isnan(load_file(tmp_path / "bad-batch.safetensors")["reward"]).any()
    assert pool.pids == {}
    assert np.isfinite(pool._shared["network"]).all()


def test_a_trainer_trains_with_a_pool_as_with_one_learner(tmp_path: Path) -> None:
    exported, failed = threading.Event(), threading.Event()
    reasons: list[str] = []
    pool = LearningPool(TINY, VECTOR, BUTTONS, 2, folder=tmp_path)
    clock = iter(range(10**9))
    trainer = Trainer(
        pool, PolicyExporter(pool.network, tmp_path), folder=tmp_path, now=lambda: next(clock),
        export_interval_ns=100, updates_per_transition=2.0, first_version=1,
        on_export=lambda uri, version: exported.set(),
        on_failure=lambda reason: (reasons.append(reason), failed.set()))
    trainer.start()
    try:
        for each in presses(100):
            trainer.add(each)
        assert exported.wait(PATIENCE_S)
        tries = 0
        while pool.updates < 200:
            tries += 1
            assert tries < PATIENCE_S * 50
            failed.wait(0.02)
        assert not reasons
        trainer.add(transition(shown(0), 0.0, math.nan))
        for each in presses(100, seed=1):
            trainer.add(each)
        assert failed.wait(PATIENCE_S)
    finally:
        trainer.close()
    assert pool.updates <= 2 * pool.transitions
    assert "the batch is in" in reasons[0]
    assert pool.pids == {}


def test_only_recency_is_shared() -> None:
    for other in (replace(TINY, replay="priority"), replace(TINY, algorithm="rainbow")):
        with pytest.raises(LearningError, match="draw from a replay by 'recency', not 'priority'"):
            LearningPool(other, VECTOR, BUTTONS, 2, folder=Path())
    assert LearnerParameters(processes=2).processes == 2
    for values in ({"replay": "reservoir"}, {"algorithm": "rainbow"}):
        with pytest.raises(ConfigError, match="processes: 2 learners draw from a replay by 'rec"):
            LearnerParameters(processes=2, **values)


def test_weights_are_there_once_whatever_the_number_of_learners(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = 4611 * 4
    monkeypatch.setattr(free_memory, "available_bytes", lambda: (2 + 3 * 3) * needed)
    LearningPool(TINY, VECTOR, BUTTONS, 3, folder=Path())
    with pytest.raises(LearningError, match="network 'mlp' has 4,611 weights"):
        LearningPool(TINY, VECTOR, BUTTONS, 4, folder=Path())
