"""Heads: dueling, noisy, distributional."""

from __future__ import annotations

import pytest
import torch
from learning.tiny_transitions import BUTTONS, TINY, VECTOR

from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning.heads import Head, NoisyLinear, acting_weights, draw_noise
from realtime_rl.learning.networks import PolicyNetwork, build

SEEN = torch.eye(3)


def network_of(head: Head, seed: int = 0) -> PolicyNetwork:
    return build("mlp", VECTOR, 1, BUTTONS, seed, head=head)


def test_advantages_move_no_value_and_value_moves_all() -> None:
    network = network_of(Head(dueling=True)).eval()
    streams = network.body[1]
    before = network(SEEN)
    with torch.no_grad():
        streams.advantage[2].bias += 5.0
    assert torch.allclose(network(SEEN), before, atol=1e-5)
    with torch.no_grad():
        streams.value[2].bias += 5.0
    assert torch.allclose(network(SEEN), before + 5.0, atol=1e-5)


def test_the_mean_over_actions_is_the_value() -> None:
    network = network_of(Head(dueling=True)).eval()
    value = network.body[1].value(network.body[0](SEEN))
    assert torch.allclose(network(SEEN).mean(1, keepdim=True), value, atol=1e-6)


@pytest.mark.parametrize("dueling", [False, True])
def test_a_distributional_network_gives_expected_returns(dueling: bool) -> None:
    network = network_of(Head(dueling=dueling, atoms=11, low=-3, high=7)).eval()
    logits = network.logits(SEEN)
    assert logits.shape == (3, 3, 11)
    values = torch.tensor([-3.0 + index for index in range(11)])
    assert torch.allclose(network(SEEN), torch.softmax(logits, 2) @ values, atol=1e-5)
    with torch.no_grad():
        assert ((network(SEEN) >= -3) & (network(SEEN) <= 7)).all()


def test_noise_only_while_training_and_only_after_a_draw() -> None:
    network = network_of(Head(noisy=True))
    quiet = network.eval()(SEEN)
    assert torch.equal(network.train()(SEEN), quiet)
    draw_noise(network, torch.Generator().manual_seed(0))
    loud = network.train()(SEEN)
    assert not torch.allclose(loud, quiet)
    assert torch.equal(network.eval()(SEEN), quiet)
    draw_noise(network, torch.Generator().manual_seed(0))
    assert torch.equal(network.train()(SEEN), loud)
    draw_noise(network, torch.Generator().manual_seed(1))
    assert not torch.equal(network.train()(SEEN), loud)


def test_noise_is_factorised_and_has_the_published_size() -> None:
    """f(x) = sgn(x) sqrt|x|, of which the second moment is E|x| = sqrt(2 / pi)."""
    layer = NoisyLinear(2000, 3000)
    assert float(layer.weight_sigma.detach()[0, 0]) == pytest.approx(0.5 / 2000**0.5)
    layer.draw(torch.Generator().manual_seed(0))
    for noise in (layer.noise_in, layer.noise_out):
        assert float(noise.square().mean()) == pytest.approx((2 / torch.pi)**0.5, rel=0.05)
    zero = layer.bias - layer.bias
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(zero)
    one = torch.eye(2000)[:1]
    wanted = layer.weight_sigma[:, 0] * layer.noise_out * layer.noise_in[0]
    assert torch.allclose(layer(one)[0], wanted + layer.bias_sigma * layer.noise_out)


def test_noise_is_no_part_of_what_acts_nor_of_what_is_kept() -> None:
    noisy, plain = network_of(Head(noisy=True)), network_of(Head())
    assert list(acting_weights(noisy)) == list(acting_weights(plain))
    assert not any("noise" in name for name in noisy.state_dict())


def test_deviations_learn() -> None:
    network = network_of(Head(noisy=True)).train()
    draw_noise(network, torch.Generator().manual_seed(0))
    network(SEEN).sum().backward()
    for layer in network.modules():
        if isinstance(layer, NoisyLinear):
            assert float(layer.weight_sigma.grad.abs().sum()) > 0
            assert float(layer.bias_sigma.grad.abs().sum()) > 0


@pytest.mark.parametrize(("changes", "head"), [
    ({}, Head()),
    ({"dueling": True, "noisy": True}, Head(True, True)),
    ({"distributional": True, "atoms": 5, "value_min": -1.0, "value_max": 2.0},
     Head(False, False, 5, -1.0, 2.0)),
    ({"algorithm": "rainbow"}, Head(True, True, 51, -10.0, 10.0)),
])
def test_a_learners_parameters_choose_the_head(changes: dict[str, object], head: Head) -> None:
    assert Head.of(DqnConfig(**{"network": TINY.network, **changes})) == head
