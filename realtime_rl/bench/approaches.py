"""What can be compared: every algorithm with its dealing, and the baselines."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.enumerations import Algorithm, Dealing
from realtime_rl.core.schedule.stagger import ALONE, EAGER


@dataclass(frozen=True, slots=True)
class Approach:
    """One way to turn observations into actions."""

    algorithm: Algorithm
    dealing: Dealing = Dealing.POOLED

    @property
    def staggered(self) -> bool:
        """Whether workers take slots; the baselines' do not, and no slots are dealt."""
        return self.algorithm not in (*EAGER, *ALONE)

    @property
    def alone(self) -> bool:
        """Whether there is one inference at a time, however many workers are there."""
        return self.algorithm in ALONE

    @property
    def dealing_name(self) -> str | None:
        """The dealing's name; `None` where nothing is dealt."""
        return self.dealing.word if self.staggered else None

    def __str__(self) -> str:
        """Write it as `max_time pooled`, or `sequential`."""
        return " ".join(filter(None, (self.algorithm.word, self.dealing_name)))


STAGGERED = tuple(Approach(algorithm, dealing)
                  for algorithm in (Algorithm.MAX_TIME, Algorithm.QUANTILE_TIME, Algorithm.EXP_TIME)
                  for dealing in Dealing)
BASELINES = tuple(Approach(algorithm) for algorithm in (
    Algorithm.SEQUENTIAL, Algorithm.UNSTAGGERED, Algorithm.SINGLE_QUEUE))
COMPARED = (*(Approach(Algorithm.MAX_TIME, dealing) for dealing in Dealing),
            Approach(Algorithm.QUANTILE_TIME), Approach(Algorithm.EXP_TIME), *BASELINES)


def select(algorithm: str | None, dealing: str | None) -> tuple[Approach, ...]:
    """Return the approaches of an algorithm and a dealing, as the command line names them."""
    return tuple(approach for approach in (*STAGGERED, *BASELINES)
                 if algorithm in (None, approach.algorithm.word)
                 and dealing in (None, approach.dealing_name))
