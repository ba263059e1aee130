"""What a policy file says about itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace

IMAGE = PolicyMetadata(
    input_name="observation", observation=ObservationSpec((1, 84, 84), "uint8", 0, 255), stack=4,
    actions=ActionSpace(("A", "LEFT", "NOOP"), (2.0,)), version=17, training_step=1200,
    epsilon=0.25, producer="realtime_rl", outputs="q_values")
VECTOR = PolicyMetadata(
    input_name="x", observation=ObservationSpec((3,), "float32", -1, 1), stack=2,
    actions=ActionSpace(("torque",), (0.0,), (-2.0,), (2.0,)), version=0, training_step=0,
    epsilon=0.1 + 0.2, producer="me", outputs="action")


@pytest.mark.parametrize("metadata", [IMAGE, VECTOR])
def test_what_is_written_is_read(metadata: PolicyMetadata) -> None:
    assert PolicyMetadata.from_props(metadata.to_props()) == metadata


def test_a_history_is_written_and_files_from_before_it_have_none() -> None:
    told = replace(IMAGE, action_history=6, chunk=9, max_prefix=8)
    assert PolicyMetadata.from_props(told.to_props()) == told
    props = IMAGE.to_props()
    del props["realtime_rl.action_history"], props["realtime_rl.max_prefix"]
    assert PolicyMetadata.from_props(props) == IMAGE


def test_keys_have_the_prefix_and_others_are_passed_over() -> None:
    props = IMAGE.to_props()
    assert all(key.startswith("realtime_rl.") for key in props)
    assert PolicyMetadata.from_props({**props, "author": "someone"}) == IMAGE


def test_the_inputs_are_those_of_the_parts() -> None:
    assert IMAGE.inputs == {"observation": IMAGE.observation}
    assert IMAGE.observation.stacked_shape(IMAGE.stack) == (4, 84, 84)
    assert VECTOR.observation.stacked_shape(VECTOR.stack) == (6,)


def test_a_file_that_says_nothing_has_no_metadata() -> None:
    assert PolicyMetadata.from_props({"author": "someone"}) is None


@pytest.mark.parametrize(("change", "message"), [
    ({"stack": None}, "lacks stack"),
    ({"stack": "four"}, "'four'"),
    ({"stack": "0"}, "stack 0 must be 1 or more"),
    ({"version": "-1"}, "version -1"),
    ({"action_history": "-1"}, "action_history -1 must not be negative"),
    ({"action_history": "x"}, "'x'"),
    ({"epsilon": "nan"}, "epsilon nan"),
    ({"observation": "uint8"}, "observation spec 'uint8'"),
    ({"actions": "A B = C"}, "action space 'A B = C'"),
    ({"max_prefix": "4", "chunk": "4"}, "max_prefix 4 is outside 0 … 3"),
    ({"max_prefix": "-1"}, "max_prefix -1 is outside"),
    ({"outputs": "logits"}, "outputs 'logits' is not one of 'action', 'gaussian_tanh', 'q_values'"),
])
def test_bad_pairs_are_refused(change: dict[str, str | None], message: str) -> None:
    props: dict[str, Any] = IMAGE.to_props()
    for name, value in change.items():
        props[f"realtime_rl.{name}"] = value
    kept = {key: value for key, value in props.items() if value is not None}
    with pytest.raises(PolicyError, match=message):
        PolicyMetadata.from_props(kept)


def test_values_of_choices_need_choices() -> None:
    with pytest.raises(PolicyError, match="need a discrete action space"):
        replace(VECTOR, outputs="q_values")
