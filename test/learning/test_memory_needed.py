"""Memory that a network takes and that there is."""

from __future__ import annotations

import pytest
from learning.tiny_transitions import BUTTONS, IMAGE, TINY, VECTOR

from realtime_rl import free_memory
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning import memory_needed
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.networks import build

LIVE = DqnConfig(stack=2)
BILLION = build("impala:98", IMAGE, 1, BUTTONS, 0, device="meta")


def test_training_holds_every_weight_five_times() -> None:
    layer = build("mlp", VECTOR, 1, BUTTONS, 0)
    weights = 3 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3
    assert memory_needed.training_bytes(layer) == weights * 5 * 4


def test_what_does_not_fit_is_refused_with_its_figures() -> None:
    with pytest.raises(LearningError, match=r"'impala:98' has 1,00\d,\d+,\d+ weights: training "
                                            r"needs 20\.2 GB, 8\.0 GB are free; take a smaller"):
        memory_needed.check("impala:98", BILLION, 8_000_000_000)
    memory_needed.check("impala:98", BILLION, 21_000_000_000)
    memory_needed.check("impala:98", BILLION, None)
    with pytest.raises(LearningError, match=r"needs 28\.2 GB, .* smaller width, or fewer learners"):
        memory_needed.check("impala:98", BILLION, 21_000_000_000, under_way=2)


def test_a_learner_refuses_before_it_allocates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "available_bytes", lambda: 1000)
    with pytest.raises(LearningError, match="network 'mlp' has 4,611 weights"):
        DqnLearner(TINY, VECTOR, BUTTONS)


def test_what_a_replay_will_take_is_told_before() -> None:
    told, fits = memory_needed.replay_memory(LIVE, IMAGE, None)
    assert (told, fits) == ("the replay takes 293 MB once its 40,000 transitions are there", True)
    assert memory_needed.replay_memory(LIVE, IMAGE, 400_000_000)[1]
    told, fits = memory_needed.replay_memory(LIVE, IMAGE, 200_000_000)
    assert not fits
    assert told.endswith("are there, 200 MB are free; take a smaller replay_size")
