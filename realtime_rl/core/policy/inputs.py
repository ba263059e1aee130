"""Which part of an observation each input of a policy takes, and how it is fed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.observations import ONLY, Observations, ObservationSpec
from realtime_rl.core.policy.normalizing import Normalization
from realtime_rl.core.policy.said import Said
from realtime_rl.core.policy.tensors import Tensor, listed

_NUMBERS = ("tensor(float)", "tensor(float16)", "tensor(double)", "tensor(int32)", "tensor(int64)")
_TYPES: dict[str, tuple[str, ...]] = {"uint8": ("tensor(uint8)", *_NUMBERS), "float32": _NUMBERS}
"""Of inputs that take a part of this dtype without loss of meaning."""


@dataclass(frozen=True, slots=True)
class Input:
    """How to feed one input of a policy."""

    name: str
    place: int
    """Of the part that it takes, among those of the observation."""
    shape: tuple[int, ...]
    """Of that, stacked: `(stack * C, …)`."""
    dtype: np.dtype[Any]
    low: float
    high: float
    """Finite extremes of the part, to warm up with."""
    stack: int = 1
    normalization: Normalization | None = None
    channels_last: bool = False
    """It takes a picture as `(H, W, stack * C)`."""

    @property
    def whole(self) -> bool:
        """It takes whole numbers only."""
        return self.dtype.kind in "iu"

    def feed(self, part: NDArray[Any]) -> NDArray[Any]:
        """Return what goes into the graph, of shape `(1, …)`.

        `PolicyError` where it takes whole numbers, and a value is none: nothing is cut off.
        """
        values = part
        if self.normalization is not None:
            values = self.normalization.apply(values, self.stack)
        if self.whole and values.dtype.kind == "f" and not (values == np.rint(values)).all():
            raise PolicyError(f"its input {self.name!r} takes whole numbers, not {values}")
        if self.channels_last:
            values = np.ascontiguousarray(np.moveaxis(values, 0, -1))
        return values[None].astype(self.dtype, copy=False)

    def extreme(self, value: float) -> NDArray[Any]:
        """Return a part that is `value` everywhere, as fed."""
        return self.feed(np.full(self.shape, round(value) if self.whole else value, np.float32))

    def __str__(self) -> str:
        """Write what is done to the part, beside handing it over."""
        done = [str(self.normalization)] if self.normalization else []
        done += ["channels last"] if self.channels_last else []
        return f"as {self.dtype}" + "".join(f", {each}" for each in done)


def matched(seen: Mapping[str, Tensor], observation: Observations, stack: int, said: Said
            ) -> dict[str, int]:
    """Return the place of the part for each input of a file whose metadata do not tell.

    What is said goes first, then equal names; of the rest each takes the only part that fits.

    Raises:
        PolicyError: a name that is said is not there, or there is not exactly one way.
    """
    parts = observation.parts
    places = _as_told(seen, parts, said)
    if len(parts) == len(seen) == 1:
        return dict.fromkeys(seen, 0)
    for place, part in enumerate(parts):
        if part.name in seen and part.name not in places:
            places[part.name] = place
    rest = [name for name in seen if name not in places]
    free = [place for place in range(len(parts)) if place not in places.values()]
    able = {name: [place for place in free if _able(seen[name], parts[place], stack, said.layout)]
            for name in rest}
    found = list(_assignments(rest, able))
    if len(found) != 1:
        stuck = next((name for name in rest if not able[name]), rest[-1])
        raise PolicyError(_unmatched(seen[stuck], [parts[place].name for place in able[stuck]],
                                     parts))
    places.update(found[0])
    return {name: places[name] for name in seen}


def _as_told(seen: Mapping[str, Tensor], parts: Sequence[ObservationSpec], said: Said
             ) -> dict[str, int]:
    names = [part.name for part in parts]
    for name, part in said.inputs.items():
        if name in seen and part not in names:
            raise PolicyError(f"{said.source}: input {name!r} is to take {part!r}, but the plant "
                              f"gives {listed(names)}")
    return {name: names.index(part) for name, part in said.inputs.items() if name in seen}


def _assignments(names: Sequence[str], able: Mapping[str, Sequence[int]]
                 ) -> Iterator[dict[str, int]]:
    """Every way to give each name a place of its own; no more than two, which is one too many."""
    def ways(left: Sequence[str], taken: frozenset[int]) -> Iterator[dict[str, int]]:
        if not left:
            yield {}
            return
        for place in able[left[0]]:
            if place not in taken:
                for way in ways(left[1:], taken | {place}):
                    yield {left[0]: place, **way}

    for count, way in enumerate(ways(names, frozenset())):
        yield way
        if count:
            return


def _unmatched(given: Tensor, fitting: Sequence[str], parts: Sequence[ObservationSpec]) -> str:
    few = f"and {len(fitting)} others fit" if fitting else "and none of them fits"
    return (f"its input {given} is named as no part of the observation, {few}: say which it takes "
            f"(policy_inputs: {given.name}=PART) or what it is fed with (policy_constants: "
            f"{given.name}=…), or name its inputs after the parts, "
            f"{choices(part.name for part in parts)}")


def _able(given: Tensor, part: ObservationSpec, stack: int, layout: str) -> bool:
    return given.type in _TYPES[part.dtype] and given.fits(_needed(part, stack, layout))


def _needed(part: ObservationSpec, stack: int, layout: str) -> list[int]:
    first, *rest = part.stacked_shape(stack)
    last = layout == "nhwc" and len(rest) == 2
    return [1, *rest, first] if last else [1, first, *rest]


def fed(given: Tensor, place: int, part: ObservationSpec, stack: int, said: Said, *,
        settled: bool, alone: bool) -> tuple[Input, tuple[str, ...]]:
    """Return how an input takes a part, and what is odd about it.

    Args:
        given: the input.
        place: of the part.
        part: what it takes.
        stack: observations joined.
        said: normalisation and layout.
        settled: whether anybody said that it is so many.
        alone: whether it is the only one.

    Raises:
        PolicyError: type, shape or normalisation do not fit.
    """
    _check_type(given, part)
    _check_shape(given.shape, part, stack, said, settled=settled)
    normalization = next((said.normalize[name] for name in (given.name, part.name,
                                                           ONLY if alone else "")
                          if name in said.normalize), None)
    if normalization is not None:
        _check_normalization(given, part, normalization)
    found = Input(given.name, place, part.stacked_shape(stack), given.dtype, _finite(part.low),
                  _finite(part.high), stack, normalization,
                  said.layout == "nhwc" and len(part.shape) == 3)
    odd = []
    if part.dtype == "uint8" and given.type != "tensor(uint8)" and normalization is None:
        odd.append(f"its input is {given.dtype}: uint8 observations are fed unscaled, "
                   f"{part.low:g} … {part.high:g}")
    if found.whole and part.dtype == "float32":
        odd.append(f"its input {given.name!r} is {given.dtype}: an observation whose values are "
                   "not whole costs its slot")
    return found, tuple(odd)


def _check_type(given: Tensor, part: ObservationSpec) -> None:
    if given.type not in _TYPES["uint8"]:
        raise PolicyError(f"its input is {given.type!r}, not one of {choices(_TYPES['uint8'])}")
    if given.type not in _TYPES[part.dtype]:
        raise PolicyError(f"its input is {given.type!r}, the plant gives {part.dtype}")


def _check_normalization(given: Tensor, part: ObservationSpec, normalization: Normalization
                         ) -> None:
    problem = normalization.problem(part.shape[0])
    if problem:
        raise PolicyError(f"normalisation of {given.name!r}: {problem} channels or elements of "
                          f"'{part}'")
    if given.dtype.kind in "iu":
        raise PolicyError(f"normalisation of {given.name!r}: it takes {given.dtype}, which would "
                          "be cut off")


def _check_shape(shape: Sequence[Any], part: ObservationSpec, stack: int, said: Said, *,
                 settled: bool) -> None:
    """Refuse another input than of `stack` observations; a size that is left open fits any."""
    given = Tensor("", "", tuple(shape))
    needed = _needed(part, stack, said.layout)
    if given.fits(needed):
        return
    problem = (f"its input has shape {list(shape)}, the plant's observations need {needed}")
    one, sizes = part.shape[0], list(part.shape[1:])
    first, last = given._replace(shape=given.shape[2:]), given._replace(shape=given.shape[1:3])
    if said.layout == "nhwc" and len(sizes) == 2:
        problem += ", with its channels last, as is said"
    elif len(shape) == len(needed) and first.fits(sizes) and given.shape[1] != needed[1]:
        several, rest = divmod(shape[1], one) if isinstance(shape[1], int) else (0, 0)
        if several > 1 and not rest and not settled:
            problem += (f", and it does not say what else it takes: if that is a stack of "
                        f"{several} observations, set inference.stack={several} (simulate: "
                        f"--stack {several}), or write it into its metadata")
    elif len(sizes) == 2 and len(shape) == 4 and last.fits(sizes):
        problem += (": its channels are last; export it with channels first, or say so: "
                    "policy_layout=nhwc")
    elif given._replace(shape=(1, *given.shape[1:])).fits(needed):
        problem += f": its batch is fixed to {shape[0]}; export it with 1, or with an open one"
    raise PolicyError(problem)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
