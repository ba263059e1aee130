"""Networks by name."""

from __future__ import annotations

import pytest
import torch
from learning.tiny_transitions import BUTTONS, IMAGE, VECTOR, WHEELS

from realtime_rl.core.types import ActionSpace, ObservationSpec
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.networks import build, parameter_count


@pytest.mark.parametrize(("name", "observation", "stack", "count"), [
    ("small", IMAGE, 4, 344_000),
    ("nature", IMAGE, 4, 1_685_000),
    ("impala", IMAGE, 1, 1_089_000),
    ("mlp", IMAGE, 1, 456_000),
    ("mlp", VECTOR, 2, 4_800),
])
def test_shapes_and_sizes(name: str, observation: ObservationSpec, stack: int, count: int) -> None:
    network = build(name, observation, stack, BUTTONS, seed=0)
    shape = (5, stack * observation.shape[0], *observation.shape[1:])
    assert network(torch.zeros(shape, dtype=getattr(torch, observation.dtype))).shape == (5, 3)
    assert parameter_count(network) == pytest.approx(count, rel=0.01)


@pytest.mark.parametrize("name", ["nature", "impala"])
def test_width_multiplies_the_filters(name: str) -> None:
    one, three = (build(f"{name}:{width}", IMAGE, 1, BUTTONS, 0) for width in (1, 3))
    convolution = "body.0.0.weight"
    assert one.state_dict()[convolution].shape[0] == 16
    assert three.state_dict()[convolution].shape[0] == 48


def test_the_papers_ten_million() -> None:
    assert parameter_count(build("impala:7", IMAGE, 1, BUTTONS, 0)) == pytest.approx(11e6, rel=0.1)


def test_weights_follow_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = build("mlp", VECTOR, 1, BUTTONS, seed=5).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    same = build("mlp", VECTOR, 1, BUTTONS, seed=5).state_dict()
    other = build("mlp", VECTOR, 1, BUTTONS, seed=6).state_dict()
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_bytes_are_scaled_inside() -> None:
    network = build("small", IMAGE, 1, BUTTONS, 0)
    image = torch.randint(0, 256, (1, 1, 84, 84), dtype=torch.uint8)
    assert torch.allclose(network(image), network.body(image.float() / 255), atol=1e-6)


def test_small_sees_neither_brightness_nor_contrast() -> None:
    network = build("small", IMAGE, 1, BUTTONS, 0)
    image = torch.randint(0, 100, (2, 1, 84, 84)).float()
    assert torch.allclose(network(image), network(2 * image + 30), atol=1e-4)
    assert torch.isfinite(network(torch.zeros(1, 1, 84, 84))).all()  # a black screen


def test_continuous_actions_stay_within_their_limits() -> None:
    network = build("mlp", VECTOR, 1, WHEELS, 0)
    actions = network(1000 * torch.randn(100, 3))
    assert actions.shape == (100, 2)
    assert bool((actions >= torch.tensor(WHEELS.low)).all())
    assert bool((actions <= torch.tensor(WHEELS.high)).all())


@pytest.mark.parametrize(("name", "observation", "message"), [
    ("tiny", IMAGE, "network 'tiny' is not one of 'impala', 'mlp', 'nature', 'small'"),
    ("impala:0", IMAGE, "network 'impala:0' is not one of"),
    ("impala:x", IMAGE, "network 'impala:x' is not one of"),
    ("nature", VECTOR, r"takes images, not observations 'float32\[3\] 0:1'; take 'mlp'"),
    ("nature", ObservationSpec((1, 9, 9), "uint8", 0, 255), "too small"),
])
def test_what_cannot_be_built_is_refused(
    name: str, observation: ObservationSpec, message: str
) -> None:
    with pytest.raises(LearningError, match=message):
        build(name, observation, 1, ActionSpace(("A", "B"), (0.0,)), 0)
