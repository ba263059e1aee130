"""What a simulated run amounts to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.figures.intervals import Interval, mean_of
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.types import Cause
from realtime_rl.simulate.loop import Loop, VirtualTick


@dataclass(slots=True)
class Tally:
    """Collects the returns and the causes of a run, tick by tick."""

    returns: list[float] = field(default_factory=list)
    """Undiscounted returns of the episodes that ended."""
    end_ticks: list[int] = field(default_factory=list)
    """The tick with which each of them ended."""
    ticks: int = 0
    startup_ticks: int = 0
    """Ticks before the first action of the policy."""
    default_ticks: int = 0
    """Ticks after it on which the default policy acted."""
    reward: float = 0.0
    """Sum over all ticks, the unfinished episode included."""
    ages: list[int] = field(default_factory=list)
    """At place `n`: how many ticks acted on an observation of `n` ticks before."""
    counters: list[float] = field(default_factory=list)
    """What each of the plant's counters counted, over all ticks."""
    counter_names: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What the plant remarked."""
    _counted: list[float] = field(default_factory=list)
    _return: float = 0.0
    _started: bool = False

    def add(self, step: Timestep | VirtualTick) -> None:
        """Take in a tick."""
        self.ticks += 1
        self.reward += step.reward
        if step.cause is Cause.POLICY:
            self._started = True
            if step.observation_tick >= 0:
                self._count_age(step.tick - step.observation_tick, 1)
        elif not self._started:
            self.startup_ticks += 1
        elif step.cause is Cause.DEFAULT:
            self.default_ticks += 1
        self._return = step.reward if step.first else self._return + step.reward
        if step.counters:
            self._count(step)
        if step.last:
            self.returns.append(self._return)
            self.end_ticks.append(step.tick)

    def _count(self, step: Timestep | VirtualTick) -> None:
        if step.first or not self.counters:
            self._counted = [0.0] * len(step.counters)
            self.counters = self.counters or self._counted.copy()
        self.counters = [total + now - before for total, now, before in
                         zip(self.counters, step.counters, self._counted, strict=True)]
        self._counted = list(step.counters)

    def extend(self, other: Tally) -> None:
        """Take over what another run counted, as if it had come after this one."""
        self.returns += other.returns
        self.end_ticks += [self.ticks + tick for tick in other.end_ticks]
        self.ticks += other.ticks
        self.startup_ticks += other.startup_ticks
        self.default_ticks += other.default_ticks
        self.reward += other.reward
        self.counters = [one + two for one, two in
                         zip(self.counters or [0.0] * len(other.counters),
                             other.counters or [0.0] * len(self.counters), strict=True)]
        self.counter_names = self.counter_names or other.counter_names
        self.remarks += [text for text in other.remarks if text not in self.remarks]
        for age, ticks in enumerate(other.ages):
            self._count_age(age, ticks)

    def _count_age(self, age: int, ticks: int) -> None:
        self.ages += [0] * (age + 1 - len(self.ages))
        self.ages[age] += ticks

    def save(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        snapshot.values["figures"] = asdict(self)

    def load(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        for name, value in snapshot.values["figures"].items():
            setattr(self, name, value)

    @property
    def inaction_fraction(self) -> float:
        """Share of the ticks from the first policy action on, on which the default acted."""
        counted = self.ticks - self.startup_ticks
        return self.default_ticks / counted if counted else float("nan")

    @property
    def age_mean(self) -> float:
        """Mean age of the feedback [ticks], of the ticks on which the policy acted; NaN of none."""
        ticks = sum(self.ages)
        return sum(age * count for age, count in enumerate(self.ages)) / ticks if ticks \
            else float("nan")

    @property
    def age_p95(self) -> int | None:
        """The age [ticks] that 95 % of them do not exceed; `None` of none."""
        below, ticks = 0, sum(self.ages)
        for age, count in enumerate(self.ages):
            below += count
            if ticks and below >= 0.95 * ticks:
                return age
        return None

    @property
    def reward_per_tick(self) -> float:
        """Mean over all ticks; NaN without one."""
        return self.reward / self.ticks if self.ticks else float("nan")

    @property
    def same(self) -> bool:
        """Whether all episodes, of two or more, were as long and gave as much: one is as good."""
        lengths = [end - begin for begin, end in
                   zip([-1, *self.end_ticks], self.end_ticks, strict=False)]
        return len(lengths) > 1 and len(set(zip(lengths, self.returns, strict=True))) == 1

    def interval(self, since_tick: int = 0) -> Interval:
        """Return the mean return of the episodes that ended from `since_tick` on; NaN of none."""
        pairs = zip(self.returns, self.end_ticks, strict=True)
        return mean_of([value for value, tick in pairs if tick >= since_tick])


def play(loop: Loop, ticks: int, each: Callable[[VirtualTick], None] | None = None) -> Tally:
    """Go on for so many ticks; `each` is called after every one of them."""
    figures = Tally()
    for _ in range(ticks):
        done = loop.advance()
        figures.add(done)
        if each is not None:
            each(done)
    return figures
