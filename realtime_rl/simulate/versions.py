"""The policies that acted in a recorded run, by their versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from realtime_rl.bags.reader import Run
from realtime_rl.bags.run_record import Origin
from realtime_rl.core.control import default_policy
from realtime_rl.core.control.default_policy import DefaultPolicy
from realtime_rl.core.errors import BagError, PolicyError
from realtime_rl.core.figures.statistics import plant_sessions
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action, Cause, PlantSpec
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate.catch_player import CatchPlayer
from realtime_rl.simulate.regret import Judge

PLAYER = "player"
_LOADED = 8
"""Policies that are held at once."""


class Versions:
    """Finds the file of each version that acted, and loads it when it is asked for."""

    def __init__(self, run: Run, origin: Origin | None, spec: PlantSpec,
                 more: Iterable[Path] = ()) -> None:
        """Look through what the bag announces, what the run started from, and `more` files.

        Raises:
            PolicyError: a version that acted is not among those that are still there.
        """
        self._expected = spec.observation, spec.actions
        steps = plant_sessions(run.records.timesteps).ticks
        acted = steps.where(steps.equal("cause", Cause.POLICY))
        self.acted = sorted(set(acted.ints("version").tolist()))
        self._files: dict[int, PolicyUri] = {}
        first = [origin.policy] if origin is not None and origin.policy else []
        given = [*first, *(announced.uri for announced in run.policies),
                 *(path.resolve().as_uri() for path in more)]
        problems = []
        for uri in dict.fromkeys(given):
            try:
                self._files[self._load(uri).version] = PolicyUri.parse(uri)
            except PolicyError as error:
                problems.append(str(error))
        absent = [version for version in self.acted if version not in self._files]
        if absent:
            raise PolicyError(
                f"bag {str(run.path)!r}: version {', '.join(map(str, absent))} acted, and its file "
                f"is not to be had: name it with --policy; learner.keep=0 keeps all that are "
                f"exported{'' if not problems else '; ' + problems[0]}")
        self.judge = lru_cache(_LOADED)(self._judge)
        """Return the policy of a version."""

    @property
    def newest(self) -> int:
        """The newest version that acted."""
        return int(self.acted[-1])

    def judge_of(self, path: Path) -> Judge:
        """Return the policy of any file."""
        return _judge(self._load(path.resolve().as_uri()))

    def _judge(self, version: int) -> Judge:
        return _judge(self._load(str(self._files[version])))

    def _load(self, uri: str) -> OnnxPolicy:
        parsed = PolicyUri.parse(uri)
        return OnnxPolicy.load(parsed.path, self._expected, Compute("cpu"), sha256=parsed.sha256)


def _judge(policy: OnnxPolicy) -> Judge:
    return Judge(lambda observation, history: policy.act(policy.infer(observation, history)),
                 policy.stack, policy.action_history)


def player_of(plant: object, spec: PlantSpec) -> Callable[[], Judge]:
    """Return what makes the script that plays the bundled game; `PolicyError` for any other."""
    memory = getattr(plant, "memory", None)
    if spec.name != "pyboy:catch" or memory is None:
        raise PolicyError(f"reference {PLAYER!r}: there is a script for 'catch' alone, not for "
                          f"{spec.name!r}; name a policy's file, or 'newest'")

    def make() -> Judge:
        script = CatchPlayer(memory, 1)

        def act(observation: Observation, history: object) -> Action:
            return script(0, observation)
        return Judge(act)
    return make


def default_of(run: Run, spec: PlantSpec) -> DefaultPolicy:
    """Return the default policy that acted in a run, as its ticks tell.

    `BagError` where it is one that cannot be told: then nothing can be played again.
    """
    before: Action = spec.actions.noop
    names = {"noop", "repeat_last"}
    for step in plant_sessions(run.records.timesteps).ticks:
        if step.cause is Cause.DEFAULT:
            if step.action != spec.actions.noop:
                names.discard("noop")
            if step.action != before:
                names.discard("repeat_last")
        before = step.action
    if not names:
        raise BagError(f"bag {str(run.path)!r}: its default policy is neither the no-op nor the "
                       "last action, so that no episode can be played with it")
    return default_policy.make("noop" if "noop" in names else "repeat_last", spec.actions)
