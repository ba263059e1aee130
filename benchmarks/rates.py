"""Two rates in one run: virtual time against the bare emulator, our learner against bare torch.

    python benchmarks/rates.py
    python benchmarks/rates.py --network nature:2 --seconds 30 --json -

The first: ticks a second of `catch` and `blocks` in virtual time, played at random, from pictures
and `catch` from memory, too: as multiples of a Game Boy's 59.7, and beside the same emulator that
is only stepped, with the picture drawn where a policy sees it (each start of an episode takes ours
4 ms, in which a state is loaded; the bare one has none). The second: gradient
updates a second of `DqnLearner`, which draws its batches from a replay of 10,000 transitions,
against a loop that has nothing but torch in it: the same network, double targets, Huber loss,
clipping and Adam on one batch that never changes. Both take turns, here as there, so that what else
the machine does meets both; asked for are 20,000 ticks/s from memory, and 0.9 of bare torch.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from realtime_rl import strict_json
from realtime_rl.core.errors import ConfigError, RealtimeRlError
from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace
from realtime_rl.learning import torch_process
from realtime_rl.learning.batch import Batch
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.plants import rom_files
from realtime_rl.plants.emulator import Emulator
from realtime_rl.plants.pyboy_plant import PyBoyOptions, PyBoyPlant
from realtime_rl.plants.state_bytes import unpack
from realtime_rl.simulate import players
from realtime_rl.simulate.loop import Delay, Loop
from realtime_rl.simulate.tally import Tally

SPEC = ObservationSpec((1, 84, 84), "uint8", 0, 255)
ACTIONS = ActionSpace(("A", "B", "LEFT", "UP", "RIGHT", "DOWN", "NOOP"), (6.0,))
TRANSITIONS = 10_000
TURN_S = 0.25
"""What one turn of either loop takes, about."""


@dataclass(frozen=True)
class Speed:
    """Virtual time of one plant."""

    plant: str
    observe: str
    ticks_per_s: float
    """Median over turns."""
    real_time: float
    """Multiple of it."""
    bare_per_s: float
    """Of the emulator alone; median over turns."""
    ratio: float
    """Of each of our turns to the bare one after it."""
    turns: int


@dataclass(frozen=True)
class Learning:
    """Updates a second of both loops; medians over turns."""

    network: str
    batch: int
    ours_per_s: float
    bare_per_s: float
    ratio: float
    """Of each of our turns to the bare one after it."""
    turns: int


def play(rom: str, observe: str, seconds: float) -> Speed:
    """Step a game in virtual time, and the bare emulator, for about so long."""
    plant = PyBoyPlant(PyBoyOptions(rom=rom, observe=observe), 0)
    emulator = Emulator(rom_files.find(rom))
    emulator.load(unpack("pyboy", plant.save_state())[1])
    try:
        player, figures = players.load("random", 1, plant.spec)(0), Tally()
        loop = Loop(plant, player.policy, Delay(6), applied=player.applied)
        ours: Callable[[], object] = lambda: figures.add(loop.advance())  # noqa: E731
        bare: Callable[[], object] = (emulator.draw if observe == "picture"
                                      else lambda: emulator.run(1))
        count = max(1, int(TURN_S / max(turn(ours, 400), turn(bare, 400))))
        mine, bares = turns(ours, bare, count, seconds)
        rate = 1 / statistics.median(mine)
        return Speed(rom, observe, rate, rate * plant.spec.period_ns / 1e9,
                     1 / statistics.median(bares), ratio(mine, bares), len(mine))
    finally:
        plant.close()
        emulator.close()


def filled(config: DqnConfig) -> DqnLearner:
    """Make a learner with a replay full of noise, whose transitions follow each other."""
    learner, rng = DqnLearner(config, SPEC, ACTIONS), np.random.default_rng(0)
    # one object a frame, as the assembler has it
    frames = list(rng.integers(0, 256, (TRANSITIONS + config.stack, *SPEC.shape), np.uint8))
    stacks = [tuple(frames[tick:tick + config.stack]) for tick in range(TRANSITIONS + 1)]
    for tick in range(TRANSITIONS):
        learner.add(SemiMdpTransition(
            stacks[tick], (float(rng.integers(ACTIONS.size)),), float(rng.random()), 0.99,
            stacks[tick + 1], 1, terminal=False))
    return learner


def bare(config: DqnConfig, network: nn.Module, batch: Batch) -> Callable[[], None]:
    """Return one update of `network` in a loop with nothing but torch in it."""
    target = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate, eps=1e-5, fused=True)
    seen, following = torch.from_numpy(batch.observation), torch.from_numpy(batch.next_observation)
    action = torch.from_numpy(batch.action)[:, None]
    reward, discount = torch.from_numpy(batch.reward), torch.from_numpy(batch.discount)

    def update() -> None:
        values = network(seen).gather(1, action)[:, 0]
        with torch.no_grad():
            best = network(following).argmax(1)[:, None]
            wanted = reward + discount * target(following).gather(1, best)[:, 0]
        loss = functional.smooth_l1_loss(values, wanted)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
        optimizer.step()
    return update


def learn(network: str, seconds: float) -> Learning:
    """Let both loops take turns for about so long."""
    config = DqnConfig(network=network, replay_size=TRANSITIONS, learn_start=1)
    learner = filled(config)
    ours: Callable[[], object] = learner.update
    theirs = bare(config, copy.deepcopy(learner.network),
                  learner._replay.sample(config.batch_size))
    count = max(1, int(TURN_S / max(turn(ours, 5), turn(theirs, 5))))
    mine, bares = turns(ours, theirs, count, seconds)
    return Learning(network, config.batch_size, 1 / statistics.median(mine),
                    1 / statistics.median(bares), ratio(mine, bares), len(mine))


def turns(ours: Callable[[], object], bare: Callable[[], object], count: int, seconds: float
          ) -> tuple[list[float], list[float]]:
    """Let both take turns of `count` for about so long; return what one took in each turn [s]."""
    mine, bares = [], []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds or not mine:
        mine.append(turn(ours, count))
        bares.append(turn(bare, count))
    return mine, bares


def ratio(mine: list[float], bares: list[float]) -> float:
    """Return how fast we are, of the bare: the median over the turns."""
    return statistics.median(bare / own for own, bare in zip(mine, bares, strict=True))


def turn(update: Callable[[], object], count: int) -> float:
    """Return what one of `count` updates took [s]."""
    begin = time.perf_counter()
    for _ in range(count):
        update()
    return (time.perf_counter() - begin) / count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each of the rates")
    parser.add_argument("--network", nargs="*", default=["small", "nature:2"], metavar="NAME")
    parser.add_argument("--json", choices=["-"], help="print JSON")
    args = parser.parse_args()
    try:
        if not 0.0 < args.seconds < float("inf"):
            raise ConfigError(f"--seconds {args.seconds!r} must be above 0")
        torch_process.prepare(1)
        speeds = [play(rom, observe, args.seconds) for rom, observe in (
            ("catch", "memory"), ("catch", "picture"), ("blocks", "picture"))]
        learned = [learn(network, args.seconds) for network in args.network]
    except RealtimeRlError as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        print(strict_json.dumps({"virtual_time": [asdict(speed) for speed in speeds],
                          "learning": [asdict(each) for each in learned]}, indent=2))
        return 0
    for speed in speeds:
        print(f"{speed.plant}, {speed.observe}: {speed.ticks_per_s:.0f} ticks/s, "
              f"{speed.real_time:.1f} x real time, bare emulator {speed.bare_per_s:.0f}: ratio "
              f"{speed.ratio:.3f} ({speed.turns} turns each)")
    for each in learned:
        print(f"{each.network}, batch {each.batch}: {each.ours_per_s:.1f} updates/s, bare torch "
              f"{each.bare_per_s:.1f}: ratio {each.ratio:.3f} ({each.turns} turns each)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
