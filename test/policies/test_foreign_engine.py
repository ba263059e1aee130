"""Chunks and recurrent policies in the engine: messages of rows, memory of one episode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from realtime_rl.core.enumerations import Algorithm
from realtime_rl.core.messages.plan import NOTHING, Plan
from realtime_rl.core.messages.records import ActionMessage, Inference
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.types import ActionSpace
from realtime_rl.policies.engine_config import EngineConfig
from realtime_rl.policies.hot_swap import HotSwap
from realtime_rl.policies.inference_engine import InferenceEngine
from realtime_rl.policies.latency import NoLatency
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader

SEEN = ObservationSpec((1,), "float32", -100, 100)
WHEEL = ActionSpace.parse("v:-100:100 = 0")
PERIOD_NS = 20_000_000
WAIT_S = 60.0


def _write(path: Path, nodes: list[Any], inputs: dict[str, list[int]],
           outputs: dict[str, list[int]], **constants: np.ndarray[Any, Any]) -> Path:
    def infos(of: dict[str, list[int]]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in of.items()]
    graph = helper.make_graph(nodes, "policy", infos(inputs), infos(outputs), [
        numpy_helper.from_array(value, name) for name, value in constants.items()])
    path.write_bytes(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    return path


def adder(path: Path) -> Path:
    """Gives the sum of all that it has seen in an episode."""
    return _write(path, [helper.make_node("Add", ["x", "h_in"], ["action"]),
                         helper.make_node("Identity", ["action"], ["h_out"])],
                  {"x": [1, 1], "h_in": [1, 1]}, {"action": [1, 1], "h_out": [1, 1]})


def counter(path: Path) -> Path:
    """Gives what it sees and the two numbers after it, as a chunk."""
    return _write(path, [helper.make_node("Reshape", ["x", "shape"], ["r"]),
                         helper.make_node("Add", ["r", "steps"], ["action"])],
                  {"x": [1, 1]}, {"action": [1, 3, 1]}, shape=np.array([1, 1, 1], np.int64),
                  steps=np.arange(3, dtype=np.float32).reshape(1, 3, 1))


def echo(path: Path) -> Path:
    """Gives back the chunk that is promised."""
    return _write(path, [helper.make_node("Reshape", ["x", "shape"], ["r"]),
                         helper.make_node("Mul", ["r", "zero"], ["n"]),
                         helper.make_node("Add", ["prev_chunk", "n"], ["action"])],
                  {"x": [1, 1], "prev_chunk": [1, 3, 1]}, {"action": [1, 3, 1]},
                  shape=np.array([1, 1, 1], np.int64), zero=np.zeros(1, np.float32))


class Driven:
    """An engine with one worker, shown one observation after another."""

    def __init__(self, path: Path) -> None:
        self.refused: list[str] = []
        self.records: list[Inference] = []
        self.policies: HotSwap[OnnxPolicy] = HotSwap(
            Loader((SEEN, WHEEL), in_use=self._in_use), time.monotonic_ns,
            on_failure=lambda uri, text: self.refused.append(text))
        self.policies.request(path.as_uri(), 0)
        assert self.policies.wait_idle(WAIT_S)
        schedule = Schedule((0,), PERIOD_NS, 1, 0, 1, 0, Algorithm.EXP_TIME)
        self.engine = InferenceEngine(EngineConfig("test", (0,), WHEEL, NoLatency(), 0, 1),
                                      schedule, self.policies, lambda: None)

    def _in_use(self) -> OnnxPolicy | None:
        current = self.policies.current
        return None if current is None else current.policy

    def show(self, tick: int, value: float, first: bool = False) -> ActionMessage:
        self.engine.observe(tick, 1 + tick * PERIOD_NS, first, np.array([value], np.float32))
        now_ns = time.monotonic_ns()
        self.engine.start(now_ns, 0)
        deadline_s = time.monotonic() + WAIT_S
        while time.monotonic() < deadline_s:
            for message, record, error in self.engine.due(time.monotonic_ns() + PERIOD_NS):
                self.records.append(record)
                assert message is not None, error
                return message
        raise TimeoutError(tick)

    def close(self) -> None:
        assert self.engine.close() == 0
        assert self.policies.close() == 0


@pytest.fixture
def drive() -> Iterator[Callable[[Path], Driven]]:
    made: list[Driven] = []

    def start(path: Path) -> Driven:
        made.append(Driven(path))
        return made[-1]
    yield start
    for each in made:
        each.close()


def test_a_recurrent_policy_remembers_for_an_episode(drive: Callable[[Path], Driven],
                                                     tmp_path: Path) -> None:
    driven = drive(adder(tmp_path / "adder.onnx"))
    shown = [(0, 1.0, True), (1, 2.0, False), (2, 3.0, False), (3, 10.0, True), (4, 1.0, False)]
    assert [driven.show(*each).action[0] for each in shown] == [1.0, 3.0, 6.0, 10.0, 11.0]


def test_a_policy_that_takes_its_place_remembers_nothing(drive: Callable[[Path], Driven],
                                                         tmp_path: Path) -> None:
    driven = drive(adder(tmp_path / "adder.onnx"))
    assert [driven.show(tick, 1.0, tick == 0).action[0] for tick in range(3)] == [1.0, 2.0, 3.0]
    driven.policies.request(adder(tmp_path / "again.onnx").as_uri(), 0)
    assert driven.policies.wait_idle(WAIT_S)
    assert [driven.show(tick, 1.0).action[0] for tick in (3, 4)] == [1.0, 2.0]


def test_a_chunk_leaves_with_its_rows_and_the_tick_of_the_first(
    drive: Callable[[Path], Driven], tmp_path: Path
) -> None:
    message = drive(counter(tmp_path / "counter.onnx")).show(7, 5.0, True)
    assert message.rows == ((5.0,), (6.0,), (7.0,))
    assert (message.tick, message.first_tick, message.last_tick) == (7, 8, 10)


def test_a_swap_to_single_actions_is_refused_and_the_chunks_go_on(
    drive: Callable[[Path], Driven], tmp_path: Path
) -> None:
    driven = drive(counter(tmp_path / "counter.onnx"))
    driven.policies.request(adder(tmp_path / "adder.onnx").as_uri(), 0)
    assert driven.policies.wait_idle(WAIT_S)
    (line,) = driven.refused
    assert "cannot take the place of version 0: its rows of a chunk (H): 0, not 3" in line
    assert driven.show(1, 4.0, True).rows == ((4.0,), (5.0,), (6.0,))


def test_what_is_promised_is_fed_from_then_on(drive: Callable[[Path], Driven], tmp_path: Path
                                              ) -> None:
    driven = drive(echo(tmp_path / "echo.onnx"))
    assert driven.show(0, 1.0, True).rows == ((0.0,),) * 3
    driven.engine.inputs.promise(Plan(1, 0, 0, 2, 2, ((4.0,), (5.0,))))
    assert driven.show(1, 1.0).rows == ((4.0,), (5.0,), (5.0,))
    assert driven.show(2, 1.0).rows == ((5.0,),) * 3  # rows are those of its own ticks
    assert driven.show(3, 1.0).rows == ((0.0,),) * 3
    assert [record.settled for record in driven.records] == [0, 1, 0, 0]
    driven.engine.inputs.promise(NOTHING)
    assert driven.show(4, 1.0).rows == ((0.0,),) * 3
