"""What `benchmarks.gpu` measures: a policy, what it is shown, and workers that let it infer."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rates import SPEC
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy.fitting import Plant
from realtime_rl.core.types import Action
from realtime_rl.plants import registry
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate.loop import Delay, Loop

PICTURES = 256
"""Different ones."""
GRIDS = (1, 2, 3, 4, 6, 7, 12, 14, 21, 28, 42, 84)
"""Squares of one brightness along each side of a random picture."""


class Subject:
    """A policy file, what it is shown, and where it is run; loaded when it is needed."""

    def __init__(self, name: str, path: Path, expected: Plant, seen: list[Observation],
                 compute: Compute) -> None:
        self.name = name
        self.path = path
        self.expected = expected
        self.seen = seen
        self.compute = compute
        self._loaded: tuple[Compute, OnnxPolicy] | None = None

    def load(self, **changes: Any) -> OnnxPolicy:
        """Load it; `ConfigError` where another provider would compute than the one asked for."""
        compute = replace(self.compute, **changes)
        if self._loaded is None or self._loaded[0] != compute:
            self.unload()
            self._loaded = compute, self.loaded(compute)
        return self._loaded[1]

    def unload(self) -> None:
        """Give its memory back."""
        self._loaded = None

    def loaded(self, compute: Compute, before: OnnxPolicy | None = None) -> OnnxPolicy:
        """Load it anew, or in the place of `before`."""
        policy = OnnxPolicy.load(self.path, self.expected, compute, before=before)
        if policy.fallback:
            raise ConfigError(policy.fallback)
        return policy

    def on_cpu(self) -> OnnxPolicy:
        """Load it for all cores of the CPU."""
        return OnnxPolicy.load(self.path, self.expected, Compute("cpu", os.cpu_count() or 1))


def pictures() -> list[Observation]:
    """Return random observations from coarse to fine, the same ones at every call.

    To an untrained network, pictures of noise alone are one like the other.
    """
    rng, side = np.random.default_rng(0), SPEC.shape[1]
    drawn = [(grid, rng.integers(0, 256, (1, grid, grid), np.uint8))
             for grid in (GRIDS[index % len(GRIDS)] for index in range(PICTURES))]
    return [np.kron(squares, np.ones((1, side // grid, side // grid), np.uint8))
            for grid, squares in drawn]


def played(path: Path, expected: Plant, file: Path, rom: str) -> list[Observation]:
    """Return what a policy was shown in its game, from `file`; play and write it if absent."""
    if not file.exists():
        policy, seen = OnnxPolicy.load(path, expected, Compute("cpu")), list[NDArray[np.generic]]()

        def act(tick: int, observation: Observation) -> Action:
            if tick % 8 == 0:
                seen.append(observation.copy())
            return policy.act(policy.infer(observation))

        plant = registry.make("pyboy", {"rom": rom}, 0)
        try:
            loop = Loop(plant, act, Delay(6), stack=policy.stack)
            while len(seen) < PICTURES:
                loop.step()
        finally:
            plant.close()
        np.savez_compressed(file, seen=np.stack(seen))
    with np.load(file) as arrays:
        return list(arrays["seen"])


def infer(subject: Subject, policy: OnnxPolicy, workers: int, seconds: float
          ) -> tuple[list[float], float]:
    """Let workers infer for so long; return what each inference took [s], and how many a second."""
    begin: list[float] = []
    start = threading.Barrier(workers, action=lambda: begin.append(time.perf_counter()))
    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(_work, policy, subject.seen, worker, start, seconds)
                   for worker in range(workers)]
    taken = time.perf_counter() - begin[0]
    every = [each for mine in running for each in mine.result()]
    return every, len(every) / taken


def _work(policy: OnnxPolicy, seen: list[Observation], worker: int, start: threading.Barrier,
          seconds: float) -> list[float]:
    try:
        policy.infer(seen[0], worker=worker)  # in each new thread CUDA prepares something
    finally:
        start.wait()
    durations: list[float] = []
    until = time.perf_counter() + seconds
    while not durations or time.perf_counter() < until:
        begin = time.perf_counter()
        policy.infer(seen[len(durations) % len(seen)], worker=worker)
        durations.append(time.perf_counter() - begin)
    return durations
