"""Clone the expert of `chunk_arm_env` as a policy that answers with a chunk of actions.

    python -m benchmarks.chunk_arm_policy arm_chunks.onnx

The expert plays some hundred episodes, with noise upon what it does, so that the policy sees states
beside its path. Row `i` of the chunk of an observation is learned from what the expert did `i`
ticks later: what cannot be foreseen is averaged. The pushes are not observed; where the motors hold
the joints and where they are tells them. Minutes on one core; the same seed gives the same file.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.chunk_arm_env import TICKS, Pushed

ROWS, ACTIONS = 50, 2
_HIDDEN = 128
_NOISE, _NOISE_STAYS = 0.06, 0.9
_BATCH = 1024
Floats = NDArray[np.float32]


def demonstrations(episodes: int, seed: int) -> tuple[Floats, Floats]:
    """Let the expert play.

    Returns:
        Observations `(n, 10)` and what it did from then on, `(n, ROWS * ACTIONS)`.
    """
    env, random = Pushed(), np.random.default_rng(seed)
    seen: list[Floats] = []
    done: list[Floats] = []
    for episode in range(episodes):
        # 10,000 and on: the episodes that are measured have other seeds
        observation, _ = env.reset(seed=10_000 + seed * episodes + episode)
        observations, actions, noise = [], [], np.zeros(ACTIONS)
        for _ in range(TICKS):
            noise = _NOISE_STAYS * noise + random.normal(0.0, _NOISE, ACTIONS)
            action = env.expert()
            observations.append(observation)
            actions.append(action)
            observation, *_ = env.step(action + noise)
        chunks = np.lib.stride_tricks.sliding_window_view(np.array(actions, np.float32), ROWS, 0)
        seen.append(np.array(observations[:len(chunks)], np.float32))
        done.append(chunks.transpose(0, 2, 1).reshape(len(chunks), -1))
    return np.concatenate(seen), np.concatenate(done)


def clone(seen: Floats, done: Floats, epochs: int, seed: int) -> list[tuple[Floats, Floats]]:
    """Learn chunks by least squares; return weights and biases, layer by layer."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    sizes = [seen.shape[1], _HIDDEN, _HIDDEN, done.shape[1]]
    linear = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    network = torch.nn.Sequential(linear[0], torch.nn.ReLU(), linear[1], torch.nn.ReLU(), linear[2])
    inputs, wanted = torch.from_numpy(seen), torch.from_numpy(done)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    begun_s = time.monotonic()
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(inputs)).split(_BATCH):
            loss = torch.nn.functional.mse_loss(network(inputs[rows]), wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(rows)
        schedule.step()
        print(f"epoch {epoch + 1} of {epochs}: loss {total / len(inputs):.5f}, "
              f"{time.monotonic() - begun_s:.0f} s", file=sys.stderr)
    return [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in linear]


def write(path: Path, layers: list[tuple[Floats, Floats]]) -> None:
    """Write the policy as ONNX: `observation` `[1, 10]` to `action` `[1, ROWS, ACTIONS]`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: dict[str, Any] = {"shape": np.array([1, ROWS, ACTIONS]),
                                 "low": np.float32(-1.0), "high": np.float32(1.0)}
    at = "observation"
    for place, (weight, bias) in enumerate(layers):
        constants[f"w{place}"], constants[f"b{place}"] = weight, bias
        nodes.append(helper.make_node("Gemm", [at, f"w{place}", f"b{place}"], [f"h{place}"],
                                      transB=1))
        at = f"h{place}"
        if place < len(layers) - 1:
            nodes.append(helper.make_node("Relu", [at], [f"r{place}"]))
            at = f"r{place}"
    nodes += [helper.make_node("Clip", [at, "low", "high"], ["flat"]),
              helper.make_node("Reshape", ["flat", "shape"], ["action"])]
    graph = helper.make_graph(
        nodes, "arm",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, 10])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, [1, ROWS, ACTIONS])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)


def make(path: Path, *, episodes: int = 200, epochs: int = 20, seed: int = 0) -> None:
    """Let the expert play, clone it and write the policy."""
    print(f"the expert plays {episodes} episodes …", file=sys.stderr)
    seen, done = demonstrations(episodes, seed)
    write(path, clone(seen, done, epochs, seed))


def main() -> int:
    """Write the policy."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chunk_arm_policy", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--episodes", type=int, default=200, metavar="N")
    parser.add_argument("--epochs", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if min(args.episodes, args.epochs) < 1:
        parser.error("--episodes and --epochs are to be 1 or more")
    make(args.file, episodes=args.episodes, epochs=args.epochs, seed=args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
