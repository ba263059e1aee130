"""What a worker is told of the rows that act meanwhile, against what then acts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from arbiter_world import DRAIN, LIMITS, PERIOD, SEEDS, SPACE, World, stamp
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.control import default_policy
from realtime_rl.core.control.arbiter import Arbiter
from realtime_rl.core.control.chunk_book import ChunkBook, Chunking
from realtime_rl.core.control.chunk_merging import Merge
from realtime_rl.core.control.decision import Decision
from realtime_rl.core.control.in_flight import Received
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.messages.plan import NOTHING, Plan, decode_plan, encode_plan
from realtime_rl.core.messages.records import ActionMessage, Command, Timestep
from realtime_rl.core.policy.prefix import Prefix, of_plan
from realtime_rl.core.types import Action, ActionSpace, Cause

LINE = ActionSpace(("x",), (0.0,), (-1e6,), (1e6,))
MERGE = Merge(MergeRule.PREFIX)
TICKS = 90


@dataclass(frozen=True)
class Slot:
    """A chunk of the observation of `tick`, which comes `late` ticks after it is due; < 0: never.

    Row of tick `n` says `1000 tick + n`.
    """

    tick: int
    delay: int
    rows: int
    late: int = 0

    @property
    def due(self) -> int:
        return self.tick + self.delay

    @property
    def message(self) -> ActionMessage:
        rows = tuple((1000.0 * self.tick + self.tick + 1 + row,) for row in range(self.rows))
        return ActionMessage(self.tick + 1, self.tick, self.due, 0, 3, 1, rows[0], rows,
                             self.tick + 1)


@dataclass
class Played:
    """What each worker was told as it began, and what acted."""

    told: dict[int, Prefix] = field(default_factory=dict)
    acted: dict[int, Command] = field(default_factory=dict)

    def wrong(self) -> list[tuple[int, int]]:
        """Slots and ticks whose settled row was not what acted."""
        return [(tick, tick + 1 + row) for tick, prefix in self.told.items()
                for row in range(prefix.final)
                if tick + 1 + row in self.acted
                and self.acted[tick + 1 + row].action != prefix.rows[row]]


def play(slots: Sequence[Slot], interval: int = 1) -> Played:
    """A book, and workers that are told its plan; it is saved and restored now and then."""
    book, played = ChunkBook(LINE, Chunking(MERGE, interval_ticks=interval)), Played()
    begin = {slot.tick: slot for slot in slots}
    for tick in range(TICKS):
        for slot in slots:
            if slot.late >= 0 and tick == slot.due + slot.late:
                book.add(Received(slot.message, 0.0))
        if tick % 7 == 3:
            written = json.loads(json.dumps(book.values()))
            book = ChunkBook(LINE, book.chunking)
            book.restore(written)
        command = book.take(tick)
        played.acted[tick] = command or Command(Cause.DEFAULT, LINE.noop)
        if command is not None:
            book.latched(tick, command.observation_tick)
        book.fates(tick, lambda _: False)
        if tick in begin:
            played.told[tick] = of_plan(book.plan, tick, begin[tick].due)
    return played


@settings(max_examples=300, deadline=None)
@given(st.lists(st.builds(Slot, st.integers(0, 60), st.integers(1, 9), st.integers(1, 20),
                          st.integers(-1, 6)), max_size=25, unique_by=lambda slot: slot.tick),
       st.integers(1, 12))
def test_settled_rows_act_whatever_the_slots_are(slots: list[Slot], interval: int) -> None:
    assert play(slots, interval).wrong() == []


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 9), st.integers(0, 6), st.lists(st.integers(-1, 4), max_size=9),
       st.integers(0, 30))
def test_a_whole_prefix_is_settled_where_chunks_come_in_time(
        delay: int, more: int, lates: list[int], rows: int) -> None:
    every, horizon = delay + more, 2 * delay + more - 1 + rows
    lates += [0] * 20
    slots = [Slot(place * every, delay, horizon, lates[place])
             for place in range(min(8, TICKS // every))]
    played = play(slots, every)
    assert played.wrong() == []
    for before, slot in itertools.pairwise(slots):
        prefix = played.told[slot.tick]
        assert prefix.promised == delay - 1
        if before.late == 0 and slot.tick + delay < TICKS:
            assert prefix.final == delay - 1
            assert prefix.rows[:delay - 1] == tuple(
                (1000.0 * before.tick + tick,) for tick in range(slot.tick + 1, slot.due))
        elif every == delay:
            assert prefix.final == 0  # it has not come, or just now: nothing is settled


def test_chunks_of_every_tick_are_taken_up_a_delay_apart() -> None:
    played = play([Slot(tick, 4, 20) for tick in range(40)])
    taken = sorted({each.observation_tick for each in played.acted.values()
                    if each.cause is Cause.POLICY})
    assert taken[:6] == [0, 4, 8, 12, 16, 20]  # the freshest there is, not the first that came
    assert [played.told[tick].final for tick in range(4, 9)] == [3, 2, 1, 0, 3]


def test_a_chunk_that_came_late_does_not_make_the_next_one_late() -> None:
    lates = [0, 0, 2, 0, 0]
    played = play([Slot(4 * place, 4, 30, late) for place, late in enumerate(lates)])
    begun = [min(tick for tick, each in played.acted.items() if each.observation_tick == seen)
             for seen in range(0, 20, 4)]
    assert begun == [4, 8, 14, 16, 20]


def test_a_row_for_which_nothing_is_promised_may_be_of_any_chunk() -> None:
    """The chunk that is taken up ends before the next may be: another goes on, none is awaited."""
    played = play([Slot(0, 2, 30), Slot(2, 4, 5), Slot(3, 4, 9)])
    assert [played.acted[tick].observation_tick for tick in range(2, 12)] == [
        0, 0, 0, 0, 2, 2, 3, 3, 3, 3]


def prefixed(world: World, space: ActionSpace = SPACE) -> list[Plan]:
    """Let chunks of a world meet as prefixes do; return where its plans are noted."""
    world.arbiter = Arbiter(space, default_policy.make("noop", space),
                            replace(LIMITS, chunking=Chunking(MERGE)), 0)
    plans: list[Plan] = []
    plain = world.carry_out

    def carry_out(decision: Decision) -> None:
        plans.extend(decision.plans)
        plain(decision)
    world.carry_out = carry_out  # type: ignore[method-assign]
    return plans


def chunk(tick: int, delay: int, rows: int) -> ActionMessage:
    """Row of tick `n` says `(tick + n) % 3`."""
    values = tuple(((tick + tick + 1 + row) % 3 * 1.0,) for row in range(rows))
    return ActionMessage(stamp(tick), tick, tick + delay, 1, 7, 2, values[0], values, tick + 1)


def kept(plans: Sequence[Plan], steps: Sequence[Timestep]) -> bool:
    acted = {step.tick: step.action for step in steps}
    return all(acted[tick] == plan.rows[tick - plan.first_tick] for plan in plans
               for tick in range(plan.first_tick, plan.final_until + 1) if tick in acted)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 8))
def test_the_actuator_keeps_what_it_promised(seed: int, delay: int) -> None:
    world = World(seed)
    plans, rng = prefixed(world), world.rng
    world.plant(80 + DRAIN)
    tick = 0
    while tick < 80:
        took = delay - 0.3 if rng.random() < 0.7 else delay + 3 * rng.random()
        if rng.random() < 0.9:
            world.act(int((tick + took) * PERIOD), chunk(tick, delay, rng.choice([3, 20, 40])))
        tick += rng.choice([1, delay, delay, delay + 2])
    world.run()
    assert plans
    assert kept(plans, world.steps)
    seen = {step.tick: step.observation_tick for step in world.steps}
    assert all(seen[plan.first_tick] == plan.tick for plan in plans
               if plan.final_until >= plan.first_tick)


def test_a_stop_voids_what_was_promised() -> None:
    world = World()
    plans = prefixed(world)
    world.plant(60 + DRAIN)
    for tick in range(0, 60, 4):
        world.act(int((tick + 3.5) * PERIOD), chunk(tick, 4, 20))
    world.stop(int(13.5 * PERIOD), int(20.5 * PERIOD))
    world.run()
    place = plans.index(NOTHING)
    assert [plan.tick for plan in plans[:place]] == [0, 4, 8]
    assert plans[place + 1].tick == 20  # the first that was decided after it and is not in vain
    assert kept(plans[place + 1:], world.steps)


def test_a_plant_that_begins_anew_is_promised_nothing() -> None:
    world = World()
    plans = prefixed(world)
    world.plant(12)
    world.act(int(3.5 * PERIOD), chunk(0, 4, 40))
    world.plant(10, 40 * PERIOD, life=1)
    world.run()
    assert [plan.tick for plan in plans] == [0, -1]


def test_a_plan_travels_as_a_chunk_does() -> None:
    choices: list[Action] = [(2.0,), (0.0,)]
    for space, rows in ((SPACE, choices), (LINE, [(0.5,), (-2.0,)])):
        plan = Plan(17, 5, 3, 9, 10, tuple(rows))
        assert decode_plan(encode_plan(plan, space), space) == plan
        assert decode_plan(encode_plan(NOTHING, space), space) == NOTHING
