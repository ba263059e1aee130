"""The actuator's judgement: which command the plant gets at each tick, and every action's fate.

Commands leave ahead of the tick that is to latch them. What was really latched is learned from
the plant's `timestep`; only then is an action called applied, so that the verdicts are true.
"""

from __future__ import annotations

import math

from realtime_rl.core.control import chunk_merging
from realtime_rl.core.control.arbiter_limits import ArbiterLimits, usable_margin_ns
from realtime_rl.core.control.chunk_book import ChunkBook
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.default_policy import DefaultPolicy
from realtime_rl.core.control.in_flight import InFlight, Received
from realtime_rl.core.enumerations import Reason
from realtime_rl.core.messages.records import ActionMessage, Command, Timestep, Verdict
from realtime_rl.core.schedule.tick_grid import TickGrid
from realtime_rl.core.types import Action, ActionSpace, Cause

_EARLY = 0.25
"""An action answers a tick whose record has not come yet from so much of a period before the tick's
expected arrival on: messages overtake each other by less."""


class Arbiter:
    """Pure: every method takes the time `now_ns` on one monotonic clock."""

    def __init__(self, space: ActionSpace, default: DefaultPolicy, limits: ArbiterLimits,
                 start_ns: int, *, stopped: bool = False) -> None:
        """Begin at `start_ns`, perhaps stopped; nothing is commanded before the first tick."""
        self._space = space
        self._default = default
        self._limits = limits
        self._start_ns = start_ns
        self._margin_ns = usable_margin_ns(limits.margin_ns, limits.period_ns)
        self._grid = TickGrid(limits.period_ns)
        self._stamps: dict[int, int] = {}
        self._newest_tick = -1
        self._deadline_tick = -1
        self._in_flight = InFlight(limits.period_ns)
        self._early: list[Received] = []
        self._book = ChunkBook(space, limits.chunking)
        self._told = self._book.plan
        self._row_sent = (-1, -1)
        """The newest tick that a row was sent for, and the observation of its chunk."""
        self._received: set[int] = set()
        self._newest_forwarded = -1
        self._last_action: Action = space.noop
        self._void_until_tick = -1
        """Actions on observations up to this one are from before a stop or a takeover."""
        self._stopped = stopped
        self._operator: tuple[Action, int] | None = None

    @property
    def stopped(self) -> bool:
        """Whether the stop is held."""
        return self._stopped

    def next_deadline_ns(self) -> int | None:
        """When `on_deadline` wants to be called; `None` before the first tick."""
        if not self._grid.known:
            return None
        return self._grid.predict_ns(self._deadline_tick) - self._margin_ns

    def on_timestep(self, step: Timestep, now_ns: int) -> Decision:
        """The plant ticked: settle what it latched, and prepare its next tick."""
        decision = Decision()
        if step.tick <= self._newest_tick:
            self._restart(decision)
        self._grid.observe(step.tick, now_ns - round(step.lateness_s * 1e9))
        self._newest_tick = step.tick
        # one that comes late, as after a pause of this process, asks for no tick that is over
        self._deadline_tick = self._upcoming(now_ns)
        self._stamps[step.tick] = step.stamp_ns
        while (oldest := next(iter(self._stamps))) < step.tick - self._limits.max_delay_ticks:
            del self._stamps[oldest]
        if len(self._received) > 2 * self._limits.max_delay_ticks:
            self._received = {tick for tick in self._received if tick >= oldest}
        self._settle(step, decision)
        self._release_early(step.tick + 1, now_ns, decision)
        upcoming = self._upcoming(now_ns)
        if len(self._book) and self._overridden(now_ns) is None \
                and not self._book.expects_newer(upcoming):
            self._send_row(upcoming, decision)
        return decision

    def on_action(self, message: ActionMessage, now_ns: int) -> Decision:
        """An action arrived: forward it at once, keep it for its tick, or say why not."""
        received = Received(message, (now_ns - self._start_ns) / 1e9, self._age_s(message, now_ns))
        reason = self._refusal(message, now_ns)
        decision = Decision()
        if reason is not Reason.NONE:
            decision.verdicts.append(received.rejected(reason))
            return decision
        self._received.add(message.tick)
        if self._overridden(now_ns) is not None:
            decision.verdicts.append(received.superseded())
        elif message.rows:
            self._book.add(received)
            self._send_row(self._upcoming(now_ns), decision, newer_than=self._row_sent[1])
        elif message.due_tick > max(self._newest_tick + 1, self._deadline_tick - 1):
            self._early.append(received)
        else:
            self._forward(received, now_ns, decision)
        return decision

    def on_malformed(self, now_ns: int) -> Decision:
        """A message that is no action arrived."""
        return Decision(verdicts=[Verdict.unreadable((now_ns - self._start_ns) / 1e9)])

    def on_operator(self, action: Action, engaged: bool, now_ns: int) -> Decision:
        """A person's input: while engaged, it is what the plant gets."""
        if not engaged:
            if self._operator is not None:
                self._operator = (action, self._operator[1])
            return Decision()
        self._begin_override(now_ns)
        self._operator = (action, now_ns + self._limits.operator_timeout_ns)
        return self._override(now_ns)

    def set_stop(self, stopped: bool, now_ns: int) -> Decision:
        """Hold the safe command from now on, or let go."""
        if stopped:
            self._begin_override(now_ns)
        self._stopped = stopped
        return self._override(now_ns)

    def on_deadline(self, now_ns: int) -> Decision:
        """A tick is about to start: make sure that it has a command."""
        # ticks that are over, as after a pause of this process, are passed over
        tick = max(self._deadline_tick, self._grid.tick_after(now_ns) - 1)
        decision = Decision()
        self._deadline_tick = tick + 1
        decision.supersede(self._in_flight.forget(tick))
        self._release_early(tick, now_ns, decision)
        override = self._overridden(now_ns)
        if override is not None:
            self._send(override, tick, None, decision)
        elif self._send_row(tick, decision):
            pass
        elif not self._in_flight.reach(tick, settled=self._newest_tick >= tick - 1):
            action = self._default(tick, self._last_action)
            self._send(Command(Cause.DEFAULT, action), tick, None, decision)
        return decision

    def _refusal(self, message: ActionMessage, now_ns: int) -> Reason:
        problem = (chunk_merging.problem(message.rows, self._space) if message.rows
                   else chunk_merging.reason(self._space.problem(message.action)))
        if problem is not Reason.NONE:
            return problem
        if message.worker < 0 or 0 < self._limits.workers <= message.worker:
            return Reason.UNKNOWN_WORKER
        misplaced = self._misplaced(message, now_ns)
        if misplaced is not Reason.NONE:
            return misplaced
        if message.tick in self._received:
            return Reason.DUPLICATE
        late = message.tick < max(self._newest_forwarded, self._book.newest) or (
            message.rows and not self._book.usable(message, self._upcoming(now_ns)))
        return Reason.LATE if late else Reason.NONE

    def _misplaced(self, message: ActionMessage, now_ns: int) -> Reason:
        """Say whether an action answers a tick that it cannot, or must not any more."""
        # it can outrun the timestep of the observation it answers, by one at most
        if message.tick > self._newest_tick + 1 or message.tick < 0:
            return Reason.FUTURE
        ahead_of_news = message.tick > self._newest_tick
        of_this_session = (message.stamp_ns > self._newest_stamp if ahead_of_news
                           else message.stamp_ns == self._stamps.get(message.tick))
        if not of_this_session:
            return Reason.STALE
        if ahead_of_news and self._age_s(message, now_ns) < -_EARLY * self._limits.period_ns / 1e9:
            return Reason.FUTURE
        # it will be too old by then; nobody keeps it for ever
        kept_too_long = message.due_tick - 1 - message.tick > self._limits.max_delay_ticks
        decided_before = message.tick <= self._void_until_tick and self._overridden(now_ns) is None
        return Reason.STALE if kept_too_long or decided_before else Reason.NONE

    def _age_s(self, message: ActionMessage, now_ns: int) -> float:
        """How long the tick that an action answers is over, by the plant's grid."""
        if not self._grid.known or message.tick < 0:
            return math.nan
        return (now_ns - self._grid.predict_ns(message.tick)) / 1e9

    def _upcoming(self, now_ns: int) -> int:
        """The tick that a command sent now can reach."""
        if not self._grid.known:
            return 0
        return max(self._newest_tick + 1, self._grid.tick_after(now_ns))

    def _overridden(self, now_ns: int) -> Command | None:
        if self._stopped:
            return Command(Cause.STOP, self._space.noop)
        if self._operator is not None and now_ns < self._operator[1]:
            return Command(Cause.OPERATOR, self._operator[0])
        return None

    def _begin_override(self, now_ns: int) -> None:
        """What was decided before a stop or a takeover is never carried out after it."""
        if self._overridden(now_ns) is None:
            self._void_until_tick = self._newest_tick
            self._book.void()
            self._last_action = self._space.noop

    def _override(self, now_ns: int) -> Decision:
        decision = Decision()
        override = self._overridden(now_ns)
        if override is None:
            return decision
        self._tell(decision)
        decision.supersede(self._early)
        self._early.clear()
        self._send(override, self._upcoming(now_ns), None, decision)
        return decision

    def _forward(self, received: Received, now_ns: int, decision: Decision) -> None:
        message = received.message
        self._newest_forwarded = message.tick
        self._send(Command.carrying_out(message), self._upcoming(now_ns), received, decision)

    def _release_early(self, tick: int, now_ns: int, decision: Decision) -> None:
        ready = [early for early in self._early if early.message.due_tick <= tick]
        self._early = [early for early in self._early if early.message.due_tick > tick]
        for early in sorted(ready, key=lambda r: r.message.tick):
            if early.message.tick < self._newest_forwarded:
                decision.verdicts.append(early.rejected(Reason.LATE))
            else:
                self._forward(early, now_ns, decision)

    def _send_row(self, tick: int, decision: Decision, newer_than: int = -2) -> bool:
        """Send the row of a chunk for `tick`; return whether it has one, now or before.

        `newer_than`: nothing is sent unless it is of a newer observation than this.
        """
        if tick < self._row_sent[0] or not self._grid.known:
            return False
        command = self._book.take(tick)
        self._tell(decision)
        if command is None or command.observation_tick <= self._newest_forwarded:
            return False
        row = (tick, command.observation_tick)
        if row != self._row_sent and command.observation_tick > newer_than:
            self._row_sent = row
            self._send(command, tick, None, decision)
        return True

    def _tell(self, decision: Decision) -> None:
        """Say what is promised, where that changed."""
        if self._book.plan is not self._told:
            self._told = self._book.plan
            decision.plans.append(self._told)

    def _send(self, command: Command, tick: int, received: Received | None,
              decision: Decision) -> None:
        decision.supersede(self._in_flight.add(command, tick, received))
        decision.commands.append(command)

    def _settle(self, step: Timestep, decision: Decision) -> None:
        """Say what became of what the plant latched, or did not."""
        superseded, applied = self._in_flight.settle(step)
        decision.supersede(superseded)
        if applied is not None:
            if applied.message.tick > self._void_until_tick:
                self._last_action = applied.message.action
            decision.verdicts.append(applied.applied(step.tick))
        if len(self._book):
            self._settle_chunks(step, decision)
        if step.cause is Cause.DEFAULT:
            decision.verdicts.append(Verdict.defaulted(step.tick))

    def _settle_chunks(self, step: Timestep, decision: Decision) -> None:
        if step.cause is Cause.POLICY and step.row >= 0:
            self._book.latched(step.tick, step.observation_tick)
            if step.observation_tick > self._void_until_tick:
                self._last_action = step.action
        decision.verdicts += self._book.fates(step.tick, self._in_flight.carries_row_of)

    def _restart(self, decision: Decision) -> None:
        """The plant began anew: what answered its former session is void."""
        decision.supersede(self._in_flight.clear() + self._early)
        decision.verdicts += self._book.clear()
        self._tell(decision)
        self._row_sent = (-1, -1)
        self._early.clear()
        self._stamps.clear()
        self._received.clear()
        self._newest_forwarded = -1
        self._void_until_tick = -1
        self._last_action = self._space.noop

    @property
    def _newest_stamp(self) -> int:
        return self._stamps.get(self._newest_tick, 0)
