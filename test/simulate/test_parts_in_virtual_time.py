"""Observations of several parts: simulated, learned from, recorded, replayed, demonstrated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bags.played import play, record
from simulate.parts_plant import PARTS, Parted
from simulate.test_train_in_virtual_time import CONFIG
from simulate.tiny_plant import Echo

from realtime_rl.bags.reader import read_run
from realtime_rl.bags.ticks import ticks_of
from realtime_rl.core.errors import BagError
from realtime_rl.core.observations import ObservationParts, observed, split
from realtime_rl.learning import checkpoint
from realtime_rl.learning.training_state import weights_sha256
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate import demonstrations, players
from realtime_rl.simulate.loop import Delay, Loop
from realtime_rl.simulate.parity import replay
from realtime_rl.simulate.training_run import POLICY, Plan, Settings, run

SETTINGS = Settings("parted", {}, Delay(2), replace(CONFIG, network="auto", stack=2))
SPEC = Parted().spec


def test_what_is_learned_acts_from_its_file(tmp_path: Path) -> None:
    training = run(SETTINGS, Plan(120), Parted(), tmp_path)
    path = tmp_path / POLICY
    policy = OnnxPolicy.load(path, (SPEC.observation, SPEC.actions))
    assert [each.name for each in policy.fitted.inputs] == ["front", "arm"]
    assert policy.metadata is not None and policy.metadata.observation == PARTS
    player = players.load(str(path), 1, SPEC)(0)
    loop = Loop(Parted(1), player.policy, Delay(2), stack=player.stack, applied=player.applied)
    seen = [loop.step()[1] for _ in range(5)]
    assert all(len(split(each)) == 2 for each in seen)
    stacked = loop._observations.get(4)
    assert stacked is not None
    assert policy.act(policy.infer(stacked)) == training.learner.greedy(stacked)


def test_stopped_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    whole = run(SETTINGS, Plan(130, 60), Parted(), tmp_path / "whole")
    asked = iter([False] * 71)
    plan = Plan(130, 60, keep_replay=True, stop=lambda: next(asked, True))
    run(SETTINGS, plan, Parted(), tmp_path / "cut")
    resumed = run(SETTINGS, Plan(130, keep_replay=True, resume=True), Parted(), tmp_path / "cut")
    assert weights_sha256(resumed.learner.network) == weights_sha256(whole.learner.network)
    assert checkpoint.exists(tmp_path / "cut")


def test_a_bag_of_parts_is_the_same_once_more(tmp_path: Path) -> None:
    path = record(tmp_path / "bag", play(Parted(3), 120), PARTS, unseen=range(7, 9),
                  unseen_parts={("arm", 20), ("front", 30)})
    found = read_run(path)
    assert (found.parts, found.observations) == (("front", "arm"), 117)
    parity = replay(found, lambda: Parted(3))
    assert (parity.ticks, parity.observations, parity.difference) == (120, 116, "")


def test_the_part_that_differs_is_named(tmp_path: Path) -> None:
    played = play(Parted(3), 20)
    front, arm = split(played[11][1])
    played[11] = (played[11][0], observed(PARTS, {"front": front, "arm": arm + 1}))
    parity = replay(read_run(record(tmp_path / "bag", played, PARTS)), lambda: Parted(3))
    assert parity.difference == "tick 11: 2 of the 2 values of its arm differ"


def test_other_parts_than_the_plants_are_refused(tmp_path: Path) -> None:
    one = read_run(record(tmp_path / "one", play(Echo(), 20), Echo().spec.observation))
    several = read_run(record(tmp_path / "several", play(Parted(), 20), PARTS))
    as_parted = replace(SPEC, name="echo")
    with pytest.raises(BagError, match="have one part, those of 'echo' the parts 'arm', 'front'"):
        list(ticks_of(one, as_parted))
    with pytest.raises(BagError, match="have the parts 'arm', 'front', those of 'parted' one"):
        list(ticks_of(several, replace(Echo().spec, name="parted")))


def test_another_order_of_elements_is_refused(tmp_path: Path) -> None:
    found = read_run(record(tmp_path / "bag", play(Parted(), 20), PARTS))
    front, arm = PARTS.parts
    turned = ObservationParts((front, replace(arm, elements=("b", "a"))))
    with pytest.raises(BagError, match=r"arm: its values are 'a b', .* they are 'b a'"):
        list(ticks_of(found, replace(SPEC, observation=turned)))


def test_demonstrations_of_parts_are_learned_from(tmp_path: Path) -> None:
    bag = record(tmp_path / "bag", play(Parted(3), 60), PARTS)
    shown = demonstrations.read([bag], 3, Delay(2))
    transitions = list(shown.transitions(SPEC, SETTINGS.learner, Delay(2)))
    assert transitions and transitions[0].observation[-1].dtype.names == ("front", "arm")
    training = run(replace(SETTINGS, demonstrations=shown), Plan(5), Parted(), tmp_path / "run")
    assert training.learner.updates >= 3
    assert np.isfinite(training.loss)
