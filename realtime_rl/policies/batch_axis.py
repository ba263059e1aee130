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
    """Open the first axis of inputs and outputs where it is 1; `MissingDependencyError`: no onnx.

    Shapes within the graph are left out, as they would say 1 still.
    """
    if onnx is None:
        raise MissingDependencyError("onnx", "cpu")
    proto = onnx.ModelProto.FromString(
        model.source if isinstance(model.source, bytes) else Path(model.source).read_bytes())
    weights = {each.name for each in proto.graph.initializer}
    changed = False
    for each in (*proto.graph.input, *proto.graph.output):
        axes = each.type.tensor_type.shape.dim
        if each.name not in weights and axes and axes[0].dim_value == 1:
            axes[0].dim_param = _BATCH
            changed = True
    if not changed:
        return model
    del proto.graph.value_info[:]
    return replace(model, source=proto.SerializeToString())
