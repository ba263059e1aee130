"""Who plays in virtual time: a policy from a file, chance, or the default policy alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from realtime_rl.core.control.exploration import Exploration, explore
from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action, PlantSpec
from realtime_rl.files import user_path
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.simulate.loop import Policy

RANDOM = "random"
DEFAULT = "default"
NO_FILE = (RANDOM, DEFAULT)


class Player(NamedTuple):
    """What a `Loop` needs of whoever plays."""

    policy: Policy | None
    stack: int
    applied: ActionHistory


def load(policy: str, hold_ticks: int, spec: PlantSpec, exploration: Exploration | None = None,
         *, stack: int = 0, warn: Callable[[str], None] = lambda text: None
         ) -> Callable[[int], Player]:
    """Return what makes a fresh player, given the seed of its chance.

    Args:
        policy: an ONNX file, `random` or `default`.
        hold_ticks: a random action is held for so many ticks.
        spec: of the plant that is played on.
        exploration: of a file's policy; else none, as there is no learner.
        stack: observations that a file without metadata takes; 0: one.
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
    loaded = OnnxPolicy.load(user_path(policy), (spec.observation, spec.actions), stack=stack)
    for text in filter(None, (*loaded.warnings, loaded.fallback)):
        warn(text)
    return of_policy(loaded, hold_ticks, spec, exploration)


def of_policy(loaded: OnnxPolicy, hold_ticks: int, spec: PlantSpec,
              exploration: Exploration | None = None) -> Callable[[int], Player]:
    """Return what makes a fresh player of a loaded policy; the arguments are those of `load`."""
    epsilon = (exploration or Exploration()).epsilon(loaded.epsilon)

    def make(seed: int) -> Player:
        applied = ActionHistory(loaded.action_history)

        def act(tick: int, observation: Observation) -> Action:
            chosen = loaded.act(loaded.infer(observation, applied.get(tick)))
            return explore(tick, epsilon, hold_ticks, seed, spec.actions) or chosen
        return Player(act, loaded.stack, applied)
    return make
