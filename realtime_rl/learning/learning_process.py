"""One of several learning processes; `LearningPool` starts it and says what it is to do.

It ends when its standard input does: with the process that started it, however that ended.
"""

from __future__ import annotations

import json
import os
import select
import statistics
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from realtime_rl.core import observations
from realtime_rl.core.settings.config import build
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace
from realtime_rl.learning import checkpoint, torch_process
from realtime_rl.learning.dqn import DqnLearner
from realtime_rl.learning.errors import CheckpointError, LearningError, NonFiniteLossError
from realtime_rl.learning.shared_arrays import SharedArrays
from realtime_rl.learning.shared_training import Turns, layout, learner_on

FAILED = 3
"""Exit status when the training of all has to end; why is on standard output."""
_RECENT = 15
"""Updates from which the duration of one is taken."""


def learn(learner: DqnLearner, turns: Turns, number: int, bell: int) -> None:
    """Make the updates that are learner `number`'s, until the pipe `bell` is closed.

    A byte in the pipe says that there may be more to do.
    """
    recent: deque[int] = deque(maxlen=_RECENT)
    while _open(bell, wait=False):
        claim = turns.claim(time.monotonic_ns())
        if claim is None:
            if not _open(bell, wait=True):
                return
            continue
        time.sleep(max(0.0, (claim.start_ns - time.monotonic_ns()) / 1e9))
        began_ns = time.monotonic_ns()
        learner.updates = claim.number
        loss = learner.update()
        recent.append(time.monotonic_ns() - began_ns)
        turns.made(number, loss, round(statistics.median(recent)))


def _open(bell: int, *, wait: bool) -> bool:
    """Empty a pipe, having waited for a byte if asked to; return whether it is open still."""
    while select.select([bell], [], [], None if wait else 0.0)[0]:
        if not os.read(bell, 1 << 16):
            return False
        wait = False
    return True


def _explained(error: LearningError, folder: Path) -> str:
    if not isinstance(error, NonFiniteLossError):
        return str(error)
    try:
        return checkpoint.inspected(error, folder)
    except CheckpointError as unwritten:
        return f"{error}; {unwritten}"


def main(arguments: list[str]) -> int:
    """Learn as the JSON in the first argument says; return the exit status."""
    task: dict[str, Any] = json.loads(arguments[0])
    number: int = task["number"]
    torch_process.prepare(task["threads"])
    config = build(DqnConfig, task["config"])
    observation, actions = (observations.parse(task["observation"]),
                            ActionSpace.parse(task["actions"]))
    shared = SharedArrays(layout(config, observation, task["parameters"], task["learners"]),
                          task["memory"])
    turns = Turns(shared)
    try:
        learner, _ = learner_on(shared, config, observation, actions, number)
        learn(learner, turns, number, sys.stdin.fileno())
    except LearningError as error:
        if turns.fail(number):
            print(f"learning process {number}: {_explained(error, Path(task['folder']))}",
                  flush=True)
            return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
