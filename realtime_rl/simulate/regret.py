"""What the episodes of a recorded run would have given, were one thing at a time otherwise.

The plant is taken through the run as it was recorded. At the beginning of each episode its state is
saved, and from there the episode is played again in virtual time, as `core.figures.regret` says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Literal

from realtime_rl.bags.reader import Run
from realtime_rl.core.control.default_policy import DefaultPolicy
from realtime_rl.core.errors import BagError
from realtime_rl.core.experience.action_history import ActionHistory, History
from realtime_rl.core.experience.observation_stack import ObservationStack
from realtime_rl.core.figures.regret import Pattern, Returns, pattern_of
from realtime_rl.core.figures.statistics import Sessions, episodes_of, plant_sessions
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action, Cause
from realtime_rl.plants.base import Plant
from realtime_rl.simulate.loop import LONGEST
from realtime_rl.simulate.replaying import difference, following

Kind = Literal["alone", "delayed", "inactive"]
_KEPT = 256
"""Ticks before an episode that are kept: the longest delay and the longest stack together."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A policy of some version, as an episode is played with it."""

    act: Callable[[Observation, History], Action]
    stack: int = 1
    history: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A tick that was played: what it applied, and what was seen after it."""

    tick: int
    action: Action
    observation: Observation
    first: bool


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a recorded episode began, and how it was acted on."""

    tick: int
    began_s: float
    state: bytes
    """Of the plant, before the episode's first tick."""
    before: tuple[Seen, ...]
    """The ticks before it, which its first actions answer."""
    pattern: Pattern
    recorded: float
    """Its return."""


def beginnings(run: Run, make: Callable[[], Plant], most: int = 0) -> Iterator[Beginning]:
    """Yield where a run's whole episodes began; the arguments are those of `following`.

    Args:
        run: what was recorded.
        make: makes the plant as it was when the run began.
        most: so many of them at most, evenly over the run; 0: all.

    Raises:
        BagError: as in `following`; a tick does not come out as recorded; no policy acted.
        PlantError: from `make`, or the plant's state cannot be saved.
    """
    sessions = plant_sessions(run.records.timesteps)
    patterns = _patterns(sessions, most)
    before: deque[Seen] = deque(maxlen=_KEPT)
    began_ns = int(sessions.ticks.ints("stamp_ns")[0])
    with closing(following(run, make)) as ticks:
        for row, (tick, plant) in enumerate(ticks):
            if plant is None:
                before.clear()
                continue
            step = tick.step
            if before and step.tick != before[-1].tick + 1:
                before.clear()
            if row in patterns:
                pattern, recorded = patterns[row]
                yield Beginning(step.tick, (step.stamp_ns - began_ns) / 1e9, plant.save_state(),
                                tuple(before), pattern, recorded)
            replayed = plant.step(step.action)
            differs = difference(tick, replayed)
            if differs:
                raise BagError(f"bag {str(run.path)!r} cannot be played once more, so that nothing "
                               f"can be said: {differs}; are plant, options and seed those of the "
                               "run?")
            before.append(Seen(step.tick, step.action, replayed.observation, step.first))


def _patterns(sessions: Sessions, most: int) -> dict[int, tuple[Pattern, float]]:
    """Return pattern and return of the whole episodes, by the row of their first tick."""
    steps = sessions.ticks
    acted = steps.equal("cause", Cause.POLICY)
    if not acted.any():
        raise BagError("no policy acted at any tick: there is nothing to be judged")
    found, episodes = {}, episodes_of(sessions)
    ticks, observed = steps.ints("tick"), steps.ints("observation_tick")
    versions = steps.ints("version")
    begun = int(acted.argmax())
    before = (max(1, int(ticks[begun] - observed[begun])), int(versions[begun]))
    chosen = range(len(episodes)) if not 0 < most < len(episodes) else (
        [place * len(episodes) // most for place in range(most)])
    for place in chosen:
        first, last = int(episodes.firsts[place]), int(episodes.lasts[place])
        earlier = acted[:first].nonzero()[0]
        if earlier.size:
            row = int(earlier[-1])
            before = (max(1, int(ticks[row] - observed[row])), int(versions[row]))
        rows = slice(first, last + 1)
        found[first] = (pattern_of(ticks[rows].tolist(), observed[rows].tolist(),
                                   acted[rows].tolist(), versions[rows].tolist(), before),
                        float(episodes.returns[place]))
    return found


def judged(beginning: Beginning, plant: Plant, judges: Callable[[int], Judge],
           reference: Judge, default: DefaultPolicy) -> Returns:
    """Play an episode again in each way; a return is NaN where it does not end within `LONGEST`.

    Args:
        beginning: of the episode.
        plant: any of the same options; its state is lost.
        judges: return the policy of a version.
        reference: plays at delay 1.
        default: acts where nobody does.
    """
    def once(judge: Callable[[int], Judge], kind: Kind) -> float:
        return _play(beginning, plant, judge, kind, default)

    return Returns(beginning.tick, beginning.began_s, once(lambda version: reference, "alone"),
                   once(judges, "alone"), once(judges, "delayed"), once(judges, "inactive"),
                   beginning.recorded)


class _Memory:
    """What was seen and applied, as each kind of policy takes it."""

    def __init__(self, before: Sequence[Seen]) -> None:
        self._seen: deque[Seen] = deque(before, maxlen=2 * _KEPT)
        self._stacks: dict[int, ObservationStack] = {}
        self._histories: dict[int, ActionHistory] = {}

    def push(self, seen: Seen) -> None:
        """Take in a tick."""
        self._seen.append(seen)
        for stack in self._stacks.values():
            stack.push(seen.tick, seen.observation, seen.first)
        for history in self._histories.values():
            _apply(history, seen)

    def answer(self, tick: int, judge: Judge) -> Action | None:
        """Return what a policy answers to the observation of a tick; `None`: it is not known."""
        if judge.stack not in self._stacks:
            self._stacks[judge.stack] = stack = ObservationStack(judge.stack, 2 * _KEPT)
            for seen in self._seen:
                stack.push(seen.tick, seen.observation, seen.first)
        if judge.history not in self._histories:
            self._histories[judge.history] = history = ActionHistory(judge.history)
            for seen in self._seen:
                _apply(history, seen)
        observation = self._stacks[judge.stack].get(tick)
        return (None if observation is None
                else judge.act(observation, self._histories[judge.history].get(tick)))


def _apply(history: ActionHistory, seen: Seen) -> None:
    if seen.first:
        history.begin(seen.tick)
    history.push(seen.tick, seen.action)


def _play(beginning: Beginning, plant: Plant, judges: Callable[[int], Judge], kind: Kind,
          default: DefaultPolicy) -> float:
    """Return what an episode gives."""
    plant.load_state(beginning.state)
    memory, pattern = _Memory(beginning.before), beginning.pattern
    action, total = plant.spec.actions.noop, 0.0
    for at in count():
        tick, place = beginning.tick + at, pattern.place(at)
        delay = 1 if kind == "alone" else pattern.delays[place]
        acts = at > 0 and (pattern.acted[place] or kind != "inactive")
        answer = memory.answer(tick - delay, judges(pattern.versions[place])) if acts else None
        action = default(tick, action) if answer is None else answer
        done = plant.step(action)
        total += done.reward
        memory.push(Seen(tick, action, done.observation, done.first))
        if done.last:
            return total
        if at >= LONGEST:
            return float("nan")
    raise AssertionError("an episode ends")
