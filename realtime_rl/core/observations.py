"""What a plant shows at a tick: one observation, of one part or of several named ones.

An observation of one part is a plain array. One of several parts is one structured array without
dimensions, whose fields are the parts: `observation["front"]`. Whatever keeps, copies, stacks or
sends observations therefore does not ask how many parts there are; whoever looks into one uses
`split` and `join`. A batch is the same with one more axis in front.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import ConfigError, PlantError, choices

Observation = NDArray[np.generic]
"""One observation, as its `ObservationSpec` or `ObservationParts` says."""
Names = tuple[str, ...] | None
"""Of the parts, in order; `None`: there is one, whose name the array does not tell."""

ONLY = "observation"
"""Name of a part that nobody named."""
_PART = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ELEMENT = re.compile(r"[^\s,;=]+")
_LONGEST_NAME = 64
_IMAGE_CHANNELS = (1, 3)


def number(value: float) -> str:
    """Write a number as short as it can be read back exactly."""
    value = float(value) + 0.0  # without the sign of a zero
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


@dataclass(frozen=True, slots=True)
class ObservationSpec:
    """One part: its shape, dtype and range. Images are `(1 or 3, height, width)` uint8."""

    shape: tuple[int, ...]
    dtype: Literal["uint8", "float32"]
    low: float
    high: float
    name: str = ONLY
    elements: tuple[str, ...] = ()
    """What the values of a vector are called, in order; empty: by their numbers."""

    def __post_init__(self) -> None:
        """Refuse an empty shape, an empty range, and names that do not fit."""
        if not self.shape or any(size < 1 for size in self.shape):
            raise ConfigError(f"observation shape {self.shape!r}: sizes must be 1 or more")
        if not self.low < self.high:
            raise ConfigError(f"observation range [{self.low!r}, {self.high!r}] is empty")
        if not _PART.fullmatch(self.name) or "__" in self.name or len(self.name) > _LONGEST_NAME:
            raise ConfigError(f"observation part {self.name!r}: a name is a letter, then letters, "
                              f"digits and single '_', {_LONGEST_NAME} at most")
        if self.elements and (self.shape != (len(self.elements),)
                              or len(set(self.elements)) != len(self.elements)
                              or not all(map(_ELEMENT.fullmatch, self.elements))):
            raise ConfigError(f"observation part {self.name!r}: elements {self.elements!r} must be "
                              f"distinct names without blanks, ',', ';' and '=', one for each "
                              f"value of a vector, not of {self.shape}")

    @property
    def parts(self) -> tuple[ObservationSpec, ...]:
        """All parts: this one."""
        return (self,)

    @property
    def is_image(self) -> bool:
        """Whether the part travels as `sensor_msgs/Image` (else as `JointState`)."""
        return (len(self.shape) == 3 and self.shape[0] in _IMAGE_CHANNELS
                and self.dtype == "uint8")

    @property
    def nbytes(self) -> int:
        """Bytes of one observation."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def stacked_shape(self, stack: int) -> tuple[int, ...]:
        """Shape of `stack` observations joined: `(stack * C, …)`."""
        return (stack * self.shape[0], *self.shape[1:])

    def fits(self, given: ObservationSpec) -> bool:
        """Whether `given` is of the same kind; elements that either does not name fit any."""
        anybody = not self.elements or not given.elements
        return replace(given, name=self.name,
                       elements=self.elements if anybody else given.elements) == self

    def __str__(self) -> str:
        """Write it as `uint8[1,84,84] 0:255` or `arm=float32[2] -1:1 j1,j2`, as `parse` reads."""
        sizes = ",".join(str(size) for size in self.shape)
        name = "" if self.name == ONLY else f"{self.name}="
        elements = f" {','.join(self.elements)}" if self.elements else ""
        return f"{name}{self.dtype}[{sizes}] {number(self.low)}:{number(self.high)}{elements}"

    @staticmethod
    def parse(text: str) -> ObservationSpec:
        """Read the form that `str()` writes; `ConfigError` for anything else."""
        match = re.fullmatch(
            r"(?:([^=\s]+)=)?(uint8|float32)\[([\d,]+)\] ([^:\s]+):([^:\s]+)(?: (\S+))?",
            text.strip())
        if match is None:
            raise ConfigError(f"observation spec {text!r}: write it like 'uint8[1,84,84] 0:255', "
                              "or several as 'front=uint8[3,96,96] 0:255; arm=float32[2] -1:1 "
                              "j1,j2'")
        name, dtype, sizes, low, high, elements = match.groups()
        try:
            shape = tuple(int(size) for size in sizes.split(","))
            return ObservationSpec(
                shape, "uint8" if dtype == "uint8" else "float32", float(low), float(high),
                name or ONLY, tuple(elements.split(",")) if elements else ())
        except ValueError as error:
            raise ConfigError(f"observation spec {text!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class ObservationParts:
    """An observation of several named parts, in order."""

    parts: tuple[ObservationSpec, ...]

    def __post_init__(self) -> None:
        """Refuse fewer than two, and two of one name."""
        names = [part.name for part in self.parts]
        if len(names) < 2 or len(set(names)) != len(names):
            raise ConfigError(f"observation parts {names!r} must be two or more, of different "
                              "names")

    @property
    def nbytes(self) -> int:
        """Bytes of one observation."""
        return sum(part.nbytes for part in self.parts)

    def __str__(self) -> str:
        """Write the parts one after another, as `parse` reads them."""
        return "; ".join(map(str, self.parts))


Observations = ObservationSpec | ObservationParts
"""What a plant's observations are: of one part, or of several."""


def parse(text: str) -> Observations:
    """Read what `str()` of either writes; `ConfigError` for anything else."""
    parts = tuple(ObservationSpec.parse(word) for word in text.split(";"))
    return parts[0] if len(parts) == 1 else ObservationParts(parts)


def of_parts(parts: Sequence[ObservationSpec]) -> Observations:
    """Return what one or more parts make together."""
    return parts[0] if len(parts) == 1 else ObservationParts(tuple(parts))


def array_dtype(spec: Observations) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return dtype and shape of the array that an observation is."""
    if len(spec.parts) == 1:
        return np.dtype(spec.parts[0].dtype), spec.parts[0].shape
    return np.dtype([(part.name, part.dtype, part.shape) for part in spec.parts], align=True), ()


def names_of(spec: Observations) -> Names:
    """Return the names that `join` takes."""
    return None if len(spec.parts) == 1 else tuple(part.name for part in spec.parts)


def part_of(observation: Observation, name: str) -> Observation:
    """Return a part, of several, of an observation or of a batch of them; nothing is copied."""
    fields: Any = observation
    found: Observation = fields[name]
    return found


def split(observation: Observation) -> tuple[Observation, ...]:
    """Return the parts of an observation, or of a batch of them, in order; nothing is copied."""
    names = observation.dtype.names
    return (observation,) if names is None else tuple(
        part_of(observation, name) for name in names)


def join(parts: Sequence[Observation], names: Names, *, rows: tuple[int, ...] = ()) -> Observation:
    """Make one observation of its parts: of one the same array, of several a copy.

    Args:
        parts: in order.
        names: of the parts.
        rows: leading axes that all of them have in common, as of a batch.
    """
    if names is None:
        return parts[0]
    kind = np.dtype([(name, part.dtype, part.shape[len(rows):])
                     for name, part in zip(names, parts, strict=True)], align=True)
    found = np.zeros(rows, kind)  # zeros, as equal observations are to have equal bytes
    for name, part in zip(names, parts, strict=True):
        found[name] = part
    return found


def stacked(frames: Sequence[Observation], rows: int = 0) -> Observation:
    """Join frames of shape `(C, …)`, oldest first, into one of `(stack * C, …)`, part by part.

    Args:
        frames: one stack, or those of `rows` stacks one after another.
        rows: 0 for one stack; else the result is a batch of so many.
    """
    names = frames[0].dtype.names
    if names is None:
        return _rows(np.concatenate(frames), rows)
    return join([_rows(np.concatenate([part_of(frame, name) for frame in frames]), rows)
                 for name in names], names, rows=(rows,) if rows else ())


def _rows(joined: Observation, rows: int) -> Observation:
    return joined.reshape(rows, -1, *joined.shape[1:]) if rows else joined


def observed(spec: Observations, values: Mapping[str, NDArray[np.generic]]) -> Observation:
    """Make an observation of values by part: what a plant with several parts returns.

    Raises:
        PlantError: a part is absent, unknown, or of another shape.
    """
    names = [part.name for part in spec.parts]
    if set(names) != set(values):
        raise PlantError(f"an observation of the parts {choices(values)}, not {choices(names)}")
    arrays = []
    for part in spec.parts:
        value = np.asarray(values[part.name], part.dtype)
        if value.shape != part.shape:
            raise PlantError(f"observation part {part.name!r} has shape {value.shape}, not "
                             f"{part.shape}")
        arrays.append(value)
    return join(arrays, names_of(spec))
