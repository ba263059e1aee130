"""A plant on its grid, an arbiter, and messages that take their time between them."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.arbiter_limits import ArbiterLimits
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.messages.records import ActionMessage, Command, Timestep, Verdict
from realtime_rl.core.types import Action, ActionSpace, Cause

MS = 1_000_000
PERIOD = 16 * MS
MARGIN = 4 * MS
MAX_DELAY = 32
FORGOTTEN = 64
SPACE = ActionSpace(("A", "B", "C", "NOOP"), (3.0,))
LIMITS = ArbiterLimits(PERIOD, MAX_DELAY, MARGIN, operator_timeout_ns=500 * MS)


def stamp(tick: int, life: int = 0) -> int:
    """Stamps differ from life to life of a plant, as ROS time goes on."""
    return (life + 1) * 10**15 + tick * PERIOD


def message(tick: int, due: int = -1, action: Action = (0.0,), *, worker: int = 1,
            life: int = 0) -> ActionMessage:
    return ActionMessage(stamp(tick, life), tick, due, worker, 7, 2, action)


def timestep(tick: int, command: Command, *, life: int = 0, lateness_s: float = 0.0) -> Timestep:
    return Timestep.latching(command, stamp_ns=stamp(tick, life), tick=tick, period_ns=PERIOD,
                             lateness_s=lateness_s)


@dataclass
class Knobs:
    """How badly the world behaves [ms]."""

    plant_late: float = 0.0
    command_slow: float = 0.0
    timestep_slow: float = 0.0


@dataclass
class World:
    """A plant on its grid, an arbiter, and messages that take their time between them."""

    seed: int = 0
    knobs: Knobs = field(default_factory=Knobs)
    default: str = "noop"
    period: int = PERIOD
    margin: int = MARGIN
    latches: Callable[[], CommandLatch] = lambda: CommandLatch(SPACE)
    now: int = 0
    events: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    steps: list[Timestep] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    delivered: list[tuple[int, ActionMessage]] = field(default_factory=list)
    ticks_to_come: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.latch = self.latches()
        self.listening = self.latch
        limits = replace(LIMITS, period_ns=self.period, margin_ns=self.margin)
        self.arbiter = Arbiter(SPACE, default_policy.make(self.default, SPACE), limits, 0)
        self.arrived = {"command": 0, "timestep": 0}
        self.count = 0

    def at(self, time: int, event: Callable[[], None]) -> None:
        self.count += 1
        heapq.heappush(self.events, (time, self.count, event))

    def delay(self, most_ms: float) -> int:
        return int(self.rng.random() ** 3 * most_ms * MS)

    def in_order(self, channel: str, most_ms: float) -> int:
        """Arrival of a message sent now: late, but never before the one sent before it."""
        self.arrived[channel] = max(self.now + self.delay(most_ms), self.arrived[channel])
        return self.arrived[channel]

    def plant(self, ticks: int, begin: int = 0, life: int = 0) -> None:
        """Schedule a life of the plant; what was sent to its former self is lost."""
        def start() -> None:
            self.latch = self.latches()
            self._tick(begin, 0, ticks, life)
        self.ticks_to_come += ticks
        self.at(begin, start)

    def _tick(self, begin: int, tick: int, ticks: int, life: int) -> None:
        due, latch = begin + tick * self.period, self.latch
        step = timestep(tick, latch.latch(), life=life, lateness_s=(self.now - due) / 1e9)
        self.steps.append(step)
        self.ticks_to_come -= 1

        def hear() -> None:
            self.listening = latch
            self.carry_out(self.arbiter.on_timestep(step, self.now))

        self.at(self.in_order("timestep", self.knobs.timestep_slow), hear)
        if tick + 1 < ticks:
            late = self.delay(self.knobs.plant_late)
            self.at(max(self.now, due + self.period + late),
                    lambda: self._tick(begin, tick + 1, ticks, life))

    def act(self, time: int, what: ActionMessage) -> None:
        def arrive() -> None:
            self.delivered.append((self.now, what))
            self.carry_out(self.arbiter.on_action(what, self.now))
        self.at(time, arrive)

    def stop(self, begin: int, end: int) -> None:
        self.at(begin, lambda: self.carry_out(self.arbiter.set_stop(True, self.now)))
        self.at(end, lambda: self.carry_out(self.arbiter.set_stop(False, self.now)))

    def operate(self, time: int, action: Action, engaged: bool = True) -> None:
        self.at(time, lambda: self.carry_out(self.arbiter.on_operator(action, engaged, self.now)))

    def carry_out(self, decision: Decision) -> None:
        self.verdicts += decision.verdicts
        latch = self.listening
        for command in decision.commands if self.ticks_to_come else ():
            self.at(self.in_order("command", self.knobs.command_slow),
                    lambda command=command: latch.offer(command))

    def run(self) -> World:
        """Go on until nothing is left to come; deadlines are met to the nanosecond."""
        while self.events:
            deadline = self.arbiter.next_deadline_ns()
            if deadline is not None and deadline < self.events[0][0]:
                self.now = max(self.now, deadline)
                self.carry_out(self.arbiter.on_deadline(self.now))
            else:
                self.now, _, event = heapq.heappop(self.events)
                event()
        return self

    def causes(self) -> list[Cause]:
        return [step.cause for step in self.steps]


def lives(world: World) -> list[list[Timestep]]:
    out: list[list[Timestep]] = []
    for step in world.steps:
        if not out or step.tick <= out[-1][-1].tick:
            out.append([])
        out[-1].append(step)
    return out


KNOBS = st.builds(Knobs, *(st.sampled_from([0.0, 1.0, 10.0, 60.0]) for _ in range(3)))
SEEDS = st.integers(0, 2**32)
DRAIN = FORGOTTEN + 20
"""Ticks after which nothing is undecided any more."""
