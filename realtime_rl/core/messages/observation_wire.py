"""How the parts of an observation travel: their topics, the names of their values, their pixels."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.observations import ONLY, Observations, ObservationSpec

TOPIC = "observation"
"""Of an observation of one part; those of several are below it, as `observation/front`."""
MOST_NAMED = 256
"""Values of a vector that are named in each message: 27,654 names take a tick longer than all
else. Those of longer vectors are named by the plant's spec alone."""
ENCODINGS = {1: "mono8", 3: "rgb8"}
"""By channels."""
_SHOWN = 200


def topics(spec: Observations) -> dict[str, str]:
    """Return the topic of each part, by its name."""
    if len(spec.parts) == 1:
        return {spec.parts[0].name: TOPIC}
    return {part.name: f"{TOPIC}/{part.name}" for part in spec.parts}


def part_of(topic: str) -> str | None:
    """Return the part that a topic, without namespace, is of; '' for the only one, else `None`."""
    if topic == TOPIC:
        return ""
    head, _, part = topic.partition("/")
    return part if head == TOPIC and part and "/" not in part else None


@functools.lru_cache(maxsize=64)
def value_names(part: ObservationSpec) -> tuple[str, ...]:
    """Return the names that a vector's message carries; none for a vector that is too long."""
    if int(np.prod(part.shape)) > MOST_NAMED:
        return ()
    return part.elements or _numbered(part.name, part)


@functools.lru_cache(maxsize=64)
def _numbered(prefix: str, part: ObservationSpec) -> tuple[str, ...]:
    return tuple(f"{prefix}.{index}" for index in range(int(np.prod(part.shape))))


def check_names(names: Sequence[str], part: ObservationSpec) -> None:
    """Refuse values that are called otherwise than the part's, or in another order; `WireError`.

    A message need not name them. Names by number, as `observation.0`, say no more than no names.
    """
    given = tuple(names)
    if not given or given == value_names(part):
        return
    numbered = {_numbered(part.name, part), _numbered(ONLY, part)}
    if given in numbered:
        return
    wanted = part.elements or next(
        (each for each in numbered if sorted(each) == sorted(given)), ())
    if wanted and given != wanted:
        raise WireError(f"{part.name}: its values are {_shown(given)}, in the order of the plant "
                        f"they are {_shown(wanted)}")


def _shown(names: tuple[str, ...]) -> str:
    text = " ".join(names)
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}'… ({len(names)} names)"


def pixels(data: NDArray[np.uint8], encoding: str, size: tuple[int, int], step: int
           ) -> NDArray[np.uint8]:
    """Return an image `(channels, height, width)`, without what pads its rows.

    Args:
        data: its bytes.
        encoding: ROS's name of it.
        size: height and width.
        step: bytes of a row; 0: those of its pixels.

    Raises:
        WireError: its encoding is none of `ENCODINGS`, or rows of `step` bytes are not what there
            is, or are shorter than the image.
    """
    channels = next((count for count, name in ENCODINGS.items() if name == encoding), 0)
    if not channels:
        raise WireError(f"image encoding {encoding!r}: only 'mono8' and 'rgb8' are observations")
    return np.ascontiguousarray(rows(data, channels, size, step).transpose(2, 0, 1))


def rows(data: NDArray[np.uint8], channels: int, size: tuple[int, int], step: int
         ) -> NDArray[np.uint8]:
    """Return an image's bytes as `(height, width, channels)`, without what pads its rows.

    Arguments and `WireError` are those of `pixels`; nothing is copied.
    """
    height, width = size
    row = width * channels
    step = step or row
    if step < row or data.size != height * step:
        raise WireError(f"image of {data.size} bytes, expected {height} rows of {step} for a "
                        f"width of {width}")
    return data.reshape(height, step)[:, :row].reshape(height, width, channels)


def vector(values: NDArray[np.float64], part: ObservationSpec) -> NDArray[np.generic]:
    """Return a vector's values as the part has them; `WireError` where there are not as many."""
    if values.size != math.prod(part.shape):
        raise WireError(f"observation of {values.size} values, expected {part}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite
        return values.astype(part.dtype).reshape(part.shape)


def interleaved(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return an image `(channels, height, width)` as a message has it: pixel by pixel, in rows."""
    return np.ascontiguousarray(image.transpose(1, 2, 0))


def most_bytes(part: ObservationSpec) -> int:
    """More than a serialized part takes: values of a vector may have names."""
    return 65_536 + int(np.prod(part.shape)) * (1 if part.is_image else 64)
