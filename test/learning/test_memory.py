"""Memory that a network takes and that there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from learning.tiny_transitions import BUTTONS, IMAGE, TINY, VECTOR

from realtime_rl.core.dqn_config import DqnConfig
from realtime_rl.learning import memory
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.networks import build

LIVE = DqnConfig(stack=2)
BILLION = build("impala:98", IMAGE, 1, BUTTONS, 0, device="meta")


def test_training_holds_every_weight_five_times() -> None:
    layer = build("mlp", VECTOR, 1, BUTTONS, 0)
    weights = 3 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3
    assert memory.training_bytes(layer) == weights * 5 * 4


def test_what_does_not_fit_is_refused_with_its_figures() -> None:
    with pytest.raises(LearningError, match=r"'impala:98' has 1,00\d,\d+,\d+ weights: training "
                                            r"needs 20\.2 GB, 8\.0 GB are free; take a smaller"):
        memory.check("impala:98", BILLION, 8_000_000_000)
    memory.check("impala:98", BILLION, 21_000_000_000)
    memory.check("impala:98", BILLION, None)


def test_a_learner_refuses_before_it_allocates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(LearningError, match="network 'mlp' has 4,611 weights"):
        DqnLearner(TINY, VECTOR, BUTTONS)


@pytest.mark.parametrize(("limit", "used", "available"), [
    ("max", 100, 3_000_000 * 1024), (None, 100, 3_000_000 * 1024),
    ("1000", 300, 700), ("1000", 1300, 0), ("9000000000", 0, 3_000_000 * 1024)])
def test_the_smaller_of_machine_and_container_counts(
    tmp_path: Path, limit: str | None, used: int, available: int
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable:    3000000 kB\n")
    if limit is not None:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text(f"{used}\n")
    assert memory.available_bytes(tmp_path / "meminfo", tmp_path) == available


def test_a_system_that_does_not_tell_is_not_guessed_about(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("MemAvailable:\n")
    assert memory.available_bytes(tmp_path / "absent", tmp_path) is None
    assert memory.available_bytes(tmp_path / "odd", tmp_path) is None


def test_what_a_replay_will_take_is_told_before() -> None:
    told, fits = memory.told_of_replay(LIVE, IMAGE, None)
    assert (told, fits) == ("the replay takes 293 MB once its 40,000 transitions are there", True)
    assert memory.told_of_replay(LIVE, IMAGE, 400_000_000)[1]
    told, fits = memory.told_of_replay(LIVE, IMAGE, 200_000_000)
    assert not fits
    assert told.endswith("are there, 200 MB are free; take a smaller replay_size")
