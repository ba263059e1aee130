"""The bag that datasets and regret are measured with can be used for what it is made for."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyboy", reason="PyBoy is not installed")

from benchmarks import hour
from realtime_rl.bags import run_record
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.recorded_episodes import whole_episodes
from realtime_rl.core.types import Cause
from realtime_rl.plants import registry
from realtime_rl.simulate.versions import Versions

TICKS = 1400


def test_the_bag_has_whole_episodes_and_says_who_acted(tmp_path: Path) -> None:
    spec = registry.spec("pyboy", [hour.GAME], hour.SEED)
    assert hour.write(tmp_path / "bag", TICKS * spec.period_ns / 3600e9) == TICKS
    run = read_run(tmp_path / "bag")
    steps = run.records.timesteps
    assert len(steps) == run.observations == TICKS
    noted = run_record.read(tmp_path / "bag")
    assert noted is not None
    versions = Versions(run, noted.origin, spec)
    assert versions.acted == [versions.newest]
    assert {step.tick - step.observation_tick for step in steps
            if step.cause is Cause.POLICY} == {hour.DELAY}
    (episode, *_) = whole_episodes(run, spec)
    assert episode.steps[0].tick == 0 and episode.steps[-1].last
