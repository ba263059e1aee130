"""The control loop in virtual time: the action of observation `k` acts at tick `k + delay`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from realtime_rl.core import default_policy
from realtime_rl.core.action_history import ActionHistory
from realtime_rl.core.default_policy import DefaultPolicy
from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.observation_stack import ObservationStack
from realtime_rl.core.records import Timestep
from realtime_rl.core.types import Action, Cause, Observation
from realtime_rl.plants.base import Plant

Interaction = Literal["asynchronous", "sequential"]
INTERACTIONS: tuple[Interaction, ...] = ("asynchronous", "sequential")

Policy = Callable[[int, Observation], Action]
"""`(tick, stacked observation) -> action`."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How inference and plant interleave."""

    ticks: int
    """The action of observation `k` acts at tick `k + ticks`; 1: the world seems to wait."""
    interaction: Interaction = "asynchronous"
    """`asynchronous`: an inference starts at every tick, as with enough staggered workers;
    `sequential`: the next one starts when the last one's action has acted."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.ticks < 1:
            raise ConfigError(f"delay {self.ticks!r} must be 1 tick or more")
        if self.interaction not in INTERACTIONS:
            raise ConfigError(f"interaction {self.interaction!r} is not one of "
                              f"{choices(INTERACTIONS)}")

    def starts(self, tick: int) -> bool:
        """Return whether an inference starts on the observation of `tick`."""
        return self.interaction == "asynchronous" or tick % self.ticks == 0


def simulate(
    plant: Plant, policy: Policy | None, delay: Delay, steps: int, *, stack: int = 1,
    default: DefaultPolicy | None = None, version: int = 0, applied: ActionHistory | None = None
) -> Iterator[tuple[Timestep, Observation]]:
    """Step a plant `steps` ticks; yield the record and the observation of each.

    No clock is read and nothing sleeps: the same plant, seed and policy give the same records.

    Args:
        plant: fresh, or wherever it is.
        policy: called once an inference; none: the default policy acts alone.
        delay: when its actions act.
        steps: how many ticks.
        stack: observations joined for the policy.
        default: acts when no action is due; the no-op when not given.
        version: written into the records as the policy's.
        applied: is told what every tick applied before `policy` is called: one that takes
            applied actions reads them there, as they are known live.
    """
    spec = plant.spec
    default = default or default_policy.make("noop", spec.actions)
    observations = ObservationStack(stack)
    due: dict[int, Action] = {}
    last, episode = spec.actions.noop, -1
    for tick in range(steps):
        acted = tick in due
        last = due.pop(tick) if acted else default(tick, last)
        transition = plant.step(last)
        episode += transition.first
        observations.push(tick, transition.observation, transition.first)
        if applied is not None:
            if transition.first:
                applied.begin(tick)
            applied.push(tick, last)
        stacked = observations.get(tick) if delay.starts(tick) else None
        if policy is not None and stacked is not None:
            due[tick + delay.ticks] = policy(tick, stacked)
        yield Timestep(
            stamp_ns=tick * spec.period_ns, tick=tick, period_ns=spec.period_ns, lateness_s=0.0,
            missed=False, episode=max(episode, 0), reward=transition.reward,
            discount=transition.discount, first=transition.first, last=transition.last,
            cause=Cause.POLICY if acted else Cause.DEFAULT, worker=0 if acted else -1,
            version=version if acted else -1, observation_tick=tick - delay.ticks if acted else -1,
            action=last, plant=spec.name), transition.observation
