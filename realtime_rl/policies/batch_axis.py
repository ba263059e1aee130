"""Opens the batch axis of a policy that was exported for one observation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from realtime_rl.core.errors import MissingDependencyError
from realtime_rl.policies.external_weights import Model

try:  # at the start, as in `external_weights`
    import onnx
except ImportError:
    onnx = None

_BATCH = "batch"


def opened(model: Model) -> Model:
    """Open the first axis of inputs and outputs, where all of them are 1.

    A graph that leaves some open says which, and what is 1 is the same for all. Shapes within the
    graph are left out, as they would say 1 still. `MissingDependencyError`: onnx is not installed.
    """
    if onnx is None:
        raise MissingDependencyError("onnx", "cpu")
    proto = onnx.ModelProto.FromString(
        model.source if isinstance(model.source, bytes) else Path(model.source).read_bytes())
    weights = {each.name for each in proto.graph.initializer}
    axes = [each.type.tensor_type.shape.dim for each in (*proto.graph.input, *proto.graph.output)
            if each.name not in weights]
    if not all(each and each[0].dim_value == 1 for each in axes):
        return model
    for each in axes:
        each[0].dim_param = _BATCH
    del proto.graph.value_info[:]
    return replace(model, source=proto.SerializeToString())
