"""Tiny ONNX policies, built inline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace
from realtime_rl.policies import external_weights

IMAGE = ObservationSpec((1, 2, 2), "uint8", 0, 255)
VECTOR = ObservationSpec((3,), "float32", -1, 1)
BUTTONS = ActionSpace(("A", "B", "NOOP"), (2.0,))
WHEELS = ActionSpace(("vx", "wz"), (0.0, 0.0), (-0.5, -1.0), (0.5, 1.0))


def model(spec: ObservationSpec, stack: int, weights: np.ndarray[Any, Any],
          dtype: int | None = None, batch: int | str = 1) -> onnx.ModelProto:
    """Flatten the input, cast it and multiply it with `weights`."""
    shape = [batch, stack * spec.shape[0], *spec.shape[1:]]
    kind = dtype or (TensorProto.UINT8 if spec.dtype == "uint8" else TensorProto.FLOAT)
    graph = helper.make_graph(
        [helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
         helper.make_node("Flatten", ["f"], ["v"]),
         helper.make_node("MatMul", ["v", "w"], ["y"])], "policy",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, weights.shape[1]])],
        [numpy_helper.from_array(weights.astype(np.float32), "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def metadata(**changes: Any) -> PolicyMetadata:
    """Metadata that fit `IMAGE` and `BUTTONS`."""
    values: dict[str, Any] = {
        "input_name": "x", "observation": IMAGE, "stack": 2, "actions": BUTTONS, "version": 17,
        "training_step": 5, "epsilon": 0.25, "producer": "test", "outputs": "q_values"}
    return PolicyMetadata(**{**values, **changes})


def written(folder: Path, version: int, proto: onnx.ModelProto | None = None,
            epsilon: float = 0.0) -> Path:
    """Write a policy that takes one `VECTOR` and gives it back as values, or `proto`."""
    folder.mkdir(exist_ok=True)
    proto = proto or model(VECTOR, 1, np.eye(3))
    about = metadata(observation=VECTOR, stack=1, epsilon=epsilon, version=version)
    for key, value in about.to_props().items():
        proto.metadata_props.add(key=key, value=value)
    path = folder / f"policy-{version:06d}.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def uri(path: Path) -> str:
    """As it is announced."""
    return str(PolicyUri(path, external_weights.sha256_of(path)))


def copier(history: int, size: int, name: str = "action_history") -> onnx.ModelProto:
    """Give back the newest action of a history of `size` choices; take `VECTOR`, ignore it."""
    newest = np.eye(history * size, size, k=-(history - 1) * size).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Flatten", [name], ["v"]),
         helper.make_node("MatMul", ["v", "w"], ["m"]),
         helper.make_node("ReduceSum", ["x"], ["s"], keepdims=1),
         helper.make_node("Mul", ["s", "zero"], ["n"]),
         helper.make_node("Add", ["m", "n"], ["y"])], "policy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3]),
         helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, history, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, size])],
        [numpy_helper.from_array(newest, "w"),
         numpy_helper.from_array(np.zeros(1, np.float32), "zero")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def joiner(names: tuple[str, str] = ("front", "arm"), stack: int = 1) -> onnx.ModelProto:
    """Give the sums of an image `(1, 2, 2)` and of a vector `(3,)`, and 0."""
    front, arm = names
    nodes = [helper.make_node("Cast", [front], ["f"], to=TensorProto.FLOAT),
             helper.make_node("Flatten", ["f"], ["i"]),
             helper.make_node("Concat", ["i", arm], ["v"], axis=1),
             helper.make_node("MatMul", ["v", "w"], ["y"])]
    weights = np.zeros((7 * stack, 3), np.float32)
    weights[:4 * stack, 0] = weights[4 * stack:, 1] = 1
    graph = helper.make_graph(
        nodes, "policy",
        [helper.make_tensor_value_info(arm, TensorProto.FLOAT, [1, 3 * stack]),
         helper.make_tensor_value_info(front, TensorProto.UINT8, [1, stack, 2, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(weights, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def goal_taker(batch: int | str = 1) -> onnx.ModelProto:
    """Give back `VECTOR` plus the sum of a `goal` of two values."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["goal", "ones"], ["g"]),
         helper.make_node("Add", ["x", "g"], ["y"])], "policy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3]),
         helper.make_tensor_value_info("goal", TensorProto.FLOAT, [batch, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 3])],
        [numpy_helper.from_array(np.ones((2, 3), np.float32), "ones")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def endless(from_value: float = -np.inf) -> onnx.ModelProto:
    """Give `VECTOR` back, after 2**62 rounds of a loop where its maximum exceeds `from_value`."""
    def info(name: str, kind: int, shape: list[int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["a"], ["b"])],
        "body", [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []),
                 info("a", TensorProto.FLOAT, [1, 3])],
        [info("on", TensorProto.BOOL, []), info("b", TensorProto.FLOAT, [1, 3])])
    graph = helper.make_graph(
        [helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
         helper.make_node("Greater", ["m", "from"], ["is"]),
         helper.make_node("Cast", ["is"], ["times"], to=TensorProto.INT64),
         helper.make_node("Mul", ["times", "many"], ["n"]),
         helper.make_node("Loop", ["n", "yes", "x"], ["y"], body=body)], "policy",
        [info("x", TensorProto.FLOAT, [1, 3])], [info("y", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(np.float32(from_value), "from"),
         numpy_helper.from_array(np.int64(2**62), "many"),
         numpy_helper.from_array(np.array(True), "yes")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
