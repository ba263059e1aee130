"""References to other files are found wherever an ONNX model can have a tensor."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto
from onnx.external_data_helper import uses_external_data
from policies.tiny_policies import IMAGE, model

from realtime_rl.policies.onnx_walk import references


def found(proto: ModelProto) -> int:
    return references(memoryview(proto.SerializeToString()))


def _tensor(external: bool, order: list[str], raw: bytes, name: str) -> TensorProto:
    tensor = TensorProto(data_type=TensorProto.UINT8, dims=[len(raw)], name=name)
    if external:
        tensor.data_location = TensorProto.EXTERNAL
        for key in order:
            tensor.external_data.add(key=key, value="0")
    else:
        tensor.raw_data = raw
    return tensor


tensors = st.builds(
    _tensor, st.booleans(), st.permutations(["location", "offset", "length"]),
    st.binary(max_size=40), st.text(max_size=5))


def _graph(held: list[TensorProto], sparse: list[TensorProto], nodes: list[NodeProto]
           ) -> GraphProto:
    graph = GraphProto(name="g", initializer=held, node=nodes)
    for tensor in sparse:
        graph.sparse_initializer.add(values=tensor, dims=[3])
    return graph


def _nodes(graphs: st.SearchStrategy[GraphProto]) -> st.SearchStrategy[NodeProto]:
    attributes = st.one_of(
        st.builds(lambda tensor: AttributeProto(name="value", t=tensor), tensors),
        st.builds(lambda held: AttributeProto(name="values", tensors=held),
                  st.lists(tensors, max_size=2)),
        st.builds(lambda graph: AttributeProto(name="body", g=graph), graphs),
        st.builds(lambda held: AttributeProto(name="branches", graphs=held),
                  st.lists(graphs, max_size=2)),
        st.builds(lambda values: AttributeProto(name="floats", floats=values),
                  st.lists(st.floats(width=32), max_size=5)))
    return st.builds(lambda held: NodeProto(op_type="If", input=["x"], attribute=held),
                     st.lists(attributes, max_size=2))


graphs = st.recursive(
    st.builds(_graph, st.lists(tensors, max_size=2), st.lists(tensors, max_size=1), st.just([])),
    lambda inner: st.builds(_graph, st.lists(tensors, max_size=1), st.just([]),
                            st.lists(_nodes(inner), max_size=2)), max_leaves=6)


@given(graphs, st.lists(_nodes(graphs), max_size=2))
def test_every_reference_of_any_model_is_seen(graph: GraphProto, body: list[NodeProto]) -> None:
    proto = ModelProto(ir_version=8, graph=graph)
    proto.functions.add(name="f", node=body)
    proto.training_info.add(initialization=graph)
    assert (found(proto) > 0) == any(map(uses_external_data, _all(proto)))


def _all(message: object) -> list[TensorProto]:
    """Every tensor below a message, found by onnx's own description of itself."""
    if isinstance(message, TensorProto):
        return [message]
    if hasattr(message, "ListFields"):
        return [each for _, value in message.ListFields() for each in _all(value)]
    if isinstance(message, str | bytes | int | float):
        return []
    return [each for item in message for each in _all(item)]


@given(st.binary(max_size=60))
def test_what_is_no_onnx_file_is_refused_or_refers_to_nothing(content: bytes) -> None:
    """Whatever it is, the answer comes, and what onnx reads is read as onnx reads it."""
    try:
        count = references(memoryview(content))
    except ValueError as error:
        assert "\n" not in str(error)
        return
    try:
        proto = ModelProto.FromString(content)
    except Exception:
        return
    assert count > 0 or not any(map(uses_external_data, _all(proto)))


@given(st.data())
def test_a_damaged_model_hides_no_reference(data: st.DataObject) -> None:
    proto = model(IMAGE, 2, np.eye(8, 3))
    proto.graph.initializer[0].ClearField("raw_data")
    proto.graph.initializer[0].data_location = TensorProto.EXTERNAL
    proto.graph.initializer[0].external_data.add(key="location", value="x")
    content = bytearray(proto.SerializeToString())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    try:
        count = references(memoryview(bytes(content)))
    except ValueError:
        return
    try:
        read = ModelProto.FromString(bytes(content))
    except Exception:
        return
    assert count > 0 or not any(map(uses_external_data, _all(read)))


def test_a_graph_in_two_parts_is_one() -> None:
    """Protobuf joins what is given twice: a tensor's location may come apart from its flag."""
    half = ModelProto(graph=GraphProto(initializer=[_tensor(False, [], b"1", "w")]))
    other = ModelProto(graph=GraphProto(initializer=[_tensor(True, ["location"], b"", "v")]))
    content = half.SerializeToString() + other.SerializeToString()
    assert [uses_external_data(each) for each in onnx.ModelProto.FromString(
        content).graph.initializer] == [False, True]
    assert references(memoryview(content)) > 0


@pytest.mark.parametrize(("content", "message"), [
    (b"\x3a\x05\x01", "it is cut off: byte 1 begins what ends at 7 of 3"),
    (b"\x08", "it is cut off at byte 1"),
    (b"\x08" + b"\xff" * 12, "byte 11 is in a number without an end"),
    (b"\x00\x01", "byte 1 begins no field"),
    (b"\x3b\x3c", "byte 1 is of a kind that ONNX files do not have"),
    (b"\xba\x80\x80\x80\x10\x00", "byte 5 begins no field"),
])
def test_what_cannot_be_read_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        references(memoryview(content))


def test_a_model_without_a_bottom_is_refused() -> None:
    content = b""
    for _ in range(60):  # graph in attribute in node in graph
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            content = tag + _length(len(content)) + content
    with pytest.raises(ValueError, match="deeper than 100 levels"):
        references(memoryview(b"\x3a" + _length(len(content)) + content))


def _length(size: int) -> bytes:
    out = b""
    while size > 127:
        out, size = out + bytes([size & 127 | 128]), size >> 7
    return out + bytes([size])
