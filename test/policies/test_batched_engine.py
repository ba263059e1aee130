"""Several slots in one run, and goals, in the engine: what is computed, when, and for whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from realtime_rl.core.enumerations import Algorithm, Miss
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.types import ActionSpace
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.engine_config import EngineConfig
from realtime_rl.policies.feeding import Seen
from realtime_rl.policies.hot_swap import HotSwap
from realtime_rl.policies.inference_engine import InferenceEngine
from realtime_rl.policies.latency import NoLatency
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader

SEEN = ObservationSpec((1,), "float32", -100, 100)
WHEEL = ActionSpace.parse("v:-100:100 = 0")
PERIOD_NS = 20_000_000
WAIT_S = 60.0


def proto(nodes: list[Any], inputs: dict[str, list[Any]], output: list[Any],
          **constants: np.ndarray[Any, Any]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes, "policy", [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                          for name, shape in inputs.items()],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def aimed(batch: int | str = "n") -> onnx.ModelProto:
    """Give what is seen plus the goal."""
    return proto([helper.make_node("Add", ["x", "aim"], ["action"])],
                 {"x": [batch, 1], "aim": [batch, 1]}, [batch, 1])


def negated() -> onnx.ModelProto:
    """Give what is seen, negated, and NaN for 7."""
    return proto([helper.make_node("Neg", ["x"], ["m"]),
                  helper.make_node("Sub", ["x", "seven"], ["d"]),
                  helper.make_node("Div", ["d", "d"], ["one"]),
                  helper.make_node("Mul", ["m", "one"], ["action"])],
                 {"x": ["n", 1]}, ["n", 1], seven=np.full(1, 7, np.float32))


def summed() -> onnx.ModelProto:
    """Give the sum over the open axis, as one whose axis is of time would."""
    return proto([helper.make_node("ReduceSum", ["x", "axis"], ["s"], keepdims=1),
                  helper.make_node("Mul", ["x", "zero"], ["z"]),
                  helper.make_node("Add", ["z", "s"], ["action"])],
                 {"x": ["t", 1]}, ["t", 1], axis=np.array([0], np.int64),
                 zero=np.zeros(1, np.float32))


def of_one() -> onnx.ModelProto:
    """Give what is seen, of one observation: its graph says so within."""
    return proto([helper.make_node("Reshape", ["x", "shape"], ["action"])],
                 {"x": [1, 1]}, [1, 1], shape=np.array([1, 1], np.int64))


Write = Callable[..., Path]
EXPECTED = (SEEN, WHEEL)


class Driven:
    """An engine that is shown ticks, and whose runs are counted."""

    def __init__(self, path: Path, batch: int, workers: int, options: PolicyOptions) -> None:
        self.policies: HotSwap[OnnxPolicy] = HotSwap(
            Loader(EXPECTED, Compute(batch=batch), options=options), time.monotonic_ns)
        self.use(path)
        ids = tuple(range(workers))
        self.engine = InferenceEngine(
            EngineConfig("test", ids, WHEEL, NoLatency(), 0, 1, batch=batch),
            Schedule(ids, PERIOD_NS, 1, 0, 1, 0, Algorithm.EXP_TIME), self.policies, lambda: None)
        self.now_ns = time.monotonic_ns() + 3600 * 10**9  # ahead of what computing takes

    def use(self, path: Path) -> None:
        self.policies.request(path.as_uri(), 0)
        assert self.policies.wait_idle(WAIT_S)
        assert self.policies.current is not None
        self.runs: list[int] = []
        backend = self.policies.current.policy.backend
        run = backend.run

        def counted(names: Any, feed: Any, lane: int, stop: Any) -> Any:
            self.runs.append(len(feed["x"]))
            return run(names, feed, lane, stop)
        backend.run = counted  # type: ignore[method-assign]

    def show(self, tick: int, value: float) -> list[Miss]:
        """Show an observation, a period after the one before; return the slots missed."""
        self.now_ns += PERIOD_NS
        self.engine.observe(tick, 1 + tick * PERIOD_NS, tick == 0, np.array([value], np.float32))
        return [each.miss for each in self.engine.start(self.now_ns, 0)]

    def answers(self, count: int) -> dict[int, float | str]:
        """Wait for so many answers; return the action, or the error, by tick."""
        found: dict[int, float | str] = {}
        deadline_s = time.monotonic() + WAIT_S
        while len(found) < count and time.monotonic() < deadline_s:
            for message, record, error in self.engine.due(self.now_ns):
                found[record.tick] = error if message is None else message.action[0]
        return found

    def close(self) -> None:
        assert self.engine.close() == 0
        assert self.policies.close() == 0


Drive = Callable[..., Driven]


@pytest.fixture
def drive(write: Write) -> Iterator[Drive]:
    made: list[Driven] = []

    def start(model: onnx.ModelProto, batch: int, workers: int, goal: str = "") -> Driven:
        made.append(Driven(write(model), batch, workers, PolicyOptions(goal=goal)))
        return made[-1]
    yield start
    for each in made:
        each.close()


def test_slots_of_consecutive_ticks_share_a_run(drive: Drive) -> None:
    driven = drive(negated(), 3, 6)
    for tick in range(2):
        assert driven.show(tick, tick) == []
        assert driven.engine.due(driven.now_ns) == []
    assert driven.runs == []
    driven.show(2, 2.0)
    assert driven.answers(3) == {0: 0.0, 1: -1.0, 2: -2.0}
    for tick in range(3, 6):
        driven.show(tick, tick)
    assert driven.answers(3) == {3: -3.0, 4: -4.0, 5: -5.0}
    assert driven.runs == [3, 3]


def test_one_bad_answer_of_a_batch_costs_its_own_slot_alone(drive: Drive) -> None:
    driven = drive(negated(), 3, 3)
    for tick, value in enumerate((1.0, 7.0, 3.0)):
        driven.show(tick, value)
    found = driven.answers(3)
    assert (found[0], found[2]) == (-1.0, -3.0)
    assert "gives non-finite outputs" in str(found[1])


def test_where_a_tick_is_lost_the_others_do_not_wait_for_it(drive: Drive) -> None:
    driven = drive(negated(), 3, 6)
    driven.show(0, 1.0)
    assert driven.show(3, 4.0) == [Miss.BUSY, Miss.BUSY]
    assert driven.answers(2) == {0: -1.0, 3: -4.0}
    assert driven.runs == [2]


def test_where_the_plant_stands_still_what_waits_is_run(drive: Drive) -> None:
    driven = drive(negated(), 4, 4)
    driven.show(0, 1.0)
    due_ns = driven.engine.next_due_ns()
    assert due_ns == driven.now_ns + 4 * PERIOD_NS
    driven.now_ns = due_ns
    assert driven.answers(1) == {0: -1.0}


def test_a_new_policy_does_not_answer_for_the_one_before(drive: Drive, write: Write) -> None:
    driven = drive(negated(), 2, 4)
    driven.show(0, 1.0)
    driven.use(write(proto([helper.make_node("Identity", ["x"], ["action"])], {"x": ["n", 1]},
                           ["n", 1]), name="other.onnx"))
    driven.show(1, 5.0)
    driven.show(2, 6.0)
    assert driven.answers(3) == {0: -1.0, 1: 5.0, 2: 6.0}
    assert driven.runs == [1, 2]


@pytest.mark.parametrize(("model", "message"), [
    (of_one, "its output .action., .* leaves no batch axis open"),
    (summed, "something else than on each alone"),
])
def test_a_policy_that_cannot_be_batched_is_refused_in_one_line(
    write: Write, model: Callable[[], onnx.ModelProto], message: str
) -> None:
    with pytest.raises(PolicyError, match=rf"cannot take inference\.batch=4: .*{message}.*; set "
                                          r"inference\.batch=1") as caught:
        OnnxPolicy.load(write(model()), EXPECTED, Compute(batch=4))
    assert "\n" not in str(caught.value)
    OnnxPolicy.load(write(model()), EXPECTED)


@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("refit", [False, True])
def test_a_batch_gives_what_single_runs_give(write: Write, batch: int | str, refit: bool) -> None:
    """An axis of 1 is opened."""
    policy = OnnxPolicy.load(write(aimed(batch)), EXPECTED, Compute(batch=5, refit=refit),
                             options=PolicyOptions(goal="aim=1"))
    seen = [Seen(np.array([value], np.float32), goal=None if value < 3 else np.array([value]))
            for value in range(5)]
    alone = [policy.infer(each.observation, goal=each.goal).tolist() for each in seen]
    found = policy.infer_batch([*seen, Seen(np.zeros(2, np.float32))])
    assert [each.tolist() for each in found[:5] if not isinstance(each, PolicyError)] == alone
    assert "takes (1,)" in str(found[5])


def test_beside_an_open_axis_one_of_1_is_the_same_for_all(write: Write) -> None:
    """As of a constant that the graph adds to every row."""
    path = write(proto([helper.make_node("Reshape", ["aim", "one"], ["a"]),
                        helper.make_node("Add", ["x", "a"], ["action"])],
                       {"x": ["n", 1], "aim": [1, 1]}, ["n", 1], one=np.array([1], np.int64)))
    policy = OnnxPolicy.load(path, EXPECTED, Compute(batch=3),
                             options=PolicyOptions(constants=("aim=5",)))
    found = policy.infer_batch([Seen(np.array([value], np.float32)) for value in range(3)])
    assert [each.tolist() for each in found if not isinstance(each, PolicyError)] == [[5.0], [6.0],
                                                                                     [7.0]]


def test_without_a_goal_nothing_is_begun_and_the_newest_one_counts(drive: Drive) -> None:
    driven = drive(aimed(), 1, 1, "aim")
    assert driven.engine.takes_goal
    assert driven.show(0, 1.0) == []
    assert driven.engine.next_due_ns() is None
    assert driven.engine.aim(np.array([1.0, 2.0])).startswith("a goal of 2 value(s)")
    assert driven.show(1, 1.0) == []
    for tick, goal in ((2, 10.0), (3, 20.0)):
        assert driven.engine.aim(np.array([goal])) == ""
        driven.show(tick, 1.0)
        assert driven.answers(1) == {tick: goal + 1.0}
    assert "not finite" in driven.engine.aim(np.array([np.nan]))
    driven.show(4, 2.0)
    assert driven.answers(1) == {4: 22.0}
    assert driven.runs == [1, 1, 1]


def test_with_a_goal_to_begin_with_it_acts_at_once(drive: Drive) -> None:
    driven = drive(aimed(), 1, 1, "aim=5")
    driven.show(0, 1.0)
    assert driven.answers(1) == {0: 6.0}
    driven.engine.aim(np.array([7.0]))
    driven.show(1, 1.0)
    assert driven.answers(1) == {1: 8.0}


def test_slots_of_one_batch_keep_the_goal_of_their_tick(drive: Drive) -> None:
    driven = drive(aimed(), 2, 2, "aim=5")
    driven.show(0, 1.0)
    driven.engine.aim(np.array([7.0]))
    driven.show(1, 1.0)
    assert driven.answers(2) == {0: 6.0, 1: 8.0}
    assert driven.runs == [2]
