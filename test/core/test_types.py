"""Observations, actions and plants: what is refused, and what survives being written down."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace, Cause, PlantSpec

PAD = ActionSpace(("LEFT", "RIGHT", "A+RIGHT", "NOOP"), (3.0,))
ARM = ActionSpace(("j1", "j2"), (0.0, 0.5), (-1.0, 0.1), (1.0, 2.0))

NUMBERS = st.floats(allow_nan=False, width=64)
LABELS = st.lists(st.from_regex(r"[^\s:=]+", fullmatch=True), min_size=1, max_size=5, unique=True)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[float, float]:
    low, high = sorted(draw(st.lists(NUMBERS, min_size=2, max_size=2, unique=True)))
    return low, high


@st.composite
def observation_specs(draw: st.DrawFn) -> ObservationSpec:
    shape = draw(st.lists(st.integers(1, 300), min_size=1, max_size=4))
    low, high = draw(ranges())
    return ObservationSpec(tuple(shape), draw(st.sampled_from(["uint8", "float32"])), low, high)


@st.composite
def action_spaces(draw: st.DrawFn) -> ActionSpace:
    labels = tuple(draw(LABELS))
    if draw(st.booleans()):
        return ActionSpace(labels, (float(draw(st.integers(0, len(labels) - 1))),))
    limits = [draw(ranges()) for _ in labels]
    noop = tuple(draw(st.floats(*each, allow_infinity=False)) for each in limits)
    return ActionSpace(labels, noop, tuple(low for low, _ in limits),
                       tuple(high for _, high in limits))


@given(observation_specs())
def test_an_observation_spec_is_read_back_exactly(spec: ObservationSpec) -> None:
    assert ObservationSpec.parse(str(spec)) == spec


@given(action_spaces())
def test_an_action_space_is_read_back_exactly(space: ActionSpace) -> None:
    assert ActionSpace.parse(str(space)) == space


def test_specs_are_written_short() -> None:
    assert str(ObservationSpec((1, 84, 84), "uint8", 0.0, 255.0)) == "uint8[1,84,84] 0:255"
    assert str(PAD) == "LEFT RIGHT A+RIGHT NOOP = NOOP"
    assert str(ARM) == "j1:-1:1 j2:0.1:2 = 0 0.5"


def test_a_limit_that_six_digits_cannot_hold_is_written_in_full() -> None:
    space = ActionSpace(("yaw",), (0.0,), (-math.pi,), (math.pi,))
    assert str(space) == "yaw:-3.141592653589793:3.141592653589793 = 0"


@pytest.mark.parametrize("text", [
    "", "uint8", "int8[3] 0:1", "uint8[] 0:1", "uint8[,] 0:1", "uint8[1,,2] 0:1", "uint8[3] 0",
    "uint8[3] a:b", "uint8[3] 0:1:2", "uint8[3] nan:1", "uint8[3] 1:1", "uint8[3] 2:1",
    "uint8[0] 0:1", "uint8[-1] 0:1"])
def test_a_bad_observation_spec_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="observation"):
        ObservationSpec.parse(text)


def test_an_unreadable_observation_spec_is_named_with_an_example() -> None:
    with pytest.raises(ConfigError, match=r"'nonsense': write it like 'uint8\[1,84,84\] 0:255'"):
        ObservationSpec.parse("nonsense")


@pytest.mark.parametrize("text", [
    "", "=", "A B", "A B = C", "A A = A", "= A", "vx:-1 = 0", "vx:-1:1:5 = 0", "vx:1:1 = 0",
    "vx:1:1 = 1", "vx:nan:1 = 0", "vx:-1:1 = 2", "vx:-1:1 = 0 0", "vx:-1:1 = x",
    "vx:-1:1 wz = 0 0", "vx:-1:1"])
def test_a_bad_action_space_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="action"):
        ActionSpace.parse(text)


@pytest.mark.parametrize("label", ["", "A B", "A:B", "A=B", "A\n"])
def test_a_label_that_could_not_be_read_back_is_refused(label: str) -> None:
    with pytest.raises(ConfigError, match="action labels"):
        ActionSpace((label, "NOOP"), (1.0,))


def test_limits_must_fit_the_labels() -> None:
    with pytest.raises(ConfigError, match="do not fit the labels"):
        ActionSpace(("a", "b"), (0.0, 0.0), (-1.0,), (1.0,))
    with pytest.raises(ConfigError, match="do not fit the labels"):
        ActionSpace(("a",), (0.0,), (-1.0,), ())


def test_a_noop_outside_the_space_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no-op action \(2\.0,\) is out_of_range"):
        ActionSpace(("A", "B"), (2.0,))


@pytest.mark.parametrize(("shape", "dtype", "image"), [
    ((1, 84, 84), "uint8", True), ((3, 84, 84), "uint8", True), ((4, 84, 84), "uint8", False),
    ((84, 84), "uint8", False), ((1, 84, 84), "float32", False), ((7,), "float32", False)])
def test_one_plane_or_three_of_bytes_are_an_image(
        shape: tuple[int, ...], dtype: str, image: bool) -> None:
    assert ObservationSpec(shape, dtype, 0.0, 1.0).is_image is image


@pytest.mark.parametrize(("action", "problem"), [
    ((0.0,), None), ((3.0,), None), ((4.0,), "out_of_range"), ((-1.0,), "out_of_range"),
    ((0.5,), "malformed"), ((), "malformed"), ((0.0, 0.0), "malformed"),
    ((math.nan,), "non_finite"), ((math.inf,), "non_finite")])
def test_discrete_actions_are_judged(action: tuple[float, ...], problem: str | None) -> None:
    assert PAD.problem(action) == problem


@pytest.mark.parametrize(("action", "problem"), [
    ((0.0, 0.5), None), ((-1.0, 0.1), None), ((1.0, 2.0), None), ((1.001, 1.0), "out_of_range"),
    ((0.0, 0.099), "out_of_range"), ((0.0,), "malformed"), ((0.0, 1.0, 1.0), "malformed"),
    ((0.0, math.nan), "non_finite"), ((-math.inf, 1.0), "non_finite")])
def test_continuous_actions_are_judged(action: tuple[float, ...], problem: str | None) -> None:
    assert ARM.problem(action) == problem


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 0.0)])
def test_a_limit_of_zero_is_exact(low: float, high: float) -> None:
    space = ActionSpace(("v",), (low,), (low,), (high,))
    assert space.problem((0.0,)) is None
    assert space.problem((1e-9 if high == 0.0 else -1e-9,)) == "out_of_range"


@given(st.floats(0.001, 1e6))
def test_an_action_at_its_limit_survives_the_float32_of_joy(limit: float) -> None:
    space = ActionSpace(("v",), (0.0,), (-limit,), (limit,))
    for value in (limit, -limit):
        [travelled] = struct.unpack("f", struct.pack("f", value))
        assert space.problem((travelled,)) is None
        assert space.problem((value * 1.000001,)) == "out_of_range"


def test_kind_and_size() -> None:
    assert PAD.discrete
    assert PAD.size == 4
    assert not ARM.discrete
    assert ARM.size == 2


@pytest.mark.parametrize("period_ns", [0, -1])
def test_a_plant_that_never_ticks_is_refused(period_ns: int) -> None:
    with pytest.raises(ConfigError, match=f"plant 'p': period_ns {period_ns}"):
        PlantSpec("p", period_ns, ObservationSpec((1,), "uint8", 0, 1), PAD)
    assert PlantSpec("p", 1, ObservationSpec((1,), "uint8", 0, 1), PAD).period_ns == 1


def test_the_numbers_of_causes_are_in_recorded_bags() -> None:
    assert {cause.name: cause.value for cause in Cause} == {
        "NONE": 0, "POLICY": 1, "DEFAULT": 2, "OPERATOR": 3, "STOP": 4}
