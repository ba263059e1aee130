"""Who plays in virtual time: a policy from a file, chance, or the default policy alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from realtime_rl.core.control.chunk_book import Chunking
from realtime_rl.core.control.chunk_merging import Chunk
from realtime_rl.core.control.default_policy import DefaultPolicy
from realtime_rl.core.control.exploration import Exploration, explore, explore_rows
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy import prefix
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.policy.prefix import Prefix
from realtime_rl.core.types import Action, PlantSpec
from realtime_rl.files import user_path
from realtime_rl.plants.base import Plant
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate.loop import Delay, Loop, Policy

RANDOM = "random"
DEFAULT = "default"
NO_FILE = (RANDOM, DEFAULT)


class Player(NamedTuple):
    """What a `Loop` needs of whoever plays."""

    policy: Policy | None
    stack: int
    applied: ActionHistory
    begin: Callable[[], None] = lambda: None
    """Called at an episode's first observation."""
    alone: str = ""
    """Why only one inference at a time is possible; empty: any number is."""
    promise: Callable[[Prefix], None] | None = None
    """Told what acts until a chunk can; `None`: the policy is not one that takes it."""
    max_prefix: int = 0
    """Rows of that, at most; 0: any number."""

    def loop(self, plant: Plant, delay: Delay, default: DefaultPolicy | None = None,
             chunking: Chunking | None = None) -> Loop:
        """Have this one play; `PolicyError` where the policy is not one for what is asked."""
        if self.alone and delay.interaction == "asynchronous" and delay.ticks > delay.every:
            raise PolicyError(f"the policy {self.alone}, so one inference has to end before the "
                              f"next begins, and with a delay of {delay.ticks} ticks they overlap: "
                              "take --interaction sequential, --delay 1, or "
                              f"--every {delay.ticks}")
        problem = prefix.problem((chunking or Chunking()).merge.rule,
                                 takes=self.promise is not None, longest=self.max_prefix,
                                 delay=delay.ticks)
        if problem:
            raise PolicyError(f"the policy {problem}")
        return Loop(plant, self.policy, delay, stack=self.stack, default=default,
                    applied=self.applied, chunking=chunking, begin=self.begin,
                    promise=self.promise or (lambda found: None))


def load(policy: str, hold_ticks: int, spec: PlantSpec, exploration: Exploration | None = None,
         *, stack: int = 0, options: PolicyOptions | None = None,
         warn: Callable[[str], None] = lambda text: None
         ) -> Callable[[int], Player]:
    """Return what makes a fresh player, given the seed of its chance.

    Args:
        policy: an ONNX file, `random` or `default`.
        hold_ticks: a random action is held for so many ticks.
        spec: of the plant that is played on.
        exploration: of a file's policy; else none, as there is no learner.
        stack: observations that a file without metadata takes; 0: one.
        options: what is said of a file beside it.
        warn: told what is odd about a file, as a live run tells it.

    Raises:
        PolicyError: the file cannot be read, or is of another plant.
    """
    if policy == DEFAULT:
        return lambda seed: Player(None, 1, ActionHistory(0))
    if policy == RANDOM:
        def make_random(seed: int) -> Player:
            def draw(tick: int, observation: object) -> Action:
                return explore(tick, 1.0, hold_ticks, seed, spec.actions) or spec.actions.noop
            return Player(draw, 1, ActionHistory(0))
        return make_random
    said = replace(options or PolicyOptions(), period_ns=spec.period_ns)
    loaded = OnnxPolicy.load(user_path(policy), (spec.observation, spec.actions), stack=stack,
                             options=said)
    goal = loaded.goal
    if goal is not None and goal.start is None:
        name = goal.input.name
        raise PolicyError(f"policy {policy!r}: nobody gives the goal of its input {name!r} in "
                          f"virtual time; say what it begins with: policy_goal={name}=…, "
                          f"{goal.size} value(s)")
    for text in filter(None, (*loaded.warnings, loaded.fallback)):
        warn(text)
    return of_policy(loaded, hold_ticks, spec, exploration)


def of_policy(loaded: OnnxPolicy, hold_ticks: int, spec: PlantSpec,
              exploration: Exploration | None = None) -> Callable[[int], Player]:
    """Return what makes a fresh player of a loaded policy; the arguments are those of `load`."""
    epsilon = (exploration or Exploration()).epsilon(loaded.epsilon)

    def make(seed: int) -> Player:
        applied = ActionHistory(loaded.action_history)
        memory = [loaded.memory()]
        promised = [Prefix()]

        def promise(found: Prefix) -> None:
            promised[0] = found

        def begin() -> None:
            memory[0] = loaded.memory()

        def act(tick: int, observation: Observation) -> Action | Chunk:
            outputs = loaded.infer(observation, applied.get(tick), memory=memory[0],
                                   promised=promised[0])
            first = loaded.first_offset if loaded.horizon else 0
            found = explore_rows(
                loaded.rows(outputs) if loaded.horizon else (loaded.act(outputs),), tick + first,
                epsilon, hold_ticks=hold_ticks, seed=seed, actions=spec.actions)
            return Chunk(found, first) if loaded.horizon else found[0]

        return Player(act, loaded.stack, applied, begin, loaded.recurrent,
                      promise if loaded.takes_prefix else None, loaded.max_prefix)
    return make
