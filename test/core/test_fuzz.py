"""Ten thousand messages, most of them malformed: nothing but `WireError` comes of it."""

from __future__ import annotations

import dataclasses
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.arbiter_limits import ArbiterLimits
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.enumerations import Fate, Miss
from realtime_rl.core.experience.assembler import Assembler
from realtime_rl.core.figures.accounting import RunRecords, account
from realtime_rl.core.figures.health import assess
from realtime_rl.core.messages import joy_wire, records, wire
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.records import (
    ActionMessage,
    Command,
    CommandOrigin,
    Inference,
    Learning,
    ScheduleRecord,
    Timestep,
    Verdict,
)
from realtime_rl.core.messages.wire import NamedScalars, WireError
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy, Sizing
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.schedule.worker_pool import WorkerPool
from realtime_rl.core.types import ActionSpace, Cause

PERIOD_NS = 16_742_706
START_NS = 1_760_000_000_000_000_000
SPACE = ActionSpace(("LEFT", "RIGHT", "NOOP"), (2.0,))
NODES = ("inference_0", "inference_1")
MESSAGES = 10_000
NASTY = (math.nan, math.inf, -math.inf, 1e300, -1e300, 1e18, 2.0**53, 2.0**53 + 2, 2.0**62, -1.0,
         0.0, 0.5, 1.0, 3.0, 3599.0, 4095.0, 4096.0, 5e-324, -0.0)
TEXTS = ("", "=", "a=b=c", "node=", "tick=-1", "x" * 9000, "tick=" + "9" * 5000, "worker=1e9",
         "tick=5 first=1", "cause=policy worker=1 tick=3", "node=inference_0", "\x00", "ü=ü")


@dataclass
class World:
    """What a run says, tick by tick, before anybody spoils it."""

    rng: random.Random
    tick: int = 0

    def stamp(self, tick: int) -> int:
        return START_NS + max(0, tick) * PERIOD_NS

    def timestep(self) -> Timestep:
        self.tick += 1
        acted = self.tick > 8 and self.rng.random() < 0.9
        return Timestep(
            self.stamp(self.tick), self.tick, PERIOD_NS, 0.0001, False, self.tick // 50, 1.0, 1.0,
            self.tick % 50 == 0, self.tick % 50 == 49, Cause.POLICY if acted else Cause.DEFAULT,
            self.tick % 4 if acted else -1, 1 if acted else -1, self.tick - 6 if acted else -1,
            (2.0,), "catch")

    def action(self) -> ActionMessage:
        return ActionMessage(self.stamp(self.tick), self.tick, self.tick + 6, self.tick % 4, 1, 1,
                             (1.0,))

    def inference(self) -> Inference:
        tick = max(0, self.tick - 6)
        return Inference(self.stamp(tick), tick, tick + 6, tick % 4, 1, 1, 0.0001, 0.09, 0.01,
                         Miss.NONE, False, math.nan, NODES[tick % 2], "cpu", "")

    def verdict(self) -> Verdict:
        tick = max(0, self.tick - 6)
        return Verdict(self.stamp(tick), Fate.APPLIED, records.Reason.NONE, self.tick, tick, 6,
                       tick % 4, 1, 1, self.tick / 60, 0.091)

    def schedule(self) -> ScheduleRecord:
        return ScheduleRecord(
            self.stamp(self.tick), 1, self.tick, 6, 6, 90_000_000, 2_000_000, PERIOD_NS,
            records.Algorithm.MAX_TIME, records.Dealing.POOLED, records.SlotSource.TICK, 2,
            (0, 1, 2, 3))

    def learning(self) -> Learning:
        return Learning(self.stamp(self.tick), self.tick, self.tick, 0.1, 0.5, 1, 0.5)

    def origin(self) -> CommandOrigin:
        return CommandOrigin(self.stamp(self.tick), Cause.POLICY, self.tick % 4, 1, self.tick,
                             (1.0,))


