"""Observations of one part and of several: their texts, and arrays with and without fields."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core import observations as obs
from realtime_rl.core.errors import ConfigError, PlantError
from realtime_rl.core.observations import ObservationParts, ObservationSpec

NAMES = st.from_regex(r"[A-Za-z]([A-Za-z0-9]|_(?=[A-Za-z0-9])){0,10}", fullmatch=True)
ELEMENTS = st.lists(st.from_regex(r"[^\s,;=]{1,6}", fullmatch=True), max_size=4, unique=True)


@st.composite
def specs(draw: st.DrawFn, name: str) -> ObservationSpec:
    elements = tuple(draw(ELEMENTS))
    shape = (len(elements),) if elements else tuple(
        draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    low, high = sorted(draw(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=2,
                                     unique_by=lambda value: value + 0.0)))
    return ObservationSpec(shape, draw(st.sampled_from(["uint8", "float32"])), low, high, name,
                           elements)


@st.composite
def all_parts(draw: st.DrawFn) -> obs.Observations:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return obs.of_parts([draw(specs(name)) for name in names])


@given(all_parts())
def test_a_text_says_what_an_observation_is(spec: obs.Observations) -> None:
    assert obs.parse(str(spec)) == spec


def test_one_part_without_a_name_is_written_as_ever() -> None:
    spec = ObservationSpec((1, 84, 84), "uint8", 0, 255)
    assert str(spec) == "uint8[1,84,84] 0:255"
    assert (spec.parts, spec.name) == ((spec,), "observation")


@pytest.mark.parametrize("text", [
    "", "uint8[1] 0:1;", "a=uint8[1] 0:1; a=uint8[1] 0:1", "2a=uint8[1] 0:1", "a__b=uint8[1] 0:1",
    "a b=uint8[1] 0:1", "_a=uint8[1] 0:1", "a=uint8[2] 0:1 x", "a=uint8[2] 0:1 x,x",
    "a=uint8[1,2] 0:1 x,y", "a=uint8[1] 0:1 x y", f"{'a' * 65}=uint8[1] 0:1"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        obs.parse(text)


def test_elements_fit_those_that_nobody_named() -> None:
    named, unnamed, other = (obs.parse(f"arm=float32[2] -1:1{end}").parts[0]
                             for end in (" a,b", "", " b,a"))
    assert named.fits(unnamed) and unnamed.fits(named) and named.fits(named)
    assert not named.fits(other)
    assert not named.fits(obs.parse("arm=float32[2] -1:2 a,b").parts[0])


def random(part: ObservationSpec, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 200, part.shape).astype(part.dtype)


@given(all_parts(), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_stacks_are_of_each_part(spec: obs.Observations, rows: int, stack: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [obs.observed(spec, {part.name: random(part, rng) for part in spec.parts})
              for _ in range(rows * stack)]
    batch = obs.stacked(frames, rows)
    assert len(batch) == rows
    for place, part in enumerate(spec.parts):
        shown = obs.split(batch)[place]
        assert shown.shape == (rows, *part.stacked_shape(stack))
        for row in range(rows):
            one = obs.stacked(frames[row * stack:(row + 1) * stack])
            assert np.array_equal(obs.split(one)[place], shown[row])
    assert obs.array_dtype(spec) == (frames[0].dtype, frames[0].shape)


def test_equal_observations_have_equal_bytes() -> None:
    spec = obs.parse("a=uint8[3] 0:1; b=float32[1] 0:1")
    values = {"a": np.ones(3), "b": np.ones(1)}
    one, other = obs.observed(spec, values), obs.observed(spec, values)
    assert np.array_equal(one, other) and one.tobytes() == other.tobytes()
    assert not np.array_equal(one, obs.observed(spec, {**values, "b": np.zeros(1)}))


def test_one_part_stays_the_array_that_it_is() -> None:
    value = np.zeros((1, 2, 2), np.uint8)
    assert obs.observed(ObservationSpec((1, 2, 2), "uint8", 0, 1), {"observation": value}) is value
    assert obs.split(value) == (value,)


@pytest.mark.parametrize(("values", "message"), [
    ({"a": np.zeros(2)}, "the parts 'a', not 'a', 'b'"),
    ({"a": np.zeros(2), "b": np.zeros(1), "c": np.zeros(1)}, "the parts 'a', 'b', 'c', not"),
    ({"a": np.zeros(2), "b": np.zeros(3)}, r"'b' has shape \(3,\), not \(1,\)")])
def test_other_values_are_refused(values: dict[str, np.ndarray], message: str) -> None:
    spec = obs.parse("a=uint8[2] 0:1; b=float32[1] 0:1")
    with pytest.raises(PlantError, match=message):
        obs.observed(spec, values)


def test_two_parts_at_least_are_several() -> None:
    with pytest.raises(ConfigError):
        ObservationParts((ObservationSpec((1,), "uint8", 0, 1),))
