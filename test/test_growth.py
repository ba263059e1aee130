"""Nothing that runs for days keeps what it was told: ten simulated days of each node's core.

Where time counts it jumps, so that ten days pass; where ticks do, there are many more of them than
anything keeps.
"""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest
from growth import check_bounded, sizes
from handmade import inference, learning, schedule, step, verdict

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.arbiter_limits import ArbiterLimits
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.latch import CommandLatch
from realtime_rl.core.enumerations import Miss
from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.experience.assembler import Assembler
from realtime_rl.core.figures import live_window
from realtime_rl.core.figures.live_window import LiveWindow
from realtime_rl.core.messages.records import ActionMessage, Inference, Timestep
from realtime_rl.core.schedule.coordination import Coordination
from realtime_rl.core.schedule.coordination_policy import CoordinationPolicy
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.schedule.tick_grid import TickPacer
from realtime_rl.core.schedule.worker_pool import WorkerPool
from realtime_rl.core.types import Action
from realtime_rl.plants import registry

TEN_DAYS_S, EVERY_S = 864_000, 8
TICKS = 8_000
PERIOD_NS = TEN_DAYS_S * 1_000_000_000 // TICKS
WORKERS = (0, 1, 2)
DELAY_NS = 3 * PERIOD_NS // 2


def test_what_grows_is_found() -> None:
    kept = SimpleNamespace(all=[], few=deque(maxlen=9), nested=[[]],
                           inside=(SimpleNamespace(a={}),))
    check_bounded(kept, kept.few.append, 1000)
    for grow in (kept.all.append, kept.nested[0].append,
                 lambda number: kept.inside[0].a.update({number: number})):
        with pytest.raises(AssertionError, match="items in the first fifth of 1000 steps"):
            check_bounded(kept, grow, 1000)
    assert sizes(kept)[".few"] == 9


