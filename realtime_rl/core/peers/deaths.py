"""What becomes of a run whose nodes die: who is started again, who is given up, what is told."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass

ACTING = frozenset({"plant", "robot", "inference", "actuator"})
"""Executables of the path that acts: without one of them there is no run."""
MOST_DEATHS = 5
WINDOW_S = 20.0
RESPAWN_DELAY_S = 0.5
BAD_CONFIGURATION = 2
"""Exit status of a node that cannot be what it was told to be."""
STARTUP_S = 15.0
"""Who says so this early ends the run; later, the others go on."""
_KEPT = 200
_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}


class Then(enum.Enum):
    """What follows a death, in words of the past for those who read of it later."""

    AGAIN = "started again"
    ALONE = "not started again"
    """It is not respawned, as a recorder is not."""
    GIVEN_UP = "given up"
    """It died too often, and the others go on without it."""
    RUN_ENDED = "the run was ended"
    AT_THE_END = "failed in ending"


@dataclass(frozen=True, slots=True)
class Death:
    """The unasked end of a node's process."""

    node: str
    at_s: float
    """Since the run began."""
    status: int
    """Exit status; -N where signal N ended it."""
    last_words: str
    """The last line that it printed; empty where there was none."""
    then: Then

    @property
    def cause(self) -> str:
        """The status in words."""
        if self.status >= 0:
            return f"status {self.status}"
        return _SIGNALS.get(-self.status, f"signal {-self.status}")

    @property
    def words(self) -> str:
        """What it said last, to follow a sentence; empty where that was of its ordinary work."""
        ordinary = not self.last_words or "[INFO]" in self.last_words
        if ordinary:
            return ""
        # a warning was not what it died of
        return f"{'; it said last' if '[WARN]' in self.last_words else ''}: {self.last_words}"

    @property
    def summary(self) -> str:
        """The death in one line."""
        end = self.then is Then.AT_THE_END
        return (f"{self.node} {self.then.value if end else 'died'} at {self.at_s:.1f} s "
                f"({self.cause}){'' if end else f', {self.then.value}'}{self.words}")


class Deaths:
    """Keeps count of a run's deaths, and decides what follows each.

    Memory is bounded: all are counted, the first and the newest hundred are kept.
    """

    def __init__(self, began_ns: int = 0) -> None:
        """Nobody has died in a run that began at `began_ns` by its stamps' clock; 0: unknown."""
        self.began_ns = began_ns
        self._kept: list[Death] = []
        self._times: dict[str, list[float]] = {}
        self.counts: Counter[str] = Counter()
        """Deaths by node."""

    def died(self, node: str, executables: tuple[str, ...], at_s: float, status: int,
             last_words: str = "", *, respawn: bool) -> Death:
        """Return a node's death at `at_s` [s], with what follows it.

        Args:
            node: its name.
            executables: what it is; several of a composed process.
            at_s: since the run began.
            status: exit status; -N where signal N ended it.
            last_words: the last line that it printed.
            respawn: whether it may be started again.
        """
        times = [t for t in self._times.get(node, []) if at_s - t < WINDOW_S] + [at_s]
        self._times[node] = times
        if status == BAD_CONFIGURATION and at_s < STARTUP_S:
            then = Then.RUN_ENDED
        elif not respawn:
            then = Then.ALONE
        elif len(times) < MOST_DEATHS:
            then = Then.AGAIN
        else:
            then = Then.GIVEN_UP if ACTING.isdisjoint(executables) else Then.RUN_ENDED
        return self._keep(Death(node, at_s, status, last_words, then))

    def failed_at_the_end(self, node: str, at_s: float, status: int, last_words: str) -> Death:
        """Return the death of a node that was asked to end, and did so with a failure."""
        return self._keep(Death(node, at_s, status, last_words, Then.AT_THE_END))

    def __len__(self) -> int:
        """How often a node died."""
        return self.counts.total()

    @property
    def kept(self) -> tuple[Death, ...]:
        """The deaths in order; of very many, the first and the newest."""
        return tuple(self._kept)

    def summary(self) -> list[str]:
        """Say in one line a node when it last died, what followed, its last words, how often."""
        return [self._line(node, count) for node, count in self.counts.items()]

    def _keep(self, death: Death) -> Death:
        self.counts[death.node] += 1
        if len(self._kept) >= _KEPT:
            del self._kept[_KEPT // 2]
        self._kept.append(death)
        return death

    def _line(self, node: str, count: int) -> str:
        newest = next(each for each in reversed(self._kept) if each.node == node)
        return newest.summary if count == 1 else f"{newest.summary}; {count} deaths of it in all"
