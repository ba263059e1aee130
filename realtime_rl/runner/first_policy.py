"""Writes the policy that a run begins with: untrained, or with the weights of another one."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from realtime_rl import strict_json
from realtime_rl.core import observations
from realtime_rl.core.errors import MissingDependencyError, PolicyError, RealtimeRlError
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.settings.config import Value, build
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import ActionSpace, PlantSpec


@dataclass(frozen=True, slots=True)
class FirstPolicy:
    """What is to be written, and where."""

    path: str
    observation: str
    actions: str
    """Of the plant, as the texts of its spec."""
    learner: dict[str, Value] = field(default_factory=dict)
    """Parameters of the learner that is to begin with it; absent ones have their defaults."""
    weights: str = ""
    """A policy of the same network whose weights it gets; empty: those of the learner's seed."""


    @staticmethod
    def of(spec: PlantSpec, path: str, learner: dict[str, Value], weights: str = ""
           ) -> FirstPolicy:
        """Say what fits a plant."""
        return FirstPolicy(path, str(spec.observation), str(spec.actions), learner, weights)


def write(wanted: FirstPolicy) -> PolicyUri:
    """Write a policy as version 0; errors are `RealtimeRlError`."""
    try:
        from realtime_rl.learning import devices
        from realtime_rl.learning.heads import Head
        from realtime_rl.learning.onnx_export import initial_policy
    except ImportError as error:
        raise MissingDependencyError(error.name or "torch", "learn", error) from error
    config = build(DqnConfig, wanted.learner)
    devices.choose(config.device)  # refused before a learner begins, which could not do better
    return initial_policy(
        Path(wanted.path), network=config.network,
        observation=observations.parse(wanted.observation), stack=config.stack,
        actions=ActionSpace.parse(wanted.actions), seed=config.seed, head=Head.of(config),
        history=config.action_history, weights=Path(wanted.weights) if wanted.weights else None)


def write_in_child(wanted: FirstPolicy) -> str:
    """As `write`, in a process of its own: torch's hundreds of megabytes do not stay in this one.

    Returns:
        The policy's URI.

    Raises:
        PolicyError: it cannot be written; one line says why.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, strict_json.dumps_exactly(dataclasses.asdict(wanted))],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise PolicyError(lines[-1] if lines else f"its writer ended with {done.returncode}")
    return done.stdout.splitlines()[-1]


if __name__ == "__main__":
    try:
        print(write(FirstPolicy(**strict_json.loads(sys.argv[1]))))
    except RealtimeRlError as problem:
        sys.exit(str(problem))
