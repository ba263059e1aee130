"""Isaac Lab's IO descriptors beside a policy, and metadata of other makers that are broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from realtime_rl.core.errors import PolicyError
from realtime_rl.policies import foreign_metadata, io_descriptors

ACTION = {"action_type": "JointAction", "name": "joint_position_action", "shape": [2], "clip": None,
          "joint_names": ["hip", "knee"], "scale": 0.5, "offset": [0.25, -0.25],
          "mdp_type": "Action", "dtype": "torch.float32", "extras": {}}
SPEED = {"name": "base_lin_vel", "shape": [3], "dtype": "torch.float32",
         "observation_type": "RootState", "overloads": {
             "clip": None, "scale": None, "history_length": 0, "flatten_history_dim": True}}
JOINTS = {**SPEED, "name": "joint_vel_rel", "shape": [2], "joint_names": ["hip", "knee"],
          "overloads": {**SPEED["overloads"], "scale": 0.125}}
DOCUMENT: dict[str, Any] = {
    "actions": [ACTION], "articulations": {"robot": {}}, "scene": {"dt": 0.02},
    "observations": {"policy": [SPEED, JOINTS], "critic": []}}


def test_terms_scales_and_joints_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "IO_descriptors.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT))
    said = io_descriptors.read(path)
    assert said.joints == ("hip", "knee")
    assert said.terms == (("base_lin_vel", 3), ("joint_vel_rel", 2))
    assert (said.normalize["action"].std, said.normalize["action"].mean) == (
        (0.5, 0.5), (0.25, -0.25))
    assert said.normalize["observation"].scale == (1.0, 1.0, 1.0, 0.125, 0.125)
    assert said.period_ns == 20_000_000
    assert str(path) in said.source


@pytest.mark.parametrize(("change", "message"), [
    ([], "must be a mapping, not list"),
    ({"actions": []}, "has no list 'actions'"),
    ({"actions": {}}, "actions must be a list of terms, not dict"),
    ({"actions": [{**ACTION, "shape": None}]}, "shape of 'joint_position_action' is None"),
    ({"actions": [{**ACTION, "scale": [1, 2, 3]}]}, r"scale of an action is \[1, 2, 3\], not"),
    ({"actions": [{**ACTION, "clip": [-1, 1]}]}, "'joint_position_action' has a clip"),
    ({"observations": {"policy": [{**SPEED, "overloads": {"history_length": 5}}]}},
     "'base_lin_vel' has a history_length, which is not done here"),
])
def test_what_cannot_be_done_is_refused(change: Any, message: str) -> None:
    document = {**DOCUMENT, **change} if isinstance(change, dict) else change
    with pytest.raises(PolicyError, match=message):
        io_descriptors.of_document(document, "it.yaml")


@pytest.mark.parametrize(("text", "message"), [
    (None, "cannot be read"), ("a: [", "is no YAML"), ("a: 1\na: 2", "is no YAML")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None, message: str
                                               ) -> None:
    path = tmp_path / "it.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PolicyError, match=message) as caught:
        io_descriptors.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("props", "message"), [
    ({"action_scale": "0.5", "default_joint_pos": "0.1,0.2", "joint_names": "a"},
     "1 joint_names, 2 of default_joint_pos"),
    ({"action_scale": "x", "default_joint_pos": "0.1", "joint_names": "a"},
     "action_scale: 'x' is no number"),
    ({"update_rate": "fast"}, "'update_rate' is no JSON"),
    ({"update_rate": "0"}, "update_rate 0 is no rate"),
    ({"exploy_version": '"1"', "output.joint_targets.j": '{"names": 3}'}, "has no list 'names'"),
])
def test_broken_metadata_of_other_makers_are_refused(props: dict[str, str], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        foreign_metadata.read(props, ["output.joint_targets.j.pos"])


def test_what_nobody_wrote_says_nothing() -> None:
    assert foreign_metadata.read({"author": "me"}, ["action"]) == []
