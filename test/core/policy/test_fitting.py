"""How a graph is matched with a plant: by what is said, by names, by the only way; else refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_metadata import PREFIX, PolicyMetadata
from realtime_rl.core.observations import Observations, parse
from realtime_rl.core.policy import said
from realtime_rl.core.policy.fitting import Fitted, fit
from realtime_rl.core.policy.said import Said, merge, of_words
from realtime_rl.core.policy.tensors import Graph, Tensor
from realtime_rl.core.types import ActionSpace

FLOAT, BYTE, LONG = "tensor(float)", "tensor(uint8)", "tensor(int64)"
CHOICES = ActionSpace.parse("A B C = A")
WHEELS = ActionSpace.parse("vx:-1:1 wz:-2:2 = 0 0")
SEEN = parse("front=uint8[3,8,8] 0:255; state=float32[4] -1:1")
NOTHING = Said("nobody")


def graph(inputs: dict[str, Any], outputs: dict[str, Any], **props: str) -> Graph:
    def tensors(given: dict[str, Any]) -> tuple[Tensor, ...]:
        return tuple(Tensor(name, *(each if isinstance(each, tuple) else (FLOAT, each)))
                     for name, each in given.items())
    return Graph(tensors(inputs), tensors(outputs),
                 {PREFIX + key: value for key, value in props.items()})


def fitted(inputs: dict[str, Any], outputs: dict[str, Any], *, said: Said = NOTHING,
           observation: Observations = SEEN, actions: ActionSpace = WHEELS, **more: Any) -> Fitted:
    return fit(graph(inputs, outputs), (observation, actions), said, **more)


def words(**changes: Any) -> Said:
    return of_words(said.PARAMETERS, **changes)


ACTING = {"action": [1, 2]}
TAKING = {"state": [1, 4]}


@given(st.permutations(["a", "b", "c"]), st.permutations([3, 4, 5]))
def test_sizes_that_differ_match_whatever_the_order(names: list[str], sizes: list[int]) -> None:
    parts = parse("; ".join(f"p{size}=float32[{size}] -1:1" for size in sizes))
    found = fitted({name: [1, size + 1] for name, size in zip(names, [2, 3, 4], strict=True)},
                   ACTING, observation=parts)
    assert {each.name: each.shape for each in found.inputs} == {
        name: (size + 1,) for name, size in zip(names, [2, 3, 4], strict=True)}


@given(st.permutations(["left", "right"]))
def test_equal_sizes_are_told_apart_by_names_alone(names: list[str]) -> None:
    parts = parse("left=float32[4] -1:1; right=float32[4] -1:1")
    assert [each.place for each in fitted({name: [1, 4] for name in names}, ACTING,
                                          observation=parts).inputs] == [
        ["left", "right"].index(name) for name in names]
    told = words(inputs=[f"x={names[0]}", f"y={names[1]}"])
    assert [each.place for each in fitted({"x": [1, 4], "y": [1, 4]}, ACTING, observation=parts,
                                          said=told).inputs] == [
        ["left", "right"].index(name) for name in names]
    with pytest.raises(PolicyError, match=r"2 others fit: say which .* 'left', 'right'"):
        fitted({"x": [1, 4], "y": [1, 4]}, ACTING, observation=parts)


def test_what_is_normalised_without_the_file_saying_so_is_told() -> None:
    (warning,) = fitted(TAKING, ACTING, said=words(normalize=["state mean=1"])).warnings
    assert warning.endswith("; normalised are 'state'")
    (plain,) = fitted(TAKING, ACTING).warnings
    assert "normalised" not in plain


def test_one_that_fits_two_is_given_what_the_other_leaves() -> None:
    parts = parse("a=float32[4] -1:1; b=float32[3] -1:1")
    found = fitted({"open": [1, "n"], "three": [1, 3]}, ACTING, observation=parts)
    assert [(each.name, each.place) for each in found.inputs] == [("open", 0), ("three", 1)]


@pytest.mark.parametrize(("inputs", "changes", "message"), [
    ({"obs": [1, 12]}, {"observation": parse("float32[6] -1:1")},
     "a stack of 2 observations, set"),
    ({"obs": [1, 3, 96, 96]}, {"observation": parse("uint8[1,96,96] 0:255")},
     "a stack of 3 observations, set"),
    ({"obs": [8, 4]}, {"observation": parse("float32[4] -1:1")}, "its batch is fixed to 8"),
    ({"obs": (BYTE, [1, 4])}, {"observation": parse("float32[4] -1:1")}, "the plant gives float32"),
    ({"state": [1, 4], "more": [1, 2]}, {}, r"'more', .* none of them fits: say which"),
    ({"x": [1, 4]}, {"said": words(inputs=["x=arm"])}, "'x' is to take 'arm', .* 'front', 'state'"),
    ({"state": [1, 4]}, {"said": words(inputs=["x=state"])}, "inputs name 'x', but its inputs are"),
    ({"state": [1, 4]}, {"said": words(constants=["x=1"])}, "constants name 'x'"),
    ({"state": [1, 4]}, {"said": words(normalize=["arm mean=1"])},
     "normalisation of 'arm': neither"),
    ({"state": [1, 4]}, {"said": words(normalize=["state mean=1,2"])}, "2 values of mean for 4"),
    ({"state": (LONG, [1, 4])}, {"said": words(normalize=["state mean=1"])}, "would be cut off"),
    ({"front": [1, 8, 8, 3]}, {}, "its channels are last; .* policy_layout=nhwc"),
    ({"front": [1, 3, 8, 8]}, {"said": words(layout="nhwc")}, "channels last, as is said"),
    ({"h_in": [1, 4]}, {"outputs": {"h_out": [1, 4], **ACTING}}, "none of its inputs"),
    ({"state": [1, 4], "h_in": [1, 4]}, {"outputs": {"h_out": [1, 5], **ACTING}},
     "its state 'h_in', .* does not fit the output 'h_out'"),
    ({"state": [1, 4], "h": [1, 4]}, {"said": words(inputs=["h=output:hy"])},
     "'h' is to take output 'hy', but its outputs are 'action'"),
])
def test_what_is_not_clear_or_does_not_fit_is_refused(
    inputs: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    outputs = changes.pop("outputs", ACTING) if "outputs" in changes else ACTING
    with pytest.raises(PolicyError, match=message):
        fitted(inputs, outputs, **changes)


@pytest.mark.parametrize(("outputs", "actions", "told", "kind"), [
    ({"x": [1, 3]}, CHOICES, NOTHING, "values"),
    ({"x": (LONG, ["b"]), "v": [1, 1]}, CHOICES, NOTHING, "index"),
    ({"x": (LONG, [])}, CHOICES, NOTHING, "index"),
    ({"action": [1, 2], "other": [1, 2]}, WHEELS, NOTHING, "values"),
    ({"x": [1, 2], "value": [1, 1], "log_prob": [1]}, WHEELS, NOTHING, "values"),
    ({"x": [1, 2], "value": [1, 2]}, WHEELS, NOTHING, "values"),
    ({"mean": [1, 2], "log_std": [1, 2]}, WHEELS, words(output="gaussian_tanh"), "gaussian_tanh"),
    ({"x": [1, 4]}, WHEELS, words(output="gaussian_tanh"), "gaussian_tanh"),
    ({"y": [1, 2], "x": [1, 2]}, WHEELS, words(output="x"), "values"),
    ({"y": [1, 2], "x": [1, 2]}, WHEELS, words(output="x gaussian_tanh"), "gaussian_tanh"),
])
def test_the_output_that_acts_is_the_only_one_that_can(
    outputs: dict[str, Any], actions: ActionSpace, told: Said, kind: str
) -> None:
    reading = fitted(TAKING, outputs, said=told, actions=actions).reading
    assert reading.kind == kind
    assert reading.output in ("x", "action", "mean")
    assert set(reading.unused) == set(outputs) - {reading.output}


@pytest.mark.parametrize(("outputs", "actions", "told", "message"), [
    ({"x": [1, 2], "y": [1, 2]}, WHEELS, NOTHING, r"'x', 'y': say which: policy_output=x"),
    ({"mean": [1, 2], "log_std": [1, 2]}, WHEELS, NOTHING, "or through tanh"),
    ({"x": [1, 3], "y": [1, 5]}, WHEELS, NOTHING, "none of its outputs fits"),
    ({"x": [1, 3]}, WHEELS, NOTHING, r"has shape \[1, 3\], the plant's actions need \[1, 2\]"),
    ({"x": [50, 2]}, WHEELS, NOTHING, r"has shape \[50, 2\], .*, or \[1, H, 2\] for a chunk"),
    ({"x": [1, 2000, 2]}, WHEELS, NOTHING, "has 2000 rows, more than 1024"),
    ({"x": [1, 2]}, WHEELS, words(output="y"), "'y' is to act, but its outputs are 'x'"),
    ({"x": [1, 3]}, CHOICES, words(output="gaussian_tanh"), "'gaussian_tanh', which gives values"),
    ({"x": [1, 3]}, CHOICES, words(normalize=["action scale=2"]), "does not go with 'values'"),
    ({"x": [1, 2]}, WHEELS, words(normalize=["action scale=2,2,2"]), "3 values of std for 2"),
    ({"x": [1, 2]}, WHEELS, words(chunk_period_ns=1), "it gives single actions"),
    ({"x": [1, 9, 3]}, CHOICES, words(chunk_period_ns=1), "between two choices there is nothing"),
    ({"x": [1, 2]}, WHEELS, Said("them", joints=("wz", "vx")),
     "them say its actions are 'wz', 'vx'"),
    ({"x": [1, 2]}, WHEELS, Said("them", joints=("vx", "vy")), "'vx', 'vy', the plant takes"),
    ({"x": [1, 2]}, WHEELS, Said("them", terms=(("a", 3), ("b", 2))), "5 values .*'state' takes 4"),
])
def test_outputs_that_are_not_clear_are_refused(
    outputs: dict[str, Any], actions: ActionSpace, told: Said, message: str
) -> None:
    with pytest.raises(PolicyError, match=message):
        fitted(TAKING, outputs, said=told, actions=actions)


def test_a_chunk_is_read_row_by_row() -> None:
    reading = fitted(TAKING, {"x": [1, 3, 2]}, said=words(
        normalize=["action scale=2 offset=1"])).reading
    assert reading.horizon == 3
    assert reading.read(np.arange(6, dtype=np.float16).reshape(1, 3, 2)).tolist() == [
        [1, 3], [5, 7], [9, 11]]
    bad = np.zeros((1, 3, 2), np.float32)
    bad[0, 1, 1] = math.nan
    with pytest.raises(PolicyError, match="non-finite outputs: row 1 of 3"):
        reading.read(bad)
    with pytest.raises(PolicyError, match=r"shape \[1, 2, 2\], .* need \[1, 3, 2\]"):
        reading.read(np.zeros((1, 2, 2), np.float32))


def test_a_gaussians_mean_acts_through_tanh_between_the_limits() -> None:
    reading = fitted(TAKING, {"x": [1, 4]}, said=words(output="gaussian_tanh")).reading
    found = reading.read(np.array([[0.0, 0.5, 9.0, 9.0]], np.float32))
    assert found.tolist() == pytest.approx([0.0, 2 * math.tanh(0.5)])


def test_a_choice_is_its_number() -> None:
    reading = fitted(TAKING, {"x": (LONG, [1])}, actions=CHOICES).reading
    assert reading.read(np.array([2])).tolist() == [0, 0, 1]
    with pytest.raises(PolicyError, match=r"gives choice \[3\], the plant takes 0 … 2"):
        reading.read(np.array([3]))


def test_metadata_and_shape_of_a_chunk_must_agree() -> None:
    about = PolicyMetadata("state", parse("state=float32[4] -1:1"), 1, WHEELS, 1, 0, 0.0, "me",
                           "action", chunk=4)
    for rows, good in ((4, True), ("H", True), (5, False)):
        made = Graph((Tensor("state", FLOAT, (1, 4)),), (Tensor("x", FLOAT, (1, rows, 2)),),
                     about.to_props())
        told = merge([said.from_props(made.props)])
        if good:
            assert fit(made, (SEEN, WHEELS), told).reading.horizon == 4
        else:
            with pytest.raises(PolicyError, match=r"\[1, 5, 2\], its metadata say 'chunk' is 4"):
                fit(made, (SEEN, WHEELS), told)


@pytest.mark.parametrize(("inputs", "message"), [
    ({"inference_delay": [1]}, "without 'prev_chunk'"),
    ({"prev_chunk": [1, 4, 2]}, r"does not take \[1, 3, 2\]"),
    ({"prev_chunk": [1, 3, 2], "prefix_final": [1, 3]}, "does not take a number of rows"),
])
def test_a_prefix_is_whole_or_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        fitted({**TAKING, **inputs}, {"x": [1, 3, 2]})


def test_a_prefix_is_recognised_beside_what_is_seen() -> None:
    found = fitted({**TAKING, "prev_chunk": [1, 3, 2], "inference_delay": (LONG, [1]),
                    "prefix_final": (LONG, [])}, {"x": [1, 3, 2]})
    assert [each.name for each in found.prefix] == ["prev_chunk", "inference_delay",
                                                   "prefix_final"]
    assert [each.name for each in found.inputs] == ["state"]


@pytest.mark.parametrize(("inputs", "words", "message"), [
    ({}, {"max_prefix": 2}, "max_prefix 2, but it has no input 'prev_chunk'"),
    ({"prev_chunk": [1, 3, 2]}, {"chunk_period_ns": 30_000_000}, "rows every 30 ms, .* every 20"),
])
def test_a_prefix_that_cannot_be_fed_is_refused(inputs: dict[str, Any], words: dict[str, int],
                                                message: str) -> None:
    told = of_words(said.METADATA, **words)
    with pytest.raises(PolicyError, match=message):
        fitted({**TAKING, **inputs}, {"x": [1, 3, 2]}, said=told, period_ns=20_000_000)


@pytest.mark.parametrize(("one", "other", "message"), [
    ({"layout": "nhwc"}, {"layout": "nchw"}, "them say layout is 'nhwc', the param.* 'nchw'"),
    ({"normalize": ["a mean=1"]}, {"normalize": ["a mean=2"]}, "normalize of 'a' is 'mean=1'"),
    ({"constants": ["a=1"]}, {"constants": ["a=2"]}, "constants of 'a'"),
    ({"chunk_first_tick": 0}, {"chunk_first_tick": 1}, "chunk_first_tick is '0'"),
])
def test_two_sources_that_differ_are_refused_and_both_named(
    one: dict[str, Any], other: dict[str, Any], message: str
) -> None:
    with pytest.raises(PolicyError, match=message):
        merge([of_words("them", **one), words(**other)])
    assert merge([of_words("them", **one), words(**one)])


@pytest.mark.parametrize(("more", "message"), [
    ({"layout": "hwc"}, "'hwc' is not one of 'nchw', 'nhwc'"),
    ({"inputs": ["x"]}, "'x' must be like 'observation.state=state'"),
    ({"inputs": ["x=a", "x=b"]}, "'x=b' must be like"),
    ({"output": "a b"}, "write the name of one output"),
    ({"constants": ["x=a"]}, "constant 'x': 'a' is no number"),
    ({"normalize": ["a mean=1", "a mean=1"]}, "'a' is normalised twice"),
])
def test_words_that_cannot_be_read_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        words(**more)


@pytest.mark.parametrize(("taken", "values", "message"), [
    ([1, 3], [1.0, 2.0], r"has shape \[2\], its input is 'goal'"),
    ((LONG, [1, 2]), [1.0, 2.5], "int64 cannot hold"),
    ((BYTE, [1, 2]), [1.0, 300.0], "uint8 cannot hold"),
    (("tensor(float16)", [1, 2]), [1.0, 1e9], "not finite as float16"),
    ([1, 2, 2], [1.0, 2.0, 3.0, 4.0], r"has shape \[4\]"),
])
def test_a_constant_that_does_not_fit_is_refused(taken: Any, values: list[float], message: str
                                                 ) -> None:
    with pytest.raises(PolicyError, match=message):
        fitted({**TAKING, "goal": taken}, ACTING,
               said=Said("them", constants={"goal": np.array(values)}))


def test_a_constant_is_cast_and_shaped_for_its_input() -> None:
    found = fitted({**TAKING, "goal": (LONG, [1, 2]), "size": []}, ACTING,
                   said=words(constants=["goal=3,4", "size=7"])).constants
    assert (found["goal"].dtype, found["goal"].tolist(), found["size"].tolist()) == (
        np.int64, [[3, 4]], 7.0)


def test_values_that_are_not_whole_are_not_cut_off() -> None:
    one = fitted({"state": (LONG, [1, 4])}, ACTING).inputs[0]
    assert one.feed(np.array([1, 2, 3, -4], np.float32)).tolist() == [[1, 2, 3, -4]]
    with pytest.raises(PolicyError, match="takes whole numbers, not"):
        one.feed(np.array([1, 2.5, 3, 4], np.float32))