def test_ten_days_of_the_monitor() -> None:
    """A tick, its verdict and inference, the learner's figures and a schedule, all at once."""
    window = LiveWindow(10_000_000_000)

    def second(number: int) -> None:
        now_s = EVERY_S * number
        now_ns = now_s * 1_000_000_000
        for record in (step(now_s, last=number % 50 == 49), verdict(now_s), inference(now_s),
                       learning(now_s), schedule(now_s)):
            window.take(record, now_ns)
        if now_s % 10_000 == 0:
            window.look(now_ns)

    check_bounded(window, second, TEN_DAYS_S // EVERY_S, looks=40)
    assert len(window.look(TEN_DAYS_S * 1_000_000_000)) == 5


def test_a_flood_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """More records within the window than any plant sends."""
    monkeypatch.setattr(live_window, "_MOST", 1000)
    monkeypatch.setattr(live_window, "_TURNED", 500)
    window = LiveWindow(10_000_000_000)
    tick, fate, slot = step(1), verdict(1), inference(1)
    for number in range(3000):
        for record in (tick, fate, slot):
            window.take(record, number)
    for kept in (window._timesteps, window._verdicts, window._inferences):
        assert (len(kept._table), kept._times_ns.size) == (1000, 1000)
        assert len(kept._new) < 500


class Graph:
    """The cores of plant, inference, coordinator, actuator, monitor and learner, wired directly.

    Messages are lost now and then, a person takes over, a stop is held, the plant begins anew.
    """

    def __init__(self, plant: str = "counter", **options: object) -> None:
        self.plant = registry.make(plant, options, 0)
        self.space = self.plant.spec.actions
        self.latch = CommandLatch(self.space)
        self.pacer = TickPacer(PERIOD_NS, 0)
        self.arbiter = Arbiter(
            self.space, default_policy.make("repeat_last", self.space),
            ArbiterLimits(PERIOD_NS, 64, PERIOD_NS // 10, PERIOD_NS), 0)
        self.pool: WorkerPool[Action] = WorkerPool(WORKERS, Schedule(WORKERS, PERIOD_NS))
        self.coordination = Coordination(CoordinationPolicy(
            WORKERS, PERIOD_NS, PERIOD_NS // 10, window=64, most_handover_ns=PERIOD_NS // 5,
            processes=("inference_0",)))
        self.window = LiveWindow(100 * PERIOD_NS)
        self.assembler = Assembler(stack=2, gamma=0.99, capacity=128, history=2)
        self.applied = ActionHistory(3, 128)
        self.transitions: deque[object] = deque(maxlen=1)
        self.rng = np.random.default_rng(0)
        self.tick = -1

    def step(self, number: int) -> None:
        now_ns = number * PERIOD_NS
        self.tick = 0 if number % 2001 == 2000 else self.tick + 1  # now and then it begins anew
        self.pacer.start(now_ns)
        command = self.latch.latch()
        happened = self.plant.step(command.action)
        record = Timestep.latching(
            command, stamp_ns=now_ns, tick=self.tick, period_ns=PERIOD_NS, reward=happened.reward,
            discount=happened.discount, first=happened.first, last=happened.last, plant="counter")
        self.window.take(record, now_ns)
        for each in (self.assembler.observe(self.tick, happened.observation, happened.first)
                     + self.assembler.step(record)):
            self.transitions.append(each)
        self.applied.push(self.tick, command.action)
        self.applied.get(self.tick)
        if self.rng.random() > 0.02:  # else it is lost
            self.carry_out(self.arbiter.on_timestep(record, now_ns), now_ns)
        self.infer(now_ns)
        self.disturb(number, now_ns)
        due_ns = self.arbiter.next_deadline_ns()
        if due_ns is not None and due_ns <= now_ns + PERIOD_NS:
            self.carry_out(self.arbiter.on_deadline(now_ns + PERIOD_NS // 2), now_ns)
        if number % 40 == 0:
            told = self.coordination.evaluate()
            if told is not None:
                self.pool.set_schedule(told)
            self.coordination.to_resend()
            self.window.look(now_ns)

    def infer(self, now_ns: int) -> None:
        if self.rng.random() > 0.02:
            for slot in self.pool.on_observation(self.tick, now_ns, now_ns):
                if slot.worker < 0:
                    self.inferred(Inference.missed(slot, Miss.BUSY, node="inference_0"), now_ns)
                else:
                    self.pool.on_result(slot, now_ns, round(DELAY_NS * self.rng.uniform(0.9, 1.1)),
                                        (float(self.rng.integers(self.space.size)),))
        for done in self.pool.due(now_ns):
            slot = done.slot
            took_s = (done.end_ns - slot.start_ns) / 1e9
            self.inferred(Inference.taken(
                slot, Miss.NONE, version=1, age_s=0.0, duration_s=took_s, compute_s=took_s,
                node="inference_0"), now_ns)
            self.carry_out(self.arbiter.on_action(
                ActionMessage.answering(slot, 1, done.result), now_ns), now_ns)

    def inferred(self, record: Inference, now_ns: int) -> None:
        self.coordination.on_inference(record)
        self.window.take(record, now_ns)

    def disturb(self, number: int, now_ns: int) -> None:
        place = number % 500
        if place == 490:
            self.carry_out(self.arbiter.on_operator((1.0,), True, now_ns), now_ns)
        if place in (200, 210):
            self.carry_out(self.arbiter.set_stop(place == 200, now_ns), now_ns)
        if place == 300:
            self.carry_out(self.arbiter.on_malformed(now_ns), now_ns)
            self.coordination.on_process("inference_0", alive=number % 1000 < 500)

    def carry_out(self, decision: Decision, now_ns: int) -> None:
        for command in decision.commands:
            self.latch.offer(command)
        for each in decision.verdicts:
            self.coordination.on_verdict(each)
            self.window.take(each, now_ns)


def test_ten_days_of_a_graph() -> None:
    graph = Graph()
    check_bounded(graph, graph.step, TICKS, looks=80, bounds={
        ".coordination._announced": 8, ".coordination._handover._measured": 1024})
    assert graph.transitions, "something was learned from"
    assert graph.coordination.schedule.generation > 0


def test_ten_days_of_an_emulator() -> None:
    pytest.importorskip("pyboy")
    plant = registry.make("pyboy", {"rom": "catch", "observe": "memory"}, 0)
    check_bounded(plant, lambda number: plant.step((float(number % 3),)), 4_000, looks=10)


def test_ten_days_of_an_environment_without_end() -> None:
    gymnasium = pytest.importorskip("gymnasium")
    del gymnasium
    plant = registry.make("gymnasium", {"id": "Pendulum-v1"}, 0)
    check_bounded(plant, lambda number: plant.step((float(number % 3 - 1),)), 5_000, looks=10)
