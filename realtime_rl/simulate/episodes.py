"""Episodes that know nothing of each other, played by as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter_limits import ONE_BY_ONE
from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.control.exploration import OFF, Exploration
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.plants import registry
from realtime_rl.plants.base import remarks_of
from realtime_rl.simulate import players
from realtime_rl.simulate.loop import LONGEST, Delay
from realtime_rl.simulate.tally import Tally


@dataclass(frozen=True, slots=True)
class Game:
    """What is played: all that an episode follows from, but for its number."""

    plant: str
    options: dict[str, str]
    policy: str
    """An ONNX file, `random` or `default`."""
    delay: Delay
    seed: int = 0
    hold_ticks: int = 1
    default: str = "noop"
    exploration: str = OFF
    """Of a policy from a file: see `Exploration`."""
    said: PolicyOptions = field(default_factory=PolicyOptions)
    """What is said of a policy from a file."""
    chunking: Chunking = ONE_BY_ONE
    """Of a policy that gives chunks: how their rows are used."""


def play(game: Game, numbers: Sequence[int], warn: Callable[[str], None] = lambda text: None
         ) -> list[Tally]:
    """Play the episodes of these numbers; each follows from the game and its number alone.

    An episode that is longer than `LONGEST` ticks is cut off without a return. `warn` is told
    what is odd about the policy.

    Raises:
        PlantError: there is no such plant.
        PolicyError: as in `players.load`.
    """
    plant = registry.make(game.plant, game.options, game.seed)
    try:
        make = players.load(game.policy, game.hold_ticks, plant.spec,
                            Exploration.parse(game.exploration), options=game.said, warn=warn)
        found = []
        for number in numbers:
            seed = int(np.random.SeedSequence((game.seed, number)).generate_state(1)[0])
            player, figures = make(seed), Tally()
            plant.reset(seed)
            loop = player.loop(plant, game.delay, default_policy.make(
                game.default, plant.spec.actions, seed=seed), game.chunking)
            while not figures.returns and figures.ticks < LONGEST:
                figures.add(loop.advance())
            figures.remarks, figures.counter_names = remarks_of(plant), list(plant.spec.counters)
            found.append(figures)
        return found
    finally:
        plant.close()


def play_all(game: Game, episodes: int, processes: int = 1,
             warn: Callable[[str], None] = lambda text: None) -> Tally:
    """Play episodes 0 … `episodes - 1`; the figures are the same for any number of processes.

    `warn` is told once what is odd about the policy.

    Raises:
        ConfigError: a number is below 1.
        PlantError, PolicyError: as in `play`.
    """
    for name, value in (("episodes", episodes), ("processes", processes)):
        if value < 1:
            raise ConfigError(f"{name} {value!r} must be 1 or more")
    play(game, (), warn)  # what is wrong is said here, by one process
    parts = [range(first, episodes, processes) for first in range(min(processes, episodes))]
    if len(parts) == 1:
        played = [play(game, parts[0])]
    else:
        # spawned: neither torch nor ONNX Runtime outlives a fork in good health
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(len(parts), mp_context=context) as pool:
            played = list(pool.map(partial(play, game), parts))
    joined = Tally()
    for number in range(episodes):
        joined.extend(played[number % len(parts)][number // len(parts)])
    return joined
