"""Several learning processes beside one another on shared weights, staggered as inference is."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

from realtime_rl import free_memory, strict_json
from realtime_rl.core.experience.action_history import History
from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.observations import Observation, Observations
from realtime_rl.core.settings.config import values_of
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.learning import memory_needed, networks
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.heads import Head
from realtime_rl.learning.networks import PolicyNetwork
from realtime_rl.learning.shared_arrays import SharedArrays
from realtime_rl.learning.shared_training import Turns, layout, learner_on

_PATIENCE_S = 10.0
"""How long a process may take to end by itself: an update of a large network."""


class LearningPool:
    """Learns action values with several processes; this one acts, exports and fills the replay.

    Every process draws batches of its own from the one replay, has gradients (clipped) and
    moments of Adam of its own, and adds its updates to the shared weights as they are by then.
    When updates end depends on the machine, so that no two trainings are the same.
    """

    def __init__(
        self, config: DqnConfig, observation: Observations, actions: ActionSpace,
        learners: int, *, folder: Path, threads: int = 1,
        tell: Callable[[str], None] = lambda text: None
    ) -> None:
        """Build the shared weights; the processes start with the first `advance`.

        Args:
            config: the parameters, for each of the learners; a target is copied every
                `target_interval` updates of all of them.
            observation: of the plant.
            actions: of the plant.
            learners: processes, 1 or more.
            folder: where a batch is kept whose loss was not finite.
            threads: of one gradient update.
            tell: called with a line when a process ended that should not have.

        Raises:
            LearningError: as in `DqnLearner`; another replay than `recency`, or a GPU, is asked
                for.
        """
        check(config)
        config = replace(config, device="cpu")  # where the shared memory is
        config = config.for_observation(observation)
        blank = networks.build(config.network, observation, config.stack, actions, config.seed,
                               head=Head.of(config), history=config.action_history, device="meta")
        memory_needed.check(config.network, blank, free_memory.available_bytes(), learners)
        parameters = networks.parameter_count(blank)
        self._shared = SharedArrays(layout(config, observation, parameters, learners))
        self._turns = Turns(self._shared)
        self._acting, self._replay = learner_on(
            self._shared, config, observation, actions, learners, begin=True)
        self._tasks = [strict_json.dumps({
            "number": number, "learners": learners, "threads": threads, "parameters": parameters,
            "memory": self._shared.fd, "config": values_of(config),
            "observation": str(observation), "actions": str(actions), "folder": str(folder),
        }) for number in range(learners)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._started = False
        self._tell = tell
        self._known = 0, 0.0
        self.transitions = 0
        """Transitions taken so far."""

    @property
    def network(self) -> PolicyNetwork:
        """The network that acts and is exported; its weights change while it is looked at."""
        return self._acting.network

    @property
    def updates(self) -> int:
        """Gradient updates of all learners so far."""
        return self._turns.updates

    @property
    def epsilon(self) -> float:
        """See `DqnLearner`."""
        return self._acting.epsilon

    def resume_exploration(self, epsilon: float) -> None:
        """See `DqnLearner`."""
        self._acting.resume_exploration(epsilon)

    @property
    def ready(self) -> bool:
        """See `DqnLearner`."""
        return self._acting.ready

    @property
    def pids(self) -> dict[int, int]:
        """The learning processes that were not seen to end, by their number."""
        return {number: process.pid for number, process in self._processes.items()}

    def add(self, transition: SemiMdpTransition) -> None:
        """See `Learns`."""
        self._replay.keep(transition)
        self._acting.add(transition)
        self.transitions = self._acting.transitions

    def advance(self, allowed: int) -> float | None:
        """See `Learns`; at once: the processes go on by themselves.

        They are started by the first call, from the thread that makes it, whose priority they
        have. The loss is the mean of the updates since the last call.

        Raises:
            LearningError: a loss is not finite, or no process is left.
        """
        if not self._started:
            self._start()
        self._look_after()
        if self.ready:
            self._turns.allow(allowed, len(self._processes))
            self._ring()
        updates, loss = self._turns.updates, self._turns.loss_sum
        (before, loss_before), self._known = self._known, (updates, loss)
        return (loss - loss_before) / (updates - before) if updates > before else None

    def greedy(self, observation: Observation, history: History = ()) -> Action:
        """See `DqnLearner`."""
        return self._acting.greedy(observation, history)

    def metadata(self, version: int) -> PolicyMetadata:
        """See `Learns`."""
        self._acting.updates = self.updates
        return self._acting.metadata(version)

    def close(self) -> None:
        """See `Learns`; each process ends after the update under way."""
        for process in self._processes.values():
            with contextlib.suppress(BrokenPipeError):
                _pipe(process.stdin).close()
        for process in self._processes.values():
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _pipe(process.stdout).close()
        self._processes.clear()

    def _start(self) -> None:
        self._started = True
        self._shared["target"][:] = self._shared["network"]
        for number, task in enumerate(self._tasks):
            # a session of its own: Ctrl-C in a terminal is for the process that started it
            try:
                process = subprocess.Popen(
                    [sys.executable, "-m", "realtime_rl.learning.learning_process", task],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(self._shared.fd,),
                    start_new_session=True)
            except OSError as error:
                self.close()
                raise LearningError(f"learning process {number} cannot be started: "
                                    f"{error.strerror}") from error
            os.set_blocking(_pipe(process.stdin).fileno(), False)
            self._processes[number] = process

    def _look_after(self) -> None:
        """Notice processes that ended; `LearningError` when the training has to."""
        failed = self._turns.failed
        if failed is not None:
            process = self._processes.get(failed)
            message = _pipe(process.stdout).read().decode().strip() if process else ""
            self.close()
            raise LearningError(message or f"learning process {failed} failed")
        for number, process in list(self._processes.items()):
            if process.poll() is None:
                continue
            _pipe(process.stdin).close()
            _pipe(process.stdout).close()
            del self._processes[number]
            self._tell(f"learning process {number} ended with status {process.returncode}; "
                       f"{len(self._processes)} go on")
        if not self._processes:
            raise LearningError("no learning process is left; what ended them stands above")

    def _ring(self) -> None:
        """Wake the processes that wait for something to do."""
        for process in self._processes.values():
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(_pipe(process.stdin).fileno(), b".")


def check(config: DqnConfig) -> None:
    """`LearningError` for parameters that only a single learning process can have."""
    if (replay := config.resolved().replay) != "recency":
        raise LearningError(f"several learning processes draw from a replay by 'recency', not "
                            f"{replay!r}; take it, or one process")
    if config.device == "cuda":
        raise LearningError("several learning processes share weights in the CPU's memory, not on "
                            "'cuda'; take device 'cpu', or one process")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # we asked for it
    return pipe
