"""Small ONNX policies that give chunks of actions, whose rows are right by arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def hold(path: Path, size: int, rows: int) -> Path:
    """Write one that answers `size` values with themselves, `rows` times; 0: once, and no chunk."""
    if not rows:
        return _write(path, [helper.make_node("Identity", ["observation"], ["action"])], size,
                      [1, size], {})
    return _write(path, [
        helper.make_node("Unsqueeze", ["observation", "axes"], ["row"]),
        helper.make_node("Expand", ["row", "shape"], ["action"])], size, [1, rows, size],
        {"axes": np.array([1]), "shape": np.array([1, rows, size])})


def count(path: Path, rows: int, choices: int = 3) -> Path:
    """Write one for the plant `counter`: each row chooses the target of the tick it is meant for.

    Whatever the delay, a row that acts at its own tick earns 1, and any other nothing.
    """
    ahead = np.arange(1, rows + 1, dtype=np.float32)[None]
    return _write(path, [
        helper.make_node("Slice", ["observation", "one", "two", "one"], ["target"]),
        helper.make_node("Add", ["target", "ahead"], ["sum"]),
        helper.make_node("Mod", ["sum", "many"], ["choice"], fmod=1),
        helper.make_node("Cast", ["choice"], ["index"], to=TensorProto.INT64),
        helper.make_node("OneHot", ["index", "depth", "values"], ["action"])],
        2, [1, rows, choices],
        {"one": np.array([1]), "two": np.array([2]), "ahead": ahead,
         "many": np.array(choices, np.float32), "depth": np.array(choices),
         "values": np.array([0.0, 1.0], np.float32)})


def _write(path: Path, nodes: list[Any], takes: int, gives: list[int],
           constants: dict[str, Any]) -> Path:
    graph = helper.make_graph(
        nodes, "chunk",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, takes])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, gives)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path
