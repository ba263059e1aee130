"""Inputs that are fed with the same values whatever is seen: an encoded instruction, a setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy.said import Said
from realtime_rl.core.policy.tensors import Tensor


def fed_with(given: Mapping[str, Tensor], said: Said) -> dict[str, NDArray[Any]]:
    """Return what the inputs of which that is said are fed with, by name.

    A plain list of values fits where the input has so many along one axis; an array from a file
    must have the input's shape.

    Raises:
        PolicyError: shape or type do not fit.
    """
    return {name: cast("constant", given[name], values)
            for name, values in said.constants.items()}


def cast(what: str, given: Tensor, values: NDArray[Any]) -> NDArray[Any]:
    """Return values as an input takes them; `PolicyError` says `what` they are and why not."""
    what, shape = f"{what} {given.name!r}", given.closed()
    axes = [size for size in shape if size > 1]
    plain = values.ndim == 1 and len(axes) < 2 and values.size == math.prod(shape)
    if not given.fits(values.shape) and not plain:
        raise PolicyError(f"{what} has shape {list(values.shape)}, its input is {given}")
    if values.dtype.kind not in "iufb":
        raise PolicyError(f"{what} is {values.dtype}, not numbers")
    with np.errstate(over="ignore", invalid="ignore"):
        found = (values.reshape(shape) if plain else values).astype(given.dtype)
    if given.dtype.kind != "f" and not np.array_equal(found.astype(np.float64),
                                                      values.reshape(found.shape)):
        raise PolicyError(f"{what}: {given.dtype} cannot hold {values.tolist()}")
    if not np.isfinite(found).all():
        raise PolicyError(f"{what} is not finite as {given.dtype}")
    return found
