"""When a robot's episodes begin and end, and what is earned in them.

Times are in nanoseconds on one monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realtime_rl.core.observations import Observation
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.rewards import Rewards


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tick earned, and whether it began or ended an episode."""

    reward: float
    discount: float
    """0.0: the episode ended for good; of one that was cut off: 1.0."""
    first: bool
    last: bool
    episode: int
    """-1: none has begun."""


class Episodes:
    """Of a robot; between two of them it is where the contract says."""

    def __init__(self, contract: Contract) -> None:
        """Begin with the first observation."""
        self._rewards = Rewards(contract)
        self._seconds = contract.episode.seconds
        self._pause_ns = round(contract.episode.pause * 1e9)
        self._by_itself = contract.episode.next == "by_itself"
        self._episode = -1
        self._began_ns = 0
        self._ended_ns: int | None = None
        self._done = self._cut = self._asked = False

    @property
    def between(self) -> bool:
        """An episode ended, and the next has not begun."""
        return self._ended_ns is not None

    def on_reward(self, name: str, message: Any) -> None:  # noqa: ANN401 - of its type
        """Take what a reward's topic says; `WireError` where it is no number."""
        self._rewards.on_message(name, message)

    def on_done(self, done: bool) -> None:
        """Take what the episode's topic says: true ends it."""
        self._done = self._done or done

    def end(self, *, success: bool) -> None:
        """End the episode: for good, or cut off without success."""
        self._done = self._done or success
        self._cut = self._cut or not success

    def reset(self) -> None:
        """Cut the episode off, if there is one, and begin the next."""
        self._cut = self._asked = True

    def tick(self, observation: Observation | None, now_ns: int, *, at_pose: bool) -> Outcome:
        """Say what a tick earned, which shows `observation`, or none.

        Args:
            observation: of the tick.
            now_ns: monotonic time.
            at_pose: the robot is where it is to be between two episodes.
        """
        if self._episode < 0 or self.between:
            if observation is not None and self._may_begin(now_ns, at_pose):
                return self._begin(now_ns)
            self._forget()
            return Outcome(0.0, 1.0, False, False, self._episode)
        reward, reached = self._rewards.take(observation)
        done = self._done or reached
        late = 0.0 < self._seconds <= (now_ns - self._began_ns) / 1e9
        last = done or self._cut or late
        if last:
            self._ended_ns = now_ns
            self._forget()
        return Outcome(reward, 0.0 if done else 1.0, False, last, self._episode)

    def _may_begin(self, now_ns: int, at_pose: bool) -> bool:
        if self._ended_ns is None:
            return True
        return (at_pose and now_ns - self._ended_ns >= self._pause_ns
                and (self._by_itself or self._asked))

    def _begin(self, now_ns: int) -> Outcome:
        self._episode += 1
        self._began_ns, self._ended_ns, self._asked = now_ns, None, False
        self._forget()
        return Outcome(0.0, 1.0, True, False, self._episode)

    def _forget(self) -> None:
        """What was said before an episode, or after it, is not of it."""
        self._done = self._cut = False
        self._rewards.clear()
