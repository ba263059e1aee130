"""Whether the inputs, outputs and metadata of an ONNX file fit the plant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.messages.policy_metadata import HISTORY_INPUT, PolicyMetadata
from realtime_rl.core.observations import Observations, ObservationSpec
from realtime_rl.core.types import ActionSpace

Dtype = type[np.uint8] | type[np.float32]
_DTYPES: dict[str, Dtype] = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


@dataclass(frozen=True, slots=True)
class Input:
    """How to feed one input of a policy."""

    name: str
    place: int
    """Of the part that it takes, among those of the observation."""
    shape: tuple[int, ...]
    """Without the batch axis: `(stack * C, …)`."""
    dtype: Dtype
    low: float
    high: float
    """Finite extremes of the part, to warm up with."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """How to feed a policy that fits."""

    inputs: tuple[Input, ...]
    stack: int
    metadata: PolicyMetadata | None
    warnings: tuple[str, ...]
    history: int = 0
    """Applied actions that the input `action_history` takes; 0: there is none."""


def fit(session: Any, expected: tuple[Observations, ActionSpace], stack: int = 0  # noqa: ANN401
        ) -> Fitted:
    """Check a session against the plant; `PolicyError` says what does not fit.

    A file without metadata fits when its shapes do, with a warning. Sizes that the file leaves
    open are not known before it is run.

    Args:
        session: ONNX Runtime's.
        expected: what the plant gives and takes.
        stack: observations joined, for a file without metadata; 0: it takes one.
    """
    observation, actions = expected
    metadata = PolicyMetadata.from_props(session.get_modelmeta().custom_metadata_map)
    given = {each.name: each for each in session.get_inputs()}
    outputs = session.get_outputs()
    history = _history(given, metadata, observation, actions)
    seen = {name: each for name, each in given.items() if not history or name != HISTORY_INPUT}
    most = len(observation.parts)
    if not 1 <= len(seen) <= most or len(outputs) != 1:
        wanted = "1" if most == 1 else f"1 to {most}"
        beside = f" beside {HISTORY_INPUT!r}" if history else ""
        raise PolicyError(f"it has {len(seen)} inputs{beside} and {len(outputs)} outputs, "
                          f"not {wanted} and 1")
    if metadata is not None:
        _check_actions(metadata, actions)
        if stack not in (0, metadata.stack):
            raise PolicyError(f"it takes a stack of {metadata.stack} observations, its metadata "
                              f"say; stack is set to {stack}: leave that out")
    joined = metadata.stack if metadata else stack or 1
    matched = (_matched(seen, observation, joined) if metadata is None
               else _as_said(seen, observation, metadata))
    inputs: list[Input] = []
    warnings: list[str] = []
    for name, place in matched.items():
        part = observation.parts[place]
        dtype, of_dtype = _dtype(seen[name].type, part)
        _check_input(seen[name].shape, part, joined, said=metadata is not None or stack > 0)
        inputs.append(Input(name, place, part.stacked_shape(joined), dtype, _finite(part.low),
                            _finite(part.high)))
        warnings += of_dtype
    _check_outputs(outputs[0].shape, actions)
    if metadata is None:
        warnings.insert(0, f"no metadata: taken as a stack of {joined} observations, with actions "
                           f"'{actions}'")
    return Fitted(tuple(inputs), joined, metadata, tuple(warnings), history)


def _history(given: Mapping[str, Any], metadata: PolicyMetadata | None, observation: Observations,
             actions: ActionSpace) -> int:
    """Return how many applied actions an input takes; 0: no input does."""
    found = given.get(HISTORY_INPUT)
    if metadata is None:
        named = HISTORY_INPUT in [part.name for part in observation.parts]
        alone = len(given) == 1
        if found is None or named or alone or len(found.shape) != 3 \
                or not isinstance(found.shape[1], int):
            return 0
        history = found.shape[1]
    else:
        history = metadata.action_history
    needed = [1, history, actions.size]
    if history and found is None:
        raise PolicyError(f"it has no input {HISTORY_INPUT!r} {needed}, but {choices(given)}")
    if history and found is not None and (found.type != "tensor(float)"
                                          or not _fits(found.shape, needed)):
        raise PolicyError(f"its input {HISTORY_INPUT!r} is {found.type!r} {found.shape}, not "
                          f"'tensor(float)' {needed}")
    return int(history)


def _as_said(seen: Mapping[str, Any], observation: Observations, metadata: PolicyMetadata
             ) -> dict[str, int]:
    """Return the place of the part for each input, as the metadata say."""
    if set(seen) != set(metadata.inputs):
        raise PolicyError(f"its input is {_listed(seen)}, its metadata say "
                          f"{_listed(metadata.inputs)}")
    places = {}
    alone = len(observation.parts) == len(metadata.inputs) == 1
    for name, taken in metadata.inputs.items():
        place = next((place for place, part in enumerate(observation.parts)
                      if alone or part.name == taken.name), None)
        if place is None or not observation.parts[place].fits(taken):
            raise PolicyError(f"it takes observations '{taken}', the plant gives '{observation}'")
        places[name] = place
    return places


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, names))


def _matched(seen: Mapping[str, Any], observation: Observations, stack: int) -> dict[str, int]:
    """Return the place of the part for each input: of its name, else the only one that fits."""
    parts = observation.parts
    if len(parts) == 1:
        return dict.fromkeys(seen, 0)
    places = {name: place for name in seen for place, part in enumerate(parts)
              if part.name == name}
    for name, given in seen.items():
        fitting = [place for place, part in enumerate(parts) if place not in places.values()
                   and given.type in _DTYPES and _fits(given.shape, [1, *part.stacked_shape(stack)])
                   and not (given.type == "tensor(uint8)" and part.dtype == "float32")]
        if name not in places and len(fitting) != 1:
            raise PolicyError(
                f"its input {name!r}, {given.type!r} {given.shape}, is named as no part of the "
                f"observation, and {len(fitting)} others fit: name its inputs after the parts, "
                f"{choices(part.name for part in parts)}")
        places.setdefault(name, fitting[0] if fitting else -1)
    return {name: places[name] for name in seen}


def _check_actions(metadata: PolicyMetadata, actions: ActionSpace) -> None:
    if metadata.actions != actions:
        raise PolicyError(f"it gives actions '{metadata.actions}', the plant takes '{actions}'")


def _dtype(name: str, part: ObservationSpec) -> tuple[Dtype, tuple[str, ...]]:
    if name not in _DTYPES:
        raise PolicyError(f"its input is {name!r}, not one of {choices(_DTYPES)}")
    dtype = _DTYPES[name]
    if np.dtype(dtype) == np.dtype(part.dtype):
        return dtype, ()
    if part.dtype == "float32":
        raise PolicyError(f"its input is {name!r}, the plant gives float32")
    return dtype, (f"its input is float32: uint8 observations are fed unscaled, "
                   f"{part.low:g} … {part.high:g}",)


def _check_input(shape: list[Any], part: ObservationSpec, stack: int, *, said: bool) -> None:
    """Refuse another input than of `stack` observations; a size that is left open fits any.

    `said`: whether anybody said that it is so many.
    """
    one, sizes = part.shape[0], part.shape[1:]
    needed = [1, *part.stacked_shape(stack)]
    if _fits(shape, needed):
        return
    problem = f"its input has shape {shape}, the plant's observations need {needed}"
    if len(shape) == len(needed) and _fits([*shape[2:]], [*sizes]):
        several, rest = divmod(shape[1], one) if isinstance(shape[1], int) else (0, 0)
        if several > 1 and not rest and not said:
            problem += (f", and it does not say what else it takes: if that is a stack of "
                        f"{several} observations, set inference.stack={several} (simulate: "
                        f"--stack {several}), or write it into its metadata")
    elif len(sizes) == 2 and len(shape) == 4 and _fits(shape[1:3], [*sizes]):
        problem += ": its channels are last; export it with channels first"
    raise PolicyError(problem)


def _fits(shape: list[Any], needed: list[Any]) -> bool:
    return len(shape) == len(needed) and all(
        not isinstance(size, int) or size == need for size, need in zip(shape, needed, strict=True))


def _check_outputs(shape: list[Any], actions: ActionSpace) -> None:
    needed = [1, actions.size]
    if not _fits(shape, needed):
        raise PolicyError(f"its output has shape {shape}, the plant's actions need {needed}")


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
