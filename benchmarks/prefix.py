"""What a policy gains by being told what acts until its chunk can: seams, and error of the task.

    python -m benchmarks.prefix --out OUT
    python -m benchmarks.prefix --out OUT --delays 4 --episodes 10 --updates 500

A network that gives chunks is cloned from a scripted hand (`prefix_env`), twice, from the same data
and for as long: once with simulated delays, as in training-time RTC (of the hand's own chunk the
first rows, a random number of them, are given, and the loss is on the rest), and once without.
Both act in virtual time on the same episodes, with a chunk every `D` ticks: the first with
`chunk_merge` `prefix`, the other with `newest` and `blend`. A seam is how far the first row of a
new chunk is from the row that the one before had for that tick.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks import prefix_env
from benchmarks.prefix_env import ID, JOINTS, SEEN
from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.control.chunk_merging import Chunk, Merge
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.figures.intervals import Interval, mean_of
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.types import Action
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate.loop import Delay, VirtualTick
from realtime_rl.simulate.players import of_policy

ROWS, MOST = 32, 14
"""Of a chunk, and of a prefix."""
_BUMP_EVERY, _BUMP = 40.0, 0.2
"""The hand is put off its way, so that it is seen to find back."""
_HIDDEN, _BATCH, _RATE = 128, 256, 2e-3
Floats = NDArray[np.float32]


class Network(nn.Module):
    """A chunk from what is seen and from what acts until then; rows continue its last row.

    Without any of that, rows continue where the joints are seen to be.
    """

    def __init__(self, told: bool) -> None:
        """`told`: whether it looks at what acts until then."""
        super().__init__()
        self.told = told
        self.body = nn.Sequential(
            nn.Linear(SEEN + JOINTS + 1, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(), nn.Linear(_HIDDEN, ROWS * JOINTS))

    def forward(self, observation: Tensor, prev_chunk: Tensor, inference_delay: Tensor) -> Tensor:
        """Return `(batch, ROWS, JOINTS)`; the first `inference_delay` rows never act."""
        given = inference_delay.reshape(-1, 1) * float(self.told)
        last = (torch.arange(ROWS).reshape(1, ROWS) == given - 1).to(prev_chunk.dtype)
        known = (given > 0).to(prev_chunk.dtype)
        row = (last.unsqueeze(2) * prev_chunk).sum(dim=1)
        seen = observation[:, :JOINTS]
        start = known * row + (1 - known) * seen
        taken = torch.cat([observation, start - seen, given.to(observation.dtype) / MOST], dim=1)
        rows: Tensor = start.unsqueeze(1) + self.body(taken).reshape(-1, ROWS, JOINTS)
        return rows


def watch(episodes: int, seed: int) -> tuple[Floats, Floats]:
    """Watch the hand; return what was seen, and its chunks: what it does if the goal stays."""
    env, random = prefix_env.Creep(), np.random.default_rng(seed)
    seen, chunks = [], []
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        command = np.zeros(JOINTS)
        for _ in range(prefix_env.TICKS):
            rows = prefix_env.hand(command, env.goal, ROWS)
            seen.append(observation)
            chunks.append(rows)
            command = rows[0]
            if random.random() < 1 / _BUMP_EVERY:
                command = command + random.normal(0.0, _BUMP, JOINTS)
            observation = env.step(command)[0]
    return np.array(seen, np.float32), np.array(chunks, np.float32)


def clone(data: tuple[Floats, Floats], told: bool, updates: int, seed: int) -> Network:
    """Train a network; where it is `told`, with prefixes of 0 to `MOST` rows of its chunk."""
    torch.manual_seed(seed)
    seen, chunks = map(torch.from_numpy, data)
    network = Network(told)
    adam = torch.optim.Adam(network.parameters(), _RATE)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(adam, updates)
    for _ in range(updates):
        some = torch.randint(len(seen), (_BATCH,))
        given = torch.randint(MOST + 1, (_BATCH,)) * int(told)
        found = network(seen[some], chunks[some], given)
        counts = (torch.arange(ROWS) >= given.unsqueeze(1)).to(torch.float32).unsqueeze(2)
        loss = ((found - chunks[some]) ** 2 * counts).sum() / counts.sum() / JOINTS
        adam.zero_grad()
        loss.backward()
        adam.step()
        rates.step()
    return network


def export(network: Network, path: Path) -> Path:
    """Write it as a policy that says how long a prefix it takes."""
    import onnx

    warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that needs no other package
    torch.onnx.export(
        network, (torch.zeros(1, SEEN), torch.zeros(1, ROWS, JOINTS),
                  torch.zeros(1, dtype=torch.int64)), str(path), dynamo=False,
        input_names=["observation", "prev_chunk", "inference_delay"], output_names=["action"])
    model = onnx.load(path)
    if network.told:
        onnx.helper.set_model_props(model, {"realtime_rl.max_prefix": str(MOST)})
    onnx.save(model, path)
    return path


class Episode(NamedTuple):
    """What one gave."""

    seam: float
    """Mean of the seams' largest values over the joints [rad]."""
    step: float
    """The same of the change of what acts, where a new chunk begins [rad]."""
    error: float
    """Mean distance of a joint from its goal [rad]."""


