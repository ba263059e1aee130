"""The coordinator's judgement: from measured inferences to the schedule everybody follows."""

from __future__ import annotations

from dataclasses import replace

from realtime_rl.core.enumerations import Miss
from realtime_rl.core.messages.ranges import MOST_GENERATION
from realtime_rl.core.messages.records import Inference, ScheduleRecord, Timestep, Verdict
from realtime_rl.core.peers.plant_view import PlantView
from realtime_rl.core.schedule import horizon
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.demand import Demand, DemandEstimator
from realtime_rl.core.schedule.followers import Followers
from realtime_rl.core.schedule.handover import Handover
from realtime_rl.core.schedule.pauses import Pauses
from realtime_rl.core.schedule.plausibility import Plausibility
from realtime_rl.core.schedule.settling import SettledNumbers
from realtime_rl.core.schedule.stagger import ALONE, EAGER, HOLDING, Schedule, promised_delay_ticks

_REMEMBERED = 8
"""Generations whose actions may still be on their way."""
_REFRESH_NS = 500_000
"""Actions held for so much longer or shorter: announced again, without a new generation."""


class Coordination:
    """Watches inferences, proposes schedules. Pure: an evaluation stands for its time."""

    def __init__(self, policy: CoordinationPolicy) -> None:
        """Begin with generation 0: nothing was measured yet, but a baseline is one already."""
        self._policy = policy
        self._most_ns = max(1, policy.most_delay_ticks * policy.period_ns - policy.handover_ns)
        self._estimator = DemandEstimator(policy.setting, policy.sizing.target, policy.warmup,
                                          self._most_ns)
        self._plant = PlantView(policy.period_ns)
        self._plausibility = Plausibility(len(policy.workers), policy.processes, policy.period_ns)
        self._pauses = Pauses()
        self._settled = SettledNumbers(policy.settling(policy.period_ns))
        self.required_workers = 1
        """`N*`, as far as it is known."""
        self._handover = Handover(policy.handover_ns, policy.most_handover_ns, policy.period_ns)
        self._announced: dict[int, Schedule] = {}
        """The newest schedules by generation."""
        self.duration_ns = 0
        """`T`, the inference time that the schedule reckons with."""
        self._followers = Followers(policy.processes, policy.workers, policy.resend_after)
        self.horizon = 0
        """Ticks after its observation that a chunk reaches; 0: single actions are given."""
        self._newest_tick = 0
        self._newest_stamp_ns = 0
        self._outdated = False
        """The present schedule is of no use any more, whatever the next one's integers."""
        self.schedule = Schedule(policy.workers, policy.period_ns, algorithm=policy.algorithm,
                                 dealing=policy.dealing)

    def follow(self, policy: CoordinationPolicy) -> None:
        """Be asked for something else of the same graph: the next evaluation tells it.

        Algorithm, dealing, slot source, quantile and sizing may differ. Measured durations stay.
        """
        if policy.setting != self._policy.setting:
            self._settled.anew()
        self._outdated = self._outdated or policy != self._policy
        self._policy = policy
        self._estimator.follow(policy.setting, policy.sizing.target)

    @property
    def absurd(self) -> int:
        """How many reported durations were ignored as absurd."""
        return self._estimator.durations.absurd

    @property
    def left_out(self) -> int:
        """How many durations do not count, as their process stood still meanwhile."""
        return self._pauses.left_out

    @property
    def at_most(self) -> bool:
        """Whether inferences take longer than may be promised."""
        return self.duration_ns >= self._most_ns

    @property
    def shortage(self) -> str:
        """Why chunks are too short for the schedule, and what would do; empty: they are not."""
        schedule = self.schedule
        if not self.horizon or not schedule.generation:
            return ""
        busy = -(-self.duration_ns // schedule.period_ns)
        return horizon.shortage(
            self.horizon, schedule.promised_delay_ticks, len(schedule.active),
            max(schedule.cycle_ticks, busy), max(self.required_workers, busy))

    @property
    def plant_tick(self) -> int:
        """The newest tick that `on_timestep` told of; a later one needs a newer one of these."""
        return self._plant.tick

    def on_timestep(self, step: Timestep, now_ns: int) -> None:
        """Take in a tick of the plant, the newest now and then; `now_ns` is monotonic.

        Raises:
            WireError: it is none of the plant's.
        """
        known, began_ns = self._plant.known, self._plant.began_ns
        self._plant.on_timestep(step, now_ns)
        if known and self._plant.began_ns != began_ns:
            self._begin_anew(self._plant.began_ns)

    def on_inference(self, inference: Inference, now_ns: int = 0) -> str | None:
        """Take in one slot's record, from any process.

        Returns:
            Why it cannot be true and does not count, if so.
        """
        problem = self._plausibility.problem(inference, self._announced, self._plant, now_ns)
        if problem is not None:
            return problem
        if inference.worker >= 0 and inference.stamp_ns > self._newest_stamp_ns:
            # the plant's own word counts, where there is one
            if inference.tick < self._newest_tick and not self._plant.known:
                self._begin_anew(inference.stamp_ns)
            self._newest_stamp_ns = inference.stamp_ns
            self._newest_tick = inference.tick
        if self._followers.on_inference(inference):
            self._estimator.durations.restarted(inference.node)
            self._pauses.restarted(inference.node)
        self._notice_other_schedule(inference)
        if inference.miss is Miss.NONE:
            self.horizon = inference.horizon
        for duration_s in self._counting(inference, now_ns):
            self._estimator.push(duration_s, inference.node)
        self._handover.on_inference(inference)
        return None

    def _counting(self, inference: Inference, now_ns: int) -> list[float]:
        """Durations that count, as is known with this record [s]."""
        if self.schedule.algorithm in (*EAGER, *ALONE):  # their slots do not tell of a silence
            return [inference.duration_s] if inference.miss is Miss.NONE else []
        own = sum(self._followers.of_worker(worker) == inference.node
                  for worker in self.schedule.active)
        spacing_ns = self.schedule.cycle_ticks * self.schedule.period_ns // max(1, own)
        since_ns = (self._plant.since_ns(inference.stamp_ns, now_ns) if self._plant.known
                    else None)
        return self._pauses.take(inference, self.duration_ns, spacing_ns, since_ns)

    def _notice_other_schedule(self, inference: Inference) -> None:
        """A process that deals slots by what was not announced follows somebody else."""
        announced = self._announced.get(inference.generation)
        if self.schedule.generation and (
                inference.generation > self.schedule.generation
                or (announced is not None
                    and inference.due_tick != announced.due_tick(inference.tick))):
            self.mark_out_of_sync(inference.node)

    def mark_out_of_sync(self, name: str) -> None:
        """Somebody else set the schedule of a process."""
        if self.schedule.generation:
            self._followers.mark_out_of_sync(name)

    def out_of_sync(self) -> list[str]:
        """Processes, each once, that follow what this coordinator did not announce: send it anew.

        It is sent what holds for the others; a generation that a stranger chose means nothing.
        """
        return self._followers.out_of_sync()

    def on_verdict(self, verdict: Verdict) -> str:
        """Take in the fate of an action, which tells the latency of the handover.

        Returns:
            The process that is counted on again by that, as its action arrived: evaluate anew,
            and tell it. Empty: none.
        """
        schedule = self._announced.get(verdict.generation)
        if schedule is not None:
            self._handover.on_verdict(verdict, schedule)
        current = verdict.generation == self.schedule.generation
        return self._followers.arrived(verdict.worker) if current else ""

    @property
    def handover_ns(self) -> int:
        """The allowance `h` in use."""
        holds = self._policy.algorithm in HOLDING
        return self._handover.allowance_ns if holds else self._policy.handover_ns

    def _begin_anew(self, stamp_ns: int) -> None:
        """The plant counts its ticks anew: the present effective tick means nothing any more."""
        self._outdated = True
        self._followers.restarted(stamp_ns)
        self._handover.restarted()
        self._plausibility.restarted()
        self._pauses.restarted()

    def behind(self) -> list[str]:
        """Processes that dealt a slot by an older generation: started again, or not reached."""
        return self._followers.behind(self.schedule)

    def on_process(self, name: str, alive: bool) -> None:
        """A process was found dead or hung, or is back; see `Followers`."""
        self._followers.on_process(name, alive)

    def schedule_for(self, name: str) -> Schedule:
        """What a process is to follow: the schedule, or one on trial (`Followers`)."""
        return self._followers.schedule_for(name, self.schedule)

    def to_resend(self) -> list[str]:
        """Processes to send the schedule again at this look: behind it, or back and silent."""
        return self._followers.to_resend(self.schedule)

    def record(self, stamp_ns: int, processes: int) -> ScheduleRecord:
        """The present schedule's record, as it is announced to so many processes."""
        schedule = self.schedule
        return ScheduleRecord(
            stamp_ns, schedule.generation, schedule.effective_tick,
            schedule.promised_delay_ticks, self.required_workers, self.duration_ns,
            self.handover_ns, schedule.period_ns, schedule.algorithm, schedule.dealing,
            schedule.slot_source, processes, schedule.active)

    def evaluate(self) -> Schedule | None:
        """Return the schedule to announce now, or `None` when the present one stands.

        The result has the present generation when only the time to hold actions moved.
        """
        demand = self._estimator.demand()
        if demand is None:
            return None
        present = self.schedule
        asked = min(self._policy.most_delay_ticks, promised_delay_ticks(
            demand.duration_ns, self.handover_ns, present.period_ns))
        settled = self._settled
        demand = replace(demand, promised_delay_ticks=settled.delay.settle(asked),
                         required_workers=settled.required.settle(demand.required_workers))
        self.required_workers, self.duration_ns = demand.required_workers, demand.duration_ns
        active = self._active(demand.required_workers)
        cycle = max(settled.cycle(len(active), self._estimator.cycle(len(active))),
                    len(active) * self._interval)
        wanted = (demand.promised_delay_ticks, active, cycle)
        if present.generation and not self._outdated and wanted == (
                present.promised_delay_ticks, present.active, present.cycle_ticks):
            return self._refresh(demand) if asked == present.promised_delay_ticks else None
        return self._announce(self._next(demand, active, cycle))

    def _announce(self, schedule: Schedule) -> Schedule:
        self.schedule = self._announced[schedule.generation] = schedule
        if len(self._announced) > _REMEMBERED:
            del self._announced[min(self._announced)]
        return schedule

    def _active(self, required: int) -> tuple[int, ...]:
        """Workers that are to take slots: of the living, in order, as many as wanted."""
        sizing = self._policy.sizing
        living = self._followers.living()
        if not living:
            return self.schedule.active  # nobody is there to follow another
        if not sizing.auto:
            return living
        if self._interval:
            required = horizon.workers_needed(required, self._interval)
        wanted = min(max(required + sizing.headroom, sizing.minimum), sizing.maximum)
        return living[:wanted]

    @property
    def _interval(self) -> int:
        """Ticks between two chunks at least; 0: none is asked for, or chunks are not given."""
        return self._policy.chunk_interval if self.horizon else 0

    def _refresh(self, demand: Demand) -> Schedule | None:
        """The integers stand; say again how long actions are held when that moved."""
        present = self.schedule
        if abs(demand.hold_ns - present.hold_ns) < _REFRESH_NS:
            return None
        return self._announce(replace(present, hold_ns=demand.hold_ns))

    def _next(self, demand: Demand, active: tuple[int, ...], cycle: int) -> Schedule:
        policy, present = self._policy, self.schedule
        # a coordinator that was started again goes on counting where the processes are
        newest = present.generation or self._followers.newest_generation
        self._outdated = False
        # the newest slot that was heard of began about a delay ago
        newest_tick = (self._plant.tick if self._plant.known else self._newest_tick
                       + max(demand.promised_delay_ticks, present.promised_delay_ticks))
        return Schedule(
            active, policy.period_ns, newest + 1 if newest < MOST_GENERATION else 1,
            newest_tick + policy.lead_ticks, demand.promised_delay_ticks,
            demand.hold_ns, policy.algorithm, policy.dealing, policy.slot_source, cycle)
