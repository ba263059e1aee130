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


def carry_on(path: Path, rows: int, choices: int = 3, max_prefix: int = 0) -> Path:
    """Write one for the plant `counter` that goes on from what it is told to act meanwhile.

    Where nothing is settled it looks at what it sees, as `count` does. So its rows are right only
    if what it is told is what acts, each row at the tick that it is said to be for.
    """
    nodes = [
        helper.make_node("Slice", ["observation", "one", "two", "one"], ["target"]),
        helper.make_node("Add", ["target", "ahead"], ["seen"]),
        helper.make_node("Sub", ["inference_delay", "one"], ["before"]),
        helper.make_node("Max", ["before", "none"], ["place"]),
        helper.make_node("Gather", ["prev_chunk", "place"], ["last"], axis=1),
        helper.make_node("ArgMax", ["last"], ["number"], axis=2, keepdims=0),
        helper.make_node("Sub", ["number", "inference_delay"], ["shift"]),
        helper.make_node("Cast", ["shift"], ["shifted"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["shifted", "onward"], ["told"]),
        helper.make_node("Greater", ["prefix_final", "none"], ["settled"]),
        helper.make_node("Where", ["settled", "told", "seen"], ["sum"]),
        helper.make_node("Mod", ["sum", "many"], ["choice"], fmod=1),
        helper.make_node("Cast", ["choice"], ["index"], to=TensorProto.INT64),
        helper.make_node("OneHot", ["index", "depth", "values"], ["action"])]
    ahead = np.arange(1, rows + 1, dtype=np.float32)[None]
    return _write(path, nodes, 2, [1, rows, choices], {
        "one": np.array([1]), "two": np.array([2]), "none": np.array([0]), "ahead": ahead,
        "onward": ahead + np.float32(choices * rows), "many": np.array(choices, np.float32),
        "depth": np.array(choices), "values": np.array([0.0, 1.0], np.float32)},
        told={"prev_chunk": (TensorProto.FLOAT, [1, rows, choices]),
              "inference_delay": (TensorProto.INT64, [1]),
              "prefix_final": (TensorProto.INT64, [1])},
        said={"realtime_rl.max_prefix": str(max_prefix)} if max_prefix else {})


def _write(path: Path, nodes: list[Any], takes: int, gives: list[int],
           constants: dict[str, Any], *, told: dict[str, tuple[int, list[int]]] | None = None,
           said: dict[str, str] | None = None) -> Path:
    graph = helper.make_graph(
        nodes, "chunk",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, takes]),
         *(helper.make_tensor_value_info(name, *kind) for name, kind in (told or {}).items())],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, gives)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    helper.set_model_props(model, said or {})
    onnx.save(model, path)
    return path
