"""The inputs and outputs that an ONNX file declares: names, element types and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from realtime_rl.core.errors import PolicyError

Size = int | str | None
"""Of an axis; a name, or nothing, where the file leaves it open."""
DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(uint8)": np.dtype(np.uint8), "tensor(int8)": np.dtype(np.int8),
    "tensor(int32)": np.dtype(np.int32), "tensor(int64)": np.dtype(np.int64),
    "tensor(float16)": np.dtype(np.float16), "tensor(float)": np.dtype(np.float32),
    "tensor(double)": np.dtype(np.float64), "tensor(bool)": np.dtype(np.bool_)}
"""Of the element types of ONNX that numpy has and a policy needs."""


class Tensor(NamedTuple):
    """One input or output."""

    name: str
    type: str
    """As ONNX Runtime writes it: `tensor(float)`."""
    shape: tuple[Size, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its elements; `PolicyError` for a type that nothing here can give."""
        if self.type not in DTYPES:
            raise PolicyError(f"its input is {self.type!r}, not one of "
                              f"{', '.join(map(repr, sorted(DTYPES)))}")
        return DTYPES[self.type]

    def fits(self, sizes: Sequence[int]) -> bool:
        """Whether its shape can be `sizes`; what it leaves open can be anything."""
        return len(self.shape) == len(sizes) and all(
            not isinstance(mine, int) or mine == size
            for mine, size in zip(self.shape, sizes, strict=True))

    def closed(self) -> tuple[int, ...]:
        """Its shape, with 1 for the axes that it leaves open: those of a batch."""
        return tuple(size if isinstance(size, int) else 1 for size in self.shape)

    def __str__(self) -> str:
        """Write name, type and shape."""
        return f"{self.name!r}, {self.type!r} {list(self.shape)}"


class Graph(NamedTuple):
    """What a file declares."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    props: Mapping[str, str]
    """Its metadata."""


def by_name(tensors: Iterable[Tensor]) -> dict[str, Tensor]:
    """Return tensors by their names, in order."""
    return {each.name: each for each in tensors}


def listed(names: Iterable[str]) -> str:
    """Write names in their order, as messages do."""
    return ", ".join(map(repr, names))
