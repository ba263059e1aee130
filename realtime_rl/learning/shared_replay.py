"""What was experienced, in memory that all learning processes read and one process writes."""

from __future__ import annotations

import math
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.experience.action_history import History
from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.observations import Observation, Observations, array_dtype, join, split
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning.batch import Batch
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.replay import Replay
from realtime_rl.learning.shared_arrays import Layout, SharedArrays


def layout(config: DqnConfig, observation: Observations) -> Layout:
    """Return the arrays of a replay: rings of frames and of transitions that refer to them."""
    kind, shape = array_dtype(observation)
    size, stack, history = config.replay_size, config.stack, config.action_history
    return {
        "bounds": ("int64", (3,)),
        "frames": (kind, (_frames(config), *shape)),
        "observation": ("int64", (size, stack)), "next_observation": ("int64", (size, stack)),
        "action": ("int64", (size,)), "reward": ("float32", (size,)),
        "discount": ("float32", (size,)),
        "history": ("float32", (size, history)), "next_history": ("float32", (size, history))}


def _frames(config: DqnConfig) -> int:
    """One a transition, and those that the newest refer to beside their own."""
    return config.replay_size + _held(config)


def _held(config: DqnConfig) -> int:
    """Frames that transitions yet to be joined may refer to."""
    return 2 * config.stack * (config.n_step + 1)


class SharedReplay(Replay):
    """The newest transitions, drawn uniformly (`recency`), the same for all processes.

    Each frame is there once, whatever number of processes and transitions see it. One process
    calls `keep` and `add`, any number of them `sample`. Nobody waits: the writer says what it is
    about to forget before it writes over it, and a reader whose batch was forgotten while it was
    copied draws anew. There are as many frames as transitions: where each transition has more
    than one of its own, as in sequential interaction, fewer transitions are kept.
    """

    def __init__(self, config: DqnConfig, shared: SharedArrays, seed: int) -> None:
        """Read and write the arrays of `layout` in `shared`; `seed` decides what is drawn."""
        super().__init__(config.replay_size, seed)
        self._shared = shared
        # how many transitions were forgotten and added, how many frames were added
        self._bounds = shared["bounds"]
        self._frames, self._first = shared["frames"], shared["observation"]
        self._ring = _frames(config)
        self._places: OrderedDict[int, tuple[int, Observation]] = OrderedDict()
        self._held = _held(config)

    def __len__(self) -> int:
        """Return how many transitions there are."""
        return self.seen - int(self._bounds[0])

    @property
    def seen(self) -> int:
        """See `Replay`."""
        return int(self._bounds[1])

    def keep(self, transition: SemiMdpTransition) -> None:
        """Take the frames of a transition before it is joined with others: in their order."""
        for frame in (*transition.observation, *transition.next_observation):
            self._place(frame)

    def add(self, transition: SemiMdpTransition) -> None:
        """Add a transition in place of the oldest; its frames were given to `keep`.

        Raises:
            LearningError: its history of actions has another length than the parameters say.
        """
        number, shared = self.seen, self._shared
        slot = number % self._capacity
        self._forget(number + 1 - self._capacity)
        for name in ("observation", "next_observation"):
            shared[name][slot] = [self._place(frame) for frame in getattr(transition, name)]
        for name in ("history", "next_history"):
            _write_history(shared[name][slot], getattr(transition, name))
        shared["action"][slot] = int(transition.action[0])
        shared["reward"][slot] = transition.reward
        shared["discount"][slot] = transition.discount
        with shared.lock():
            self._bounds[1] = number + 1

    def sample(self, size: int, correction: float = 1.0) -> Batch:
        """See `Replay`; all weights are 1."""
        while True:
            with self._shared.lock():
                forgotten, added, _ = self._bounds.tolist()
            if forgotten == added:
                raise LearningError("nothing to learn from: the replay is empty")
            drawn = self._rng.integers(forgotten, added, size=size)
            batch = self._copy(drawn % self._capacity)
            with self._shared.lock():
                whole = drawn.min() >= self._bounds[0]
            if whole:
                return batch

    def save(self, snapshot: Snapshot, *, contents: bool) -> None:
        """Refuse: `LearningError`."""
        raise LearningError("learning processes beside one another have no checkpoints")

    def _copy(self, slots: NDArray[np.int64]) -> Batch:
        shared = self._shared
        return Batch(
            self._stacks(shared["observation"][slots]), shared["action"][slots],
            shared["reward"][slots], shared["discount"][slots],
            self._stacks(shared["next_observation"][slots]), slots,
            np.ones(len(slots), np.float32),
            _read_histories(shared["history"][slots]),
            _read_histories(shared["next_history"][slots]))

    def _stacks(self, places: NDArray[np.int64]) -> Observation:
        """Copy the frames at `(B, stack)` places into one array `(B, stack * C, …)`."""
        rows, stack = places.shape
        shown = self._frames[places % self._ring]
        parts = [part.reshape(rows, stack * part.shape[2], *part.shape[3:])
                 for part in split(shown)]
        return join(parts, shown.dtype.names, rows=(rows,))

    def _place(self, frame: Observation) -> int:
        """Return the number of a frame, which is written when it is new."""
        known = self._places.get(id(frame))
        if known is not None:
            return known[0]
        number = int(self._bounds[2])
        forgotten = int(self._bounds[0])
        while (forgotten < self.seen and number - self._ring
               >= self._first[forgotten % self._capacity, 0]):
            forgotten += 1
        self._forget(forgotten)
        self._frames[number % self._ring] = frame
        self._bounds[2] = number + 1
        self._places[id(frame)] = number, frame  # held, so that its id is nobody else's
        if len(self._places) > self._held:
            self._places.popitem(last=False)
        return number

    def _forget(self, before: int) -> None:
        """Say that transitions before `before` are not to be drawn any more."""
        if before > self._bounds[0]:
            with self._shared.lock():
                self._bounds[0] = before


def _write_history(row: NDArray[np.float32], history: History) -> None:
    if len(history) != len(row):
        raise LearningError(f"a network with action_history {len(row)} needs as many applied "
                            f"actions beside each observation, not {len(history)}: give the "
                            "assembler the same history")
    row[:] = [math.nan if action is None else action[0] for action in history]


def _read_histories(rows: NDArray[np.float32]) -> list[History]:
    return [tuple(None if math.isnan(each) else (each,) for each in row)
            for row in rows.tolist()]
