"""What `ros2 launch` is told of a scenario, by a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from policies.tiny_policies import model

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.runner.isolated import describe
from realtime_rl.runner.prepare import prepare

SCENARIO = """
scenario: {ros__parameters: {workers: 2, learner: false, duration: 3.5, allow_second: true}}
plant: {ros__parameters: {name: counter, options: ["observation=vector"]}}
"""


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what there is to start, with this interpreter as the first of its name."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    (tmp_path / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    policy = model(ObservationSpec((2,), "float32", 0, 1), 1, np.ones((2, 3)))  # as the counter's
    (tmp_path / "policy.onnx").write_bytes(policy.SerializeToString())
    return [f"scenario.run_dir={tmp_path}", f"scenario.policy={tmp_path / 'policy.onnx'}"]


def test_it_is_what_is_prepared_here(tmp_path: Path, words: list[str]) -> None:
    config, before = str(tmp_path / "scenario.yaml"), dict(os.environ)
    told = describe(config, words, within="/fleet")
    prepared = prepare(config, words, within="/fleet")
    assert (told.scenario, told.nodes) == (prepared.scenario, prepared.nodes)
    assert told.scenario.namespace == "fleet"
    assert dict(os.environ) == before


def test_what_cannot_start_is_one_line(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"^plant: unknown parameter 'x'; known: "):
        describe(str(tmp_path / "scenario.yaml"), [*words, "plant.x=1"])
