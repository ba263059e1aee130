"""A network as an ONNX graph, traced once without its weights; weights go into it or beside it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import nn

from realtime_rl import strict_json
from realtime_rl.core.messages.policy_metadata import HISTORY_INPUT, PolicyMetadata

OUTPUT_NAME = "outputs"
_OPSET = 17
_DTYPES = {"uint8": torch.uint8, "float32": torch.float32}
_HEADER_ALIGNMENT = 64
Array = NDArray[np.generic]


def trace(network: nn.Module, metadata: PolicyMetadata) -> onnx.ModelProto:
    """Return the network as an ONNX graph whose weights have torch's names, but no values yet."""
    device = next(network.parameters()).device
    inputs = {name: torch.zeros(1, *part.stacked_shape(metadata.stack), dtype=_DTYPES[part.dtype],
                                device=device)
              for name, part in metadata.inputs.items()}
    if metadata.action_history:
        inputs[HISTORY_INPUT] = torch.zeros(1, metadata.action_history, metadata.actions.size,
                                            device=device)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "traced.onnx"
        # The newer exporter needs onnxscript and is slower; the older one is deprecated only.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(network, tuple(inputs.values()), path, dynamo=False, opset_version=_OPSET,
                          do_constant_folding=False, input_names=list(inputs),
                          output_names=[OUTPUT_NAME], export_params=False)
        model = onnx.load(path)
    # without values, weights come out as further inputs
    traced = list(model.graph.input)
    del model.graph.input[:]
    for item in traced:
        if item.name in inputs:
            model.graph.input.append(item)
        else:
            kind = item.type.tensor_type
            model.graph.initializer.add(
                name=item.name, data_type=kind.elem_type,
                dims=[dimension.dim_value for dimension in kind.shape.dim])
    return model


def weights(model: onnx.ModelProto, network: nn.Module) -> list[Array]:
    """Return the present values of a traced graph's weights, in its order, as the network has them.

    They share the network's memory where that is the CPU's.
    """
    present = network.state_dict()
    return [np.ascontiguousarray(present[item.name].detach().cpu().numpy())
            for item in model.graph.initializer]


def embed(model: onnx.ModelProto, values: Sequence[Array]) -> onnx.ModelProto:
    """Return the graph with its weights in it."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    for item, value in zip(whole.graph.initializer, values, strict=True):
        item.raw_data = value.tobytes()
    return whole


def refer(model: onnx.ModelProto, location: str) -> tuple[onnx.ModelProto, bytes]:
    """Return the graph with its weights in the file `location`, and that file's header.

    The file is the header and then the weights one after another: to ONNX it is external data, to
    everybody else a safetensors file.
    """
    referring = onnx.ModelProto()
    referring.CopyFrom(model)
    header, begin = _header(model)
    for item in referring.graph.initializer:
        length = _length(item)
        item.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", begin), ("length", length)):
            item.external_data.add(key=key, value=str(value))
        begin += length
    return referring, header


def _header(model: onnx.ModelProto) -> tuple[bytes, int]:
    """Return the header of a safetensors file, and its size."""
    entries, end = {}, 0
    for item in model.graph.initializer:
        begin, end = end, end + _length(item)
        kind = helper.tensor_dtype_to_np_dtype(item.data_type)
        entries[item.name] = {"dtype": f"{kind.kind.upper()}{8 * kind.itemsize}",
                              "shape": list(item.dims), "data_offsets": [begin, end]}
    text = strict_json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % _HEADER_ALIGNMENT)
    return len(text).to_bytes(8, "little") + text, 8 + len(text)


def _length(item: TensorProto) -> int:
    """Bytes of a weight."""
    itemsize = int(helper.tensor_dtype_to_np_dtype(item.data_type).itemsize)
    return int(np.prod(item.dims, dtype=np.int64)) * itemsize
