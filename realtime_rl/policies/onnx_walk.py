"""Finds what an ONNX file refers to outside itself, without building the model in Python.

It reads the wire format of protobuf, and descends wherever onnx.proto has a tensor: initializers,
constants, the branches of If, the bodies of Loop, Scan and functions. Whatever it cannot read is
refused, as another reader might make something of it.
"""

from __future__ import annotations

_PARTS = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {13: "reference"},
}
"""Field numbers of onnx.proto, by message, that lead to a tensor, and of what refers elsewhere."""
_DATA_LOCATION = 14
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_DEPTH = 100
"""As deep as protobuf itself goes."""


def references(data: memoryview) -> int:
    """Return how often tensors of the ONNX file `data` refer to another file.

    Raises:
        ValueError: `data` is not what protobuf writes.
    """
    found, todo = 0, [("model", 0, len(data), 0)]
    while todo:
        kind, at, end, depth = todo.pop()
        if depth > _DEPTH:
            raise ValueError(f"it is nested deeper than {_DEPTH} levels")
        parts = _PARTS[kind]
        while at < end:
            tag, at = _varint(data, at, end)
            number, wire = tag >> 3, tag & 7
            if not 0 < tag < 1 << 32 or not number:
                raise ValueError(f"byte {at:,} begins no field")
            value, begin, at = _field(data, wire, at, end)
            if kind == "tensor" and number == _DATA_LOCATION and wire == _VARINT:
                found += value != 0
            elif wire == _LENGTH and number in parts:
                if parts[number] == "reference":
                    found += 1
                else:
                    todo.append((parts[number], begin, at, depth + 1))
    return found


def _field(data: memoryview, wire: int, at: int, end: int) -> tuple[int, int, int]:
    """Return a field's number (if it is one), where its content begins, and what follows it."""
    value, begin = 0, at
    if wire == _VARINT:
        value, after = _varint(data, at, end)
    elif wire == _LENGTH:
        length, begin = _varint(data, at, end)
        after = begin + length
    elif wire in (_FIXED64, _FIXED32):
        after = at + (8 if wire == _FIXED64 else 4)
    else:
        raise ValueError(f"byte {at:,} is of a kind that ONNX files do not have")
    if after > end:
        raise ValueError(f"it is cut off: byte {at:,} begins what ends at {after:,} of {end:,}")
    return value, begin, after


def _varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError(f"it is cut off at byte {at:,}" if at >= end
                     else f"byte {at:,} is in a number without an end")
