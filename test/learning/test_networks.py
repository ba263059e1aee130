"""Networks by name."""

from __future__ import annotations

import pytest
import torch
from learning.tiny_transitions import BUTTONS, IMAGE, VECTOR, WHEELS

from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace
from realtime_rl.learning.bodies import Keypoints
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.networks import build, flat, parameter_count

GAME_BOY = ActionSpace(("A", "B", "LEFT", "UP", "RIGHT", "DOWN", "NOOP"), (6.0,))


@pytest.mark.parametrize(("name", "observation", "stack", "count"), [
    ("small", IMAGE, 4, 344_000),
    ("keypoints", IMAGE, 4, 11_059),
    ("nature", IMAGE, 4, 1_685_000),
    ("impala", IMAGE, 1, 902_000),
    ("impala_deep", IMAGE, 1, 1_287_000),
    ("mlp", IMAGE, 1, 456_000),
    ("mlp", VECTOR, 2, 4_800),
])
def test_shapes_and_sizes(name: str, observation: ObservationSpec, stack: int, count: int) -> None:
    network = build(name, observation, stack, BUTTONS, seed=0)
    shape = (5, stack * observation.shape[0], *observation.shape[1:])
    assert network(torch.zeros(shape, dtype=getattr(torch, observation.dtype))).shape == (5, 3)
    assert parameter_count(network) == pytest.approx(count, rel=0.01)


@pytest.mark.parametrize("name", ["nature", "impala", "impala_deep"])
def test_width_multiplies_the_filters(name: str) -> None:
    one, three = (build(f"{name}:{width}", IMAGE, 1, BUTTONS, 0) for width in (1, 3))
    convolution = "body.0.0.weight"
    assert one.state_dict()[convolution].shape[0] == 16
    assert three.state_dict()[convolution].shape[0] == 48


@pytest.mark.parametrize(("name", "count"), [
    ("impala:1/16", 55e3), ("impala:1", 0.9e6), ("impala:7", 10.4e6), ("impala:29", 104.7e6),
    ("impala:98", 1.0e9), ("impala_deep:1/16", 70e3), ("impala_deep:1", 1.3e6),
    ("impala_deep:5", 11e6), ("impala_deep:19", 105e6), ("impala_deep:63", 1.0e9),
    ("nature:2", 1.68e6)])
def test_the_papers_sizes_and_that_none_is_allocated(name: str, count: float) -> None:
    network = build(name, IMAGE, 1, GAME_BOY, 0, device="meta")
    assert parameter_count(network) == pytest.approx(count, rel=0.015)
    assert all(weights.is_meta for weights in network.parameters())


def test_meta_networks_count_what_real_ones_have() -> None:
    for name in ("small", "keypoints", "nature:1/4", "impala:1/8", "impala_deep:1/8", "mlp"):
        real, counted = (build(name, IMAGE, 4, BUTTONS, 0, device=device)
                         for device in ("cpu", "meta"))
        assert parameter_count(counted) == parameter_count(real)


def test_a_width_may_be_a_fraction_and_rounds_filters_down() -> None:
    widths = [build(f"impala:{width}", IMAGE, 1, BUTTONS, 0, device="meta")
              .state_dict()["body.0.0.weight"].shape[0] for width in ("1/8", "0.125", "0.18", "2")]
    assert widths == [2, 2, 2, 32]


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


def test_keypoints_are_where_the_maps_are_brightest() -> None:
    maps = torch.zeros(2, 3, 5, 9)
    maps[0, 0, 1, 8] = maps[0, 1, 4, 0] = maps[1, 2, 2, 2] = 50.0
    found = Keypoints(3)(maps)
    assert torch.allclose(found[0], torch.tensor([1.0, -1.0, 0.0, -0.5, 1.0, 0.0]), atol=1e-6)
    assert torch.allclose(found[1], torch.tensor([0.0, 0.0, -0.5, 0.0, 0.0, 0.0]), atol=1e-6)


def test_continuous_actions_stay_within_their_limits() -> None:
    network = build("mlp", VECTOR, 1, WHEELS, 0)
    actions = network(1000 * torch.randn(100, 3))
    assert actions.shape == (100, 2)
    assert bool((actions >= torch.tensor(WHEELS.low)).all())
    assert bool((actions <= torch.tensor(WHEELS.high)).all())


@pytest.mark.parametrize(("observation", "name"), [
    (IMAGE, "small"), (ObservationSpec((1, 20, 20), "uint8", 0, 255), "small"),
    (ObservationSpec((1, 19, 20), "uint8", 0, 255), "mlp"), (VECTOR, "mlp"),
    (ObservationSpec((12,), "uint8", 0, 255), "mlp")])
def test_a_network_that_nobody_chose_follows_from_the_observation(
    observation: ObservationSpec, name: str
) -> None:
    config = DqnConfig().for_observation(observation)
    assert config.network == name
    chosen, named = (build(each, observation, 2, BUTTONS, 3) for each in ("auto", name))
    assert torch.equal(flat(chosen), flat(named))
    assert DqnConfig(network="nature").for_observation(observation).network == "nature"


@pytest.mark.parametrize(("name", "observation", "message"), [
    ("tiny", IMAGE, "network 'tiny' is not one of 'auto', 'impala', 'impala_deep', 'keypoints'"),
    ("impala:0", IMAGE, "network 'impala:0' is not one of"),
    ("impala:x", IMAGE, "network 'impala:x' is not one of"),
    ("impala:", IMAGE, "network 'impala:' is not one of"),
    ("impala:1/0", IMAGE, "network 'impala:1/0' is not one of"),
    ("impala:-1", IMAGE, "network 'impala:-1' is not one of"),
    ("impala:1/32", IMAGE, "width of 1/32 leaves none of 16 filters"),
    ("impala_deep", ObservationSpec((1, 20, 20), "uint8", 0, 255), "too small"),
    ("nature", VECTOR, r"takes images, not .* 'float32\[3\] 0:1'; set learner.network=mlp"),
    ("nature", ObservationSpec((1, 9, 9), "uint8", 0, 255), "too small"),
])
def test_what_cannot_be_built_is_refused(
    name: str, observation: ObservationSpec, message: str
) -> None:
    with pytest.raises(LearningError, match=message):
        build(name, observation, 1, ActionSpace(("A", "B"), (0.0,)), 0)
