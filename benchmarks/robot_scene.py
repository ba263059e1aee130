"""A run of the simulated arm, its arm, a policy that moves it, and a hand that disturbs both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.running import ROOT, Running

_RELEASED_WITHIN_S = 5.0


class Scene:
    """A run, its arm, and a hand for both."""

    def __init__(self, running: Running, environment: Mapping[str, str]) -> None:
        self.running = running
        self.environment = environment
        self._hand = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.strangers", "hand"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.begin_ns = self.end_ns = 0
        """Of the fault [ns since the epoch]."""
        self.refusals: list[str] = []

    def ask(self, line: str) -> str:
        """Have the hand do something; return its answer."""
        assert self._hand.stdin is not None and self._hand.stdout is not None
        self._hand.stdin.write(f"{line}\n")
        self._hand.stdin.flush()
        return self._hand.stdout.readline().strip()

    def robot(self, fault: str) -> None:
        """Have the simulated robot do a fault, or note a mark."""
        self.ask(f"say robot_sim/fault {fault}")

    def send(self, node: str, number: signal.Signals) -> None:
        os.kill(self.running.pids()[node], number)

    def release(self) -> None:
        """Release the robot's own stop, as soon as that is granted."""
        until_s = time.monotonic() + _RELEASED_WITHIN_S
        while (answer := self.ask("call release")) and time.monotonic() < until_s:
            self.refusals.append(answer)
            time.sleep(0.2)
        if answer:
            self.refusals.append("never released")

    def close(self) -> None:
        assert self._hand.stdin is not None
        self._hand.stdin.close()
        self._hand.wait(10.0)

_SEES = (
    helper.make_node("Cast", ["front"], ["grey"], to=TensorProto.FLOAT),
    helper.make_node("ReduceMean", ["grey"], ["mean"], axes=[1, 2, 3], keepdims=0),
    helper.make_node("Mul", ["mean", "zero"], ["unseen"]))


def policy(kind: str, *, camera: bool = True) -> onnx.ModelProto:
    """One that swings the arm from side to side; of the kinds that fail, at some angles.

    Args:
        kind: `moving`, or what fails: `nan`, `beyond`, `far`.
        camera: it takes a picture, too, and makes nothing of it.
    """
    weights = np.zeros((6, 5), np.float32)
    weights[:3, :] = -20.0 * np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 1]])
    bad = {"nan": np.nan, "beyond": 9.0}.get(kind, 0.0)
    offset = 1.2 if kind == "far" else 0.0
    constants = {"w": weights, "share": np.float32([0.5]), "zero": np.float32([0.0]),
                 "bad": np.full((1, 5), bad, np.float32), "offset": np.float32([offset]),
                 "begin": np.int64([0]), "end": np.int64([1]), "axis": np.int64([1]),
                 "from": np.float32([0.02]), "to": np.float32([0.1])}
    nodes = [
        helper.make_node("MatMul", ["state", "w"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["turned"]),
        helper.make_node("Mul", ["turned", "share"], ["small"]),
        helper.make_node("Add", ["small", "offset"], ["placed"]),
        *(_SEES if camera else ()),
        helper.make_node("Add", ["placed", "unseen" if camera else "zero"], ["good"]),
        helper.make_node("Slice", ["state", "begin", "end", "axis"], ["pan"]),
        helper.make_node("Greater", ["pan", "from"], ["beyond"]),
        helper.make_node("Less", ["pan", "to"], ["before"]),
        helper.make_node("And", ["beyond", "before"], ["there"]),
        helper.make_node("Where", ["there", "bad" if bad else "good", "good"], ["action"])]
    inputs = [helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 6]),
              helper.make_tensor_value_info("front", TensorProto.UINT8, [1, 3, 24, 32])]
    graph = helper.make_graph(
        nodes, "reach", inputs if camera else inputs[:1],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, [1, 5])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
