"""From ticks to transitions: the delayed semi-MDP that the policy really acts in (Definition 1).

An action computed from observation `k` and applied at tick `t` earns the rewards of the ticks
from `t` until the next applied action; it is followed by the observation which that one answers.
What the default policy, a stop or the plant's watchdog did in between only adds rewards.

A person's action counts as the policy's would have: it answers the observation from which the
policy's action for that tick would have been computed, a delay ago, whatever the person saw. So all
that is learned from is of one delay, and what a person plays gives the same transitions whether it
is learned from at once or from a recording.

Of a chunk each applied row is an action: its transition says which row it was of the answer to its
observation, and ends with the next applied row, which may answer the same observation.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, replace
from typing import Any

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.experience.action_history import ActionHistory, History
from realtime_rl.core.experience.observation_stack import Frames, ObservationStack
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action, Cause


@dataclass(frozen=True, slots=True)
class SemiMdpTransition:
    """One action of the policy or of a person, and what came of it."""

    observation: Frames
    """What the action answers."""
    action: Action
    reward: float
    """Rewards of `steps` ticks, each discounted to the tick at which the action was applied."""
    discount: float
    """`gamma ** steps`; 0.0 when the episode ended for good."""
    next_observation: Frames
    """What the next action answers; the last of the episode when it was cut short."""
    steps: int
    terminal: bool
    history: History = ()
    """What the plant had applied before `observation`; empty unless it was asked for."""
    next_history: History = ()
    """The same before `next_observation`."""
    row: int = -1
    """Of the chunk that answers `observation`; -1: a single action does."""
    next_row: int = -1
    """Of the chunk that answers `next_observation`, as far as that is known."""


@dataclass(slots=True)
class _Open:
    """An action that was applied, while it still earns."""

    observation: Frames
    observation_tick: int
    action: Action
    history: History
    reward: float = 0.0
    steps: int = 0
    row: int = -1


class Assembler:
    """Makes transitions of ticks and observations, however the two streams interleave.

    A tick is judged once its observation came or must be lost. What a gap spans is dropped, and
    so is an action that answers an observation of an earlier episode.
    """

    def __init__(self, *, stack: int, gamma: float, capacity: int = 1024,
                 history: int = 0, operator_delay: int | None = None) -> None:
        """Keep `capacity` ticks at most: more than the largest delay plus `stack`.

        Args:
            stack: observations joined.
            gamma: discount a tick.
            capacity: of ticks.
            history: applied actions given beside each observation [ticks].
            operator_delay: see the attribute of that name.

        Raises:
            ConfigError: `gamma` is outside [0, 1], `stack` outside 1 … `capacity`, or `history`
                outside 0 … `capacity`.
        """
        if not 0.0 <= gamma <= 1.0:
            raise ConfigError(f"gamma {gamma!r} is outside 0 … 1")
        self._gamma = gamma
        self._capacity = capacity
        self._observations = ObservationStack(stack, capacity)
        self._applied = ActionHistory(history, capacity)
        self._waiting: deque[Timestep] = deque()
        self._previous = -1
        self._episode_start = 0
        self._open: _Open | None = None
        self.operator_delay = operator_delay
        """Delay of the policy in whose place a person acts [ticks], 1 or more; `None`: not known
        yet, and nothing is learned from what a person does."""
        self.dropped = 0
        """Applied actions that gave no transition."""

    def observe(self, tick: int, observation: Observation, first: bool) -> list[SemiMdpTransition]:
        """Take the observation of a tick; return the transitions that it completes."""
        self._observations.push(tick, observation, first)
        return self._judge()

    def step(self, step: Timestep) -> list[SemiMdpTransition]:
        """Take the record of a tick; return the transitions that it completes."""
        newest = self._waiting[-1].tick if self._waiting else self._previous
        if step.tick <= newest:
            self._restart(newest)
        self._waiting.append(step)
        if len(self._waiting) > self._capacity:
            self._waiting.popleft()
        return self._judge()

    def _restart(self, newest: int) -> None:
        """The plant started anew: never mix its ticks with those of the same number before."""
        self._waiting.clear()
        self._drop_open()
        self._applied.clear()
        self._previous = -1
        if self._observations.newest >= newest:
            self._observations.clear()  # still those of the earlier run

    def _judge(self) -> list[SemiMdpTransition]:
        found: list[SemiMdpTransition] = []
        while self._waiting and self._waiting[0].tick <= self._observations.newest:
            found += self._take(self._waiting.popleft())
        return found

    def _take(self, step: Timestep) -> list[SemiMdpTransition]:
        found: list[SemiMdpTransition] = []
        if self._previous < 0 or step.tick != self._previous + 1:
            self._drop_open()
            self._episode_start = step.tick
        if step.first:
            # A reset without an end before it: the episode was cut after the previous tick.
            found += self._close(self._previous)
            self._episode_start = step.tick
            self._applied.begin(step.tick)
        elif step.cause is Cause.POLICY:
            found += self._act(step, step.observation_tick)
        elif step.cause is Cause.OPERATOR:
            found += self._act_for(step)
        self._earn(step)
        if step.last:
            found += self._close(step.tick, terminal=step.discount == 0.0)
        self._previous = step.tick
        self._applied.push(step.tick, step.action)
        return found

    def _act_for(self, step: Timestep) -> list[SemiMdpTransition]:
        """A person acts in the policy's place."""
        if self.operator_delay is None:
            self._drop_open()
            self.dropped += 1
            return []
        return self._act(step, step.tick - self.operator_delay)

    def _act(self, step: Timestep, answered: int) -> list[SemiMdpTransition]:
        """Close the open action and open the one that `step` latched."""
        if self._open is not None \
                and (answered, step.row) <= (self._open.observation_tick, self._open.row):
            # a command latched again; or the delay is another than it was, and a tick between the
            # two has no action of its own, as when the policy's delay rises
            return []
        if not self._episode_start <= answered < step.tick:
            self.dropped += 1
            return []
        found = self._close(answered, next_row=step.row)
        frames = self._observations.frames(answered)
        if frames is None:
            self.dropped += 1
        else:
            self._open = _Open(frames, answered, step.action,
                               self._applied.get(answered), row=step.row)
        return found

    def _earn(self, step: Timestep) -> None:
        if self._open is not None:
            self._open.reward += self._gamma**self._open.steps * step.reward
            self._open.steps += 1

    def _close(self, next_tick: int, terminal: bool = False, next_row: int = -1
               ) -> list[SemiMdpTransition]:
        """Complete the open action; what follows it is the observation of `next_tick`."""
        done = self._open
        if done is None:
            return []
        frames = done.observation if terminal else self._observations.frames(next_tick)
        if frames is None:
            self._drop_open()
            return []
        self._open = None
        following = done.history if terminal else self._applied.get(next_tick)
        discount = 0.0 if terminal else self._gamma**done.steps
        return [SemiMdpTransition(done.observation, done.action, done.reward, discount, frames,
                                  done.steps, terminal, done.history, following, done.row,
                                  next_row)]

    def _drop_open(self) -> None:
        self.dropped += self._open is not None
        self._open = None

    def save(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        self._observations.save(snapshot, "assembler.observations")
        self._applied.save(snapshot, "assembler.applied")
        snapshot.values["assembler"] = {
            "waiting": [asdict(step) for step in self._waiting], "previous": self._previous,
            "episode_start": self._episode_start, "dropped": self.dropped}
        done = self._open
        snapshot.values["assembler.open"] = None if done is None else {
            **asdict(replace(done, observation=())),
            "observation": [snapshot.place(frame) for frame in done.observation]}

    def load(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        self._observations.load(snapshot, "assembler.observations")
        self._applied.load(snapshot, "assembler.applied")
        values, done = snapshot.values["assembler"], snapshot.values["assembler.open"]
        self._waiting = deque(_timestep(each) for each in values["waiting"])
        self._previous, self._episode_start = values["previous"], values["episode_start"]
        self.dropped = values["dropped"]
        self._open = None if done is None else _Open(**{
            **done, "observation": tuple(map(snapshot.frame, done["observation"])),
            "action": tuple(done["action"]),
            "history": tuple(each if each is None else tuple(each)
                             for each in done["history"])})


def _timestep(values: dict[str, Any]) -> Timestep:
    """Make the record again that `asdict` took apart and JSON kept."""
    return Timestep(**{**values, "cause": Cause(values["cause"]),
                       "action": tuple(values["action"])})