class Graph:
    """Every object that a node wraps, fed with what could be read of each message."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.arbiter = Arbiter(SPACE, default_policy.make("repeat_last", SPACE),
                               ArbiterLimits(PERIOD_NS, 1024, 4_000_000, 500_000_000), 0)
        self.coordination = Coordination(CoordinationPolicy(
            (0, 1, 2, 3), PERIOD_NS, 2_000_000, most_handover_ns=50_000_000, processes=NODES,
            sizing=Sizing(auto=True), most_delay_ticks=896))
        self.assembler = Assembler(stack=3, gamma=0.99, history=4)
        self.pool: WorkerPool[int] = WorkerPool((0, 1, 2, 3), Schedule((0, 1, 2, 3), PERIOD_NS))
        self.kept: dict[type, list[Any]] = {
            kind: [] for kind in (Timestep, Verdict, Inference, ScheduleRecord, Learning)}
        self.latch = CommandLatch(SPACE)
        self.commands = 0
        self.read = self.refused = 0

    def advance(self) -> None:
        """A sixth of a period goes by, with every deadline in it."""
        self.now_ns += PERIOD_NS // 6
        for _ in range(64):
            due_ns = self.arbiter.next_deadline_ns()
            if due_ns is None or due_ns > self.now_ns:
                break
            self.carry_out(self.arbiter.on_deadline(self.now_ns))

    def carry_out(self, decision: Decision) -> None:
        self.commands += len(decision.commands)
        for verdict in decision.verdicts:
            # what the actuator says of anything that it got can be read by the others
            self.take_verdict(wire.decode(Verdict, wire.encode(verdict)))

    def take_verdict(self, verdict: Verdict) -> None:
        self.kept[Verdict].append(verdict)
        self.coordination.on_verdict(verdict)

    def take_timestep(self, step: Timestep) -> None:
        self.kept[Timestep].append(step)
        self.coordination.on_timestep(step, self.now_ns)
        self.carry_out(self.arbiter.on_timestep(step, self.now_ns))
        self.assembler.step(step)

    def take_action(self, action: ActionMessage) -> None:
        self.carry_out(self.arbiter.on_action(action, self.now_ns))

    def take_inference(self, inference: Inference) -> None:
        self.kept[Inference].append(inference)
        self.coordination.on_inference(inference, self.now_ns)

    def take_observation(self, said: tuple[int, bool]) -> None:
        tick, first = said
        self.assembler.observe(tick, np.zeros((1, 2, 2), np.uint8), first)
        for slot in self.pool.on_observation(tick, START_NS + tick, self.now_ns):
            if slot.worker >= 0:
                self.pool.on_result(slot, self.now_ns, 90_000_000, 0)
        self.pool.due(self.now_ns)

    def look(self) -> None:
        """What happens on timers: the coordinator's, the monitor's."""
        schedule = self.coordination.evaluate()
        if schedule is not None:
            self.pool.set_schedule(schedule)
        assert schedule is None or schedule.promised_delay_ticks <= 896
        self.latch.latch()
        self.coordination.out_of_sync()
        self.coordination.to_resend()
        newest = {kind: kept[-1] if kept else None for kind, kept in self.kept.items()}
        figures = account(RunRecords(*(kept[-200:] for kept in self.kept.values())))
        assess(figures, newest[ScheduleRecord], newest[Learning], (), 1)
        json.dumps(figures, allow_nan=False)


def spoil_scalars(rng: random.Random, message: NamedScalars) -> NamedScalars:
    names, values = list(message.names), list(message.values)
    frame_id, stamp_ns = message.frame_id, message.stamp_ns
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(max(1, min(len(names), len(values))))
        kind = rng.randrange(8)
        if kind < 4 and values:
            values[at] = rng.choice(NASTY)
        elif kind == 4 and names:
            names[at] = rng.choice((*names, "action.7", "active.x", "", "x" * 500))
        elif kind == 5:
            names, values = names[:at], values[:rng.randrange(len(values) + 1)]
        elif kind == 6:
            frame_id = rng.choice(TEXTS)
        else:
            stamp_ns = rng.choice((0, 1, -1, 2**63, 2**31 * 10**9, START_NS - 10**18))
    return NamedScalars(stamp_ns, frame_id, tuple(names), tuple(values))


def spoil_joy(rng: random.Random, joy: JoyValues) -> JoyValues:
    word = rng.choice(("tick", "due", "worker", "version", "generation"))
    number = rng.choice(("-1", "0", "5", "2" * 20, "9" * 5000, "x", "1.5", str(2**53), "99"))
    words = {**wire.decode_words(joy.frame_id), word: number}
    return rng.choice((
        replace(joy, frame_id=wire.encode_words(words)), replace(joy, frame_id=rng.choice(TEXTS)),
        replace(joy, axes=tuple(rng.choices(NASTY, k=rng.randrange(4)))),
        replace(joy, buttons=tuple(rng.choices((-1, 0, 1, 2**31 - 1), k=rng.randrange(6)))),
        replace(joy, stamp_ns=rng.choice((0, -1, 2**63)))))


def scalars_to(kind: type, take: Callable[[Any], None]) -> Callable[[NamedScalars], None]:
    return lambda message: take(wire.decode(kind, message))


@pytest.mark.parametrize("seed", range(2))
def test_ten_thousand_messages_harm_nobody(seed: int) -> None:
    rng = random.Random(seed)
    world, graph = World(rng), Graph()
    sources: list[tuple[Callable[[], Any], Callable[[Any], None]]] = [
        (world.timestep, scalars_to(Timestep, graph.take_timestep)),
        (world.verdict, scalars_to(Verdict, graph.take_verdict)),
        (world.inference, scalars_to(Inference, graph.take_inference)),
        (world.schedule, scalars_to(ScheduleRecord, graph.kept[ScheduleRecord].append)),
        (world.learning, scalars_to(Learning, graph.kept[Learning].append)),
        (world.origin, scalars_to(CommandOrigin, graph.latch.note))]

    def deliver(read: Callable[[Any], None], message: object) -> None:
        try:
            read(message)
            graph.read += 1
        except WireError as error:
            assert len(str(error)) < 1000
            graph.refused += 1

    for number in range(MESSAGES):
        graph.advance()
        spoilt = rng.random() < 0.7
        choice = rng.randrange(9) - 1
        if choice < 5:  # -1: the last of them
            source, read = sources[choice]
            message = wire.encode(source())
            deliver(read, spoil_scalars(rng, message) if spoilt else message)
        elif choice == 5:
            joy = joy_wire.encode_action(world.action(), SPACE)
            deliver(lambda joy: graph.take_action(joy_wire.decode_action(joy, SPACE)),
                    spoil_joy(rng, joy) if spoilt else joy)
        elif choice == 6:
            words = f"plant=catch tick={world.tick} first=0"
            deliver(lambda text: graph.take_observation(wire.observation_words(text)),
                    rng.choice((*TEXTS, f"tick={rng.choice((0, 2**53, 2**40))} first=1"))
                    if spoilt else words)
        else:
            words = joy_wire.command_words(Command(Cause.POLICY, (1.0,), 1, 1, 1))
            deliver(lambda text: graph.latch.offer(joy_wire.command_from(text, (1.0,))),
                    rng.choice(TEXTS) if spoilt else words)
        if number % 50 == 0:
            graph.look()
    assert min(graph.read, graph.refused) > MESSAGES // 4  # both were tried
    assert graph.commands < MESSAGES  # no false tick made it command without end
    whole = account(RunRecords(*(tuple(kept) for kept in graph.kept.values())))
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole


def test_every_record_is_among_them() -> None:
    kinds = {kind for kind in vars(records).values()
             if dataclasses.is_dataclass(kind) and kind.__module__ == records.__name__}
    assert kinds == {ActionMessage, Command, CommandOrigin, Inference, Learning, ScheduleRecord,
                     Timestep, Verdict, records.RobotRecord}  # this one is read from bags only
