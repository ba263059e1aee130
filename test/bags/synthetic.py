"""A plausible run, made without ROS: 7 workers, an emulated 95 ms, a Game Boy's period."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime_rl.bags import messages
from realtime_rl.bags.metadata import OfferedQos
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.messages import records as r
from realtime_rl.core.messages import wire
from realtime_rl.core.types import Cause

PERIOD_NS = 16_742_706
START_NS = 1_760_000_000_000_000_000
TOPIC_OF: dict[type, str] = {
    r.Timestep: "timestep", r.Verdict: "verdict", r.Inference: "inference",
    r.ScheduleRecord: "schedule", r.Learning: "learning"}


@dataclass(frozen=True)
class Scenario:
    """What to make up."""

    ticks: int = 3600
    workers: int = 7
    delay: int = 6
    mean_s: float = 0.095
    cv: float = 0.0
    emulated: str = "constant:95ms"
    algorithm: r.Algorithm = r.Algorithm.MAX_TIME
    episode_ticks: int = 400
    policy_every_ticks: int = 900
    lost: float = 0.004
    """Probability that an inference takes twice as long."""
    schedule_tick: int = 40
    seed: int = 0


@dataclass
class Made:
    """Records with the time of their recording, in order."""

    records: list[tuple[int, Any]] = field(default_factory=list)

    def of(self, kind: type) -> tuple[Any, ...]:
        return tuple(record for _, record in self.records if type(record) is kind)

    @property
    def run(self) -> RunRecords:
        return RunRecords(self.of(r.Timestep), self.of(r.Verdict), self.of(r.Inference),
                          self.of(r.ScheduleRecord), self.of(r.Learning), self.of(str),
                          duration_s=(self.records[-1][0] - self.records[0][0]) / 1e9)


class _World:
    """Steps ticks; workers and actuator follow from when their results are due."""

    def __init__(self, scenario: Scenario) -> None:
        self.s = scenario
        self.rng = np.random.default_rng(scenario.seed)
        self.made = Made()
        self.idle_ns = [0] * scenario.workers
        self.flying: list[tuple[int, int, r.Inference]] = []
        self.stamps: list[int] = []
        self.newest = -1
        self.episode, self.place, self.version = 0, 0, 0

    def run(self) -> Made:
        for tick in range(self.s.ticks):
            start_ns = START_NS + tick * PERIOD_NS + int(self.rng.exponential(120_000))
            self._tick(tick, start_ns)
        self.made.records.sort(key=lambda entry: entry[0])
        return self.made

    def _tick(self, tick: int, now_ns: int) -> None:
        s, emit = self.s, self.made.records.append
        if tick % s.policy_every_ticks == 0:
            self.version += 1
            emit((now_ns, f"file:///run/policy-{self.version:06d}.onnx#sha256={'0' * 64}"))
        if tick == s.schedule_tick:
            emit((now_ns, self._schedule(now_ns)))
        if tick % 60 == 59:
            emit((now_ns, r.Learning(now_ns, tick // 4, tick // 2, 0.3 / (1 + tick / 900),
                                     max(0.05, 1 - tick / 2500), self.version, 1.0)))
        applied = self._latch(tick, now_ns)
        self._plant(tick, now_ns, applied)
        self._infer(tick, now_ns)

    def _schedule(self, now_ns: int) -> r.ScheduleRecord:
        s = self.s
        return r.ScheduleRecord(
            now_ns, 1, s.schedule_tick, s.delay, s.delay, round(s.mean_s * 1e9), 2_000_000,
            PERIOD_NS, s.algorithm, r.Dealing.POOLED, r.SlotSource.TICK, 1,
            tuple(range(s.workers)))

    def _latch(self, tick: int, now_ns: int) -> tuple[int, r.Inference] | None:
        """Judge what arrived since the last tick; return the action to apply."""
        arrived = []
        while self.flying and self.flying[0][0] < now_ns:
            arrival_ns, _, inference = heapq.heappop(self.flying)
            self.made.records.append((arrival_ns, inference))
            if inference.tick < self.newest:
                self._verdict(arrival_ns, inference, r.Fate.REJECTED, r.Reason.LATE)
            else:
                self.newest = inference.tick
                arrived.append((arrival_ns, inference))
        for arrival_ns, inference in arrived[:-1]:
            self._verdict(arrival_ns, inference, r.Fate.SUPERSEDED)
        if not arrived:
            return None
        arrival_ns, inference = arrived[-1]
        self._verdict(arrival_ns, inference, r.Fate.APPLIED, tick=tick, reported_ns=now_ns)
        return arrived[-1]

    def _verdict(self, arrival_ns: int, i: r.Inference, fate: r.Fate,
                 reason: r.Reason = r.Reason.NONE, *, tick: int = -1, reported_ns: int = 0) -> None:
        self.made.records.append((max(arrival_ns, reported_ns) + 300_000, r.Verdict(
            i.stamp_ns, fate, reason, tick, i.tick, tick - i.tick if tick >= 0 else -1, i.worker,
            i.version, i.generation, (arrival_ns - START_NS) / 1e9 + 1.0)))

    def _plant(self, tick: int, now_ns: int, applied: tuple[int, r.Inference] | None) -> None:
        s = self.s
        action = (float(tick % 3),)
        if applied is not None:
            i = applied[1]
            command = r.Command(Cause.POLICY, action, i.worker, i.version, i.tick)
        else:
            command = r.Command(Cause.DEFAULT if tick > 1 else Cause.NONE, action)
        first, last = self.place == 0, self.place == s.episode_ticks - 1
        caught = self.place % 50 == 49 and self.rng.random() < min(0.9, 0.2 + tick / s.ticks)
        self.made.records.append((now_ns + 200_000, r.Timestep.latching(
            command, stamp_ns=now_ns, tick=tick, period_ns=PERIOD_NS,
            lateness_s=(now_ns - START_NS - tick * PERIOD_NS) / 1e9, episode=self.episode,
            reward=float(caught), discount=0.0 if last else 1.0, first=first, last=last,
            plant="catch")))
        if command.cause is Cause.DEFAULT:
            self.made.records.append((now_ns + 500_000, r.Verdict.defaulted(tick)))
        self.place = 0 if last else self.place + 1
        self.episode += last

    def _infer(self, tick: int, now_ns: int) -> None:
        s = self.s
        start_ns = now_ns + 250_000 + int(self.rng.exponential(80_000))
        generation = int(tick >= s.schedule_tick)
        swapping = tick % s.policy_every_ticks in range(1, 4) and tick > 10
        worker = int(np.argmin(self.idle_ns))
        blank = r.Inference(now_ns, tick, tick + s.delay if generation else -1, -1, generation,
                            self.version, 0.0, 0.0, 0.0, r.Miss.BUSY, swapping, math.nan,
                            "inference_0", "cpu", s.emulated)
        if self.idle_ns[worker] > start_ns:
            self.made.records.append((start_ns, blank))
            return
        duration_s = self._duration()
        self.idle_ns[worker] = start_ns + round(duration_s * 1e9)
        release_ns = self.idle_ns[worker]
        if generation and s.algorithm is r.Algorithm.MAX_TIME:
            release_ns = max(release_ns, start_ns + max(round(s.mean_s * 1e9),
                                                        (s.delay - 1) * PERIOD_NS))
        first = tick % s.policy_every_ticks == 8
        done = replace(blank, worker=worker, age_s=(start_ns - now_ns) / 1e9, swap_s=0.07
                       if first else math.nan, duration_s=duration_s,
                       compute_s=duration_s if not s.emulated else 0.011, miss=r.Miss.NONE)
        arrival_ns = release_ns + int(self.rng.normal(900_000, 150_000))
        heapq.heappush(self.flying, (arrival_ns, tick, done))

    def _duration(self) -> float:
        s = self.s
        factor = 2.0 if self.rng.random() < s.lost else 1.0
        if s.cv:
            variance = math.log1p(s.cv**2)
            return factor * float(self.rng.lognormal(math.log(s.mean_s) - variance / 2,
                                                     math.sqrt(variance)))
        return factor * s.mean_s + float(self.rng.exponential(1e-4))


def make(scenario: Scenario | None = None) -> Made:
    """Make up a run."""
    return _World(scenario or Scenario()).run()


def cdr_of(record: object) -> bytes:
    """Serialize a record as its node would."""
    if isinstance(record, str):
        return messages.text_to_cdr(record)
    return messages.scalars_to_cdr(wire.encode(record))


def topics(namespace: str = "") -> Iterator[TopicInfo]:
    """The topics of a run, with the QoS that their publishers offer."""
    for name in (*TOPIC_OF.values(), "policy"):
        kind = "std_msgs/msg/String" if name == "policy" else "sensor_msgs/msg/JointState"
        latched = name in ("policy", "schedule")
        yield TopicInfo(f"{namespace}/{name}", kind,
                        OfferedQos(10 if latched else 1000, transient_local=latched))


def write(folder: Path, made: Made, *, namespace: str = "", flush_every_s: float = 1.0,
          writer: BagWriter | None = None) -> Path:
    """Record a run into a bag that is closed in order; return its folder."""
    with writer or BagWriter(folder, list(topics(namespace))) as bag:
        flushed_ns = 0
        for receive_ns, record in made.records:
            name = TOPIC_OF.get(type(record), "policy")
            bag.write(f"{namespace}/{name}", cdr_of(record), receive_ns)
            if receive_ns - flushed_ns > flush_every_s * 1e9:
                bag.flush()
                flushed_ns = receive_ns
    return folder
