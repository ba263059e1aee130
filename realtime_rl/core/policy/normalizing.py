"""Scale, mean and deviation between what a plant has and what a policy's network has."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError

ACTION = "action"
"""What stands for the action among the names of what is normalised."""
_WORD = re.compile(r"(scale|offset|mean|std)=(\S+)")
_NUMBER = re.compile(r"-?[\d.][-+.\de/]*")
_FORM = ("write it like 'front scale=1/255 mean=0.485,0.456,0.406 std=0.229,0.224,0.225' or "
         "'action scale=0.25 offset=0.1,-0.1'")


@dataclass(frozen=True, slots=True)
class Normalization:
    """`(x * scale - mean) / std` of a part's values, along its first axis; inverted for an action.

    Each has one value, or one for each channel of a picture or element of a vector.
    """

    scale: tuple[float, ...] = (1.0,)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        """Refuse what is not finite, and what would divide by zero."""
        for name in ("scale", "mean", "std"):
            values = getattr(self, name)
            if not values or not all(map(math.isfinite, values)):
                raise PolicyError(f"normalisation: {name} {list(values)} must be finite numbers")
        if min(self.std) <= 0.0 or not all(self.scale):
            raise PolicyError(f"normalisation: std {list(self.std)} must be above 0, and scale "
                              f"{list(self.scale)} not be 0")

    def problem(self, size: int) -> str:
        """Say why it does not fit `size` channels or elements; empty where it does."""
        for name in ("scale", "mean", "std"):
            count = len(getattr(self, name))
            if count not in (1, size):
                return f"{count} values of {name} for {size}"
        return ""

    def apply(self, values: NDArray[Any], stack: int) -> NDArray[np.float32]:
        """Normalise values of shape `(stack * C, …)`."""
        scale, mean, std = (_along(each, values, stack)
                            for each in (self.scale, self.mean, self.std))
        found: NDArray[np.float32] = (values.astype(np.float32) * scale - mean) / std
        return found

    def undo(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what `apply` would have made these of; the last axis has the elements."""
        scale, mean, std = (np.asarray(each, np.float32)
                            for each in (self.scale, self.mean, self.std))
        found: NDArray[np.float32] = (values * std + mean) / scale
        return found

    def redo(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Undo `undo`: actions of the plant as the network would give them."""
        scale, mean, std = (np.asarray(each, np.float32)
                            for each in (self.scale, self.mean, self.std))
        found: NDArray[np.float32] = (values * scale - mean) / std
        return found

    def __str__(self) -> str:
        """Write what is not as without."""
        words = [f"{name}={','.join(f'{value:g}' for value in getattr(self, name))}"
                 for name, none in (("scale", (1.0,)), ("mean", (0.0,)), ("std", (1.0,)))
                 if getattr(self, name) != none]
        return " ".join(words) or "as it is"

    @staticmethod
    def of_action(scale: tuple[float, ...], offset: tuple[float, ...]) -> Normalization:
        """An action is `scale * output + offset`."""
        return Normalization(mean=offset, std=scale)


def parse(item: str) -> tuple[str, Normalization]:
    """Read `NAME scale=… mean=… std=…`, of the action also `offset=…`; `PolicyError` else.

    A name alone declares a normalisation without its statistics: refused.
    """
    name, *words = item.split()
    found: dict[str, tuple[float, ...]] = {}
    for word in words:
        match = _WORD.fullmatch(word)
        if match is None or match[1] in found:
            raise PolicyError(f"normalisation {item!r}: {word!r} is not understood; {_FORM}")
        found[match[1]] = numbers(match[2], f"normalisation {item!r}")
    if not words and _NUMBER.fullmatch(name):
        raise PolicyError(f"normalisation {item!r} has no name: where several are a list, as for "
                          r"--set, the commas within one are written \,")
    if not found:
        raise PolicyError(f"normalisation {item!r}: {name!r} is declared as normalised without "
                          f"statistics; {_FORM}")
    if "offset" in found or (name == ACTION and set(found) == {"scale"}):
        if name != ACTION or not set(found) <= {"scale", "offset"}:
            raise PolicyError(f"normalisation {item!r}: 'offset' goes with 'scale', and is of the "
                              f"action; {_FORM}")
        return name, Normalization.of_action(found.get("scale", (1.0,)),
                                             found.get("offset", (0.0,)))
    return name, Normalization(**found)


def numbers(text: str, where: str) -> tuple[float, ...]:
    """Read `0.5,1/255,2`; `PolicyError` where something is no number."""
    values = []
    for word in text.split(","):
        above, stroke, below = word.partition("/")
        try:
            values.append(float(above) / (float(below) if stroke else 1.0))
        except (ValueError, ZeroDivisionError) as error:
            raise PolicyError(f"{where}: {word!r} is no number") from error
    return tuple(values)


def _along(values: tuple[float, ...], array: NDArray[Any], stack: int) -> NDArray[np.float32]:
    """Shape one value, or one a channel of each observation of a stack, for the first axis."""
    repeated = values * stack if len(values) > 1 else values
    return np.asarray(repeated, np.float32).reshape(-1, *(1,) * (array.ndim - 1))
