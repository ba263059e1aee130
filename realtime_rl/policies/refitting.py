"""A policy's graph apart from its weights, so that other weights can be run with the same session.

The weights become inputs of the graph. Whether two policies have the same graph is told by a digest
of everything else. A session does not know its weights beforehand then, and cannot arrange them for
its kernels: on a CPU that makes inferences slower (see the measurements), on a GPU hardly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.policies.external_weights import Model

try:  # at the start, as in `external_weights`
    import onnx
except ImportError:
    onnx = None


@dataclass(frozen=True)
class Lifted:
    """A graph that takes its weights as inputs."""

    model: Model
    """The graph, and what of other files stays a constant in it."""
    weights: dict[str, NDArray[Any]]
    """What the inputs are to be fed with, by name."""
    digest: str
    """Of all but the weights' values and the metadata."""
    props: dict[str, str]
    """The metadata."""


def lift(model: Model) -> Lifted:
    """Make inputs of the weights: of every constant of floating-point numbers but single ones.

    Raises:
        MissingDependencyError: onnx is not installed.
    """
    if onnx is None:
        raise MissingDependencyError("onnx", "cpu")
    proto = onnx.ModelProto.FromString(
        model.source if isinstance(model.source, bytes) else Path(model.source).read_bytes())
    graph, rest = proto.graph, dict(model.weights)
    named = {each.name for each in graph.input}
    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
    weights: dict[str, NDArray[Any]] = {}
    kept = []
    for tensor in graph.initializer:
        if tensor.data_type not in kinds or not tensor.dims:
            kept.append(tensor)
            continue
        weights[tensor.name] = (rest.pop(tensor.name) if tensor.name in rest
                                else onnx.numpy_helper.to_array(tensor))
        if tensor.name not in named:
            graph.input.append(onnx.helper.make_tensor_value_info(
                tensor.name, tensor.data_type, list(tensor.dims)))
    kept = [onnx.TensorProto.FromString(each.SerializeToString()) for each in kept]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    source = proto.SerializeToString()
    return Lifted(replace(model, source=source, weights=rest), weights, _digest(proto, rest),
                  {each.key: each.value for each in proto.metadata_props})


def _digest(proto: Any, rest: dict[str, NDArray[np.generic]]) -> str:  # noqa: ANN401 - onnx's
    bare = type(proto).FromString(proto.SerializeToString())
    del bare.metadata_props[:]
    digest = hashlib.sha256(bare.SerializeToString(deterministic=True))
    for name in sorted(rest):
        digest.update(f"{name}:{rest[name].shape}".encode())
        digest.update(np.ascontiguousarray(rest[name]).view(np.uint8).data)
    return digest.hexdigest()
