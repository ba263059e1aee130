"""Policies that take several parts of an observation, each as an input of its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from policies.conftest import Write
from policies.tiny_policies import BUTTONS, IMAGE, VECTOR, joiner, metadata, model

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.observations import ObservationParts, observed, parse, stacked
from realtime_rl.policies.onnx_policy import OnnxPolicy

BOTH = parse("front=uint8[1,2,2] 0:255; arm=float32[3] -1:1 j1,j2,j3")


def seen(front: int, arm: float) -> Any:
    return observed(BOTH, {"front": np.full((1, 2, 2), front), "arm": np.full(3, arm)})


def about(**changes: Any) -> Any:
    return metadata(**{"input_name": "front arm", "observation": BOTH, "stack": 1, **changes})


@pytest.mark.parametrize("said", [True, False])
def test_inputs_take_the_parts_of_their_names_in_any_order(write: Write, said: bool) -> None:
    policy = OnnxPolicy.load(write(joiner(), about() if said else None), (BOTH, BUTTONS))
    assert policy.infer(seen(2, 0.5)).tolist() == [8, 1.5, 0]
    assert bool(policy.warnings) is not said


def test_each_part_is_stacked_by_itself(write: Write) -> None:
    policy = OnnxPolicy.load(write(joiner(stack=2), about(stack=2)), (BOTH, BUTTONS))
    assert policy.infer(stacked([seen(1, 0.0), seen(2, 1.0)])).tolist() == [12, 3, 0]


def test_metadata_may_give_parts_inputs_of_other_names(write: Write) -> None:
    path = write(joiner(("pixels", "x")), about(input_name="pixels x"))
    assert OnnxPolicy.load(path, (BOTH, BUTTONS)).infer(seen(1, 1.0)).tolist() == [4, 3, 0]


def test_an_input_of_another_name_takes_the_only_part_that_fits(write: Write) -> None:
    path = write(joiner(("pixels", "x")))
    assert OnnxPolicy.load(path, (BOTH, BUTTONS)).infer(seen(1, 1.0)).tolist() == [4, 3, 0]


def test_what_fits_several_parts_is_refused_with_their_names(write: Write) -> None:
    twice = parse("left=float32[3] -1:1; right=float32[3] -1:1")
    path = write(model(VECTOR, 1, np.eye(3)))
    with pytest.raises(PolicyError, match=r"'x'.* 2 others fit: .*'left', 'right'"):
        OnnxPolicy.load(path, (twice, BUTTONS))


def test_a_policy_may_take_some_of_the_parts_only(write: Write) -> None:
    path = write(model(VECTOR, 1, np.eye(3)), metadata(
        input_name="x", observation=replace(VECTOR, name="arm"), stack=1))
    assert OnnxPolicy.load(path, (BOTH, BUTTONS)).infer(seen(9, 0.5)).tolist() == [0.5, 0.5, 0.5]


def test_another_order_of_joints_is_refused_with_both(write: Write) -> None:
    other = parse("front=uint8[1,2,2] 0:255; arm=float32[3] -1:1 j2,j1,j3")
    with pytest.raises(PolicyError, match=r"-1:1 j2,j1,j3', the plant gives .* -1:1 j1,j2,j3'"):
        OnnxPolicy.load(write(joiner(), about(observation=other)), (BOTH, BUTTONS))


def test_a_policy_that_does_not_name_its_joints_fits(write: Write) -> None:
    unnamed = parse("front=uint8[1,2,2] 0:255; arm=float32[3] -1:1")
    OnnxPolicy.load(write(joiner(), about(observation=unnamed)), (BOTH, BUTTONS))


@pytest.mark.parametrize("given", ["one", "unlike"])
def test_other_observations_are_refused_when_they_come(write: Write, given: str) -> None:
    policy = OnnxPolicy.load(write(joiner(), about()), (BOTH, BUTTONS))
    shown = {"one": np.zeros((1, 2, 2), np.uint8), "unlike": stacked([seen(1, 1.0)] * 2)}[given]
    with pytest.raises(PolicyError, match=r"takes .*, not an observation of shape"):
        policy.infer(shown)


def test_more_inputs_than_parts_are_refused(write: Write) -> None:
    with pytest.raises(PolicyError, match=r"its input 'arm', .*none of them fits"):
        OnnxPolicy.load(write(joiner()), (IMAGE, BUTTONS))
    with pytest.raises(PolicyError, match="it takes observations 'arm="):
        OnnxPolicy.load(write(joiner(), about()), (
            ObservationParts((replace(IMAGE, name="front"), VECTOR)), BUTTONS))


def test_one_part_of_several_has_any_name_where_the_plant_has_one(write: Write, tmp_path: Path
                                                                  ) -> None:
    path = write(model(VECTOR, 1, np.eye(3)), metadata(
        input_name="x", observation=replace(VECTOR, name="arm"), stack=1))
    assert OnnxPolicy.load(path, (VECTOR, BUTTONS)).infer(np.ones(3, np.float32)).tolist() == [
        1, 1, 1]