def seams(ticks: list[VirtualTick], chunks: dict[int, Chunk]) -> Iterator[tuple[float, float]]:
    """Yield, for each new chunk that acts, its seam and the change of what acts."""
    for before, tick in itertools.pairwise(ticks):
        old, new = before.observation_tick, tick.observation_tick
        if old < 0 or new in (-1, old):
            continue
        place = tick.tick - old - chunks[old].first_offset
        if place < len(chunks[old].rows):
            yield (_apart(chunks[new].rows[tick.row], chunks[old].rows[place]),
                   _apart(tick.action, before.action))


def _apart(one: Action, other: Action) -> float:
    return float(np.abs(np.subtract(one, other)).max())


def play(plant: Plant, policy: OnnxPolicy, merge: Merge, delay: int, seed: int) -> Episode:
    """Play an episode in virtual time, with a chunk every `delay` ticks."""
    player, chunks = of_policy(policy, 1, plant.spec)(0), {}
    act = player.policy
    assert act is not None

    def noted(tick: int, observation: Observation) -> Action | Chunk:
        found = act(tick, observation)
        assert isinstance(found, Chunk)
        chunks[tick] = found
        return found

    plant.reset(seed)
    loop = player._replace(policy=noted).loop(
        plant, Delay(delay, every=delay), chunking=Chunking(merge, interval_ticks=delay))
    ticks = [loop.advance() for _ in range(prefix_env.TICKS)]
    found = np.array(list(seams(ticks, chunks)))
    return Episode(*found.mean(axis=0), -float(np.mean([tick.reward for tick in ticks])))


@dataclass(frozen=True)
class Row:
    """One policy, one way for chunks to meet, one delay."""

    policy: str
    merge: str
    delay: int
    seam: Interval
    step: Interval
    error: Interval
    more: Interval
    """By how much the error is larger than that of the first policy, episode by episode."""


def compare(policies: dict[str, Path], delays: list[int], episodes: int) -> list[Row]:
    """Play the same episodes with each."""
    plant, rows = registry.make("gymnasium", {"id": ID}, 0), []
    try:
        for delay in delays:
            first: list[Episode] = []
            for name, merge in (("untrained", MergeRule.NEWEST), ("untrained", MergeRule.BLEND),
                                ("trained with delays", MergeRule.PREFIX)):
                policy = OnnxPolicy.load(
                    policies[name], (plant.spec.observation, plant.spec.actions), Compute("cpu"),
                    options=PolicyOptions(period_ns=plant.spec.period_ns))
                played = [play(plant, policy, Merge(merge), delay, 10_000 + episode)
                          for episode in range(episodes)]
                first = first or played
                rows.append(Row(
                    name, merge.word, delay, *map(mean_of, zip(*played, strict=True)),
                    mean_of([one.error - other.error
                             for one, other in zip(played, first, strict=True)])))
                print(line(rows[-1]), flush=True)
    finally:
        plant.close()
    return rows


HEAD = ("| delay [ticks] | policy | merge | seam [rad] | step at a seam [rad] | error [rad] "
        "| more than the first [rad] |\n|---|---|---|---|---|---|---|")


def line(row: Row) -> str:
    """Write a row as Markdown."""
    values = " | ".join(f"{each.mean:.4f} [{each.low:.4f}, {each.high:.4f}]"
                        for each in (row.seam, row.step, row.error, row.more))
    return f"| {row.delay} | {row.policy} | {row.merge} | {values} |"


def csv(rows: list[Row], episodes: int) -> str:
    """Write them as the pages' raw data."""
    lines = ["delay,policy,merge,episodes,seam,seam_low,seam_high,step,step_low,step_high,"
             "error,error_low,error_high,more,more_low,more_high"]
    for row in rows:
        values = ",".join(f"{value:.6f}" for each in (row.seam, row.step, row.error, row.more)
                          for value in (each.mean, each.low, each.high))
        lines.append(f"{row.delay},{row.policy},{row.merge},{episodes},{values}")
    return "\n".join(lines) + "\n"


def run(args: argparse.Namespace) -> None:
    """Train, compare, write."""
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    began = time.monotonic()
    data = watch(args.watched, args.seed)
    policies = {}
    for name, told in (("trained with delays", True), ("untrained", False)):
        network = clone(data, told, args.updates, args.seed)
        policies[name] = export(network, args.out / f"{'told' if told else 'untold'}.onnx")
    print(f"{len(data[0])} ticks watched, 2 networks trained in {time.monotonic() - began:.0f} s\n",
          file=sys.stderr)
    print(HEAD)
    rows = compare(policies, args.delays, args.episodes)
    (args.out / "prefix.csv").write_text(csv(rows, args.episodes), encoding="utf-8")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.prefix", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("prefix-out"), metavar="DIR")
    parser.add_argument("--delays", nargs="+", type=int, default=[4, 8, 13], metavar="TICKS")
    parser.add_argument("--episodes", type=int, default=50, metavar="N")
    parser.add_argument("--watched", type=int, default=80, metavar="N",
                        help="episodes of the hand that are learned from")
    parser.add_argument("--updates", type=int, default=2500, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    try:
        run(parser.parse_args())
    except RealtimeRlError as error:
        print(f"prefix: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
