"""Whether the inputs, outputs and metadata of an ONNX file fit the plant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.messages.policy_metadata import HISTORY_INPUT, PolicyMetadata
from realtime_rl.core.types import ActionSpace, ObservationSpec

_DTYPES: dict[str, type[np.uint8] | type[np.float32]] = {
    "tensor(uint8)": np.uint8, "tensor(float)": np.float32}


@dataclass(frozen=True, slots=True)
class Fitted:
    """How to feed a policy that fits."""

    input_name: str
    input_shape: tuple[int, ...]
    """Without the batch axis: `(stack * C, …)`."""
    dtype: type[np.uint8] | type[np.float32]
    stack: int
    low: float
    high: float
    """Finite extremes of an observation, to warm up with."""
    metadata: PolicyMetadata | None
    warnings: tuple[str, ...]
    history: int = 0
    """Applied actions that the second input takes; 0: there is none."""


def fit(session: Any, expected: tuple[ObservationSpec, ActionSpace], stack: int = 0  # noqa: ANN401
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
    inputs, outputs = session.get_inputs(), session.get_outputs()
    history = metadata.action_history if metadata else 0
    wanted = 2 if history else 1
    if len(inputs) != wanted or len(outputs) != 1:
        raise PolicyError(f"it has {len(inputs)} inputs and {len(outputs)} outputs, "
                          f"not {wanted} and 1")
    if history:
        _check_history(inputs[1], [1, history, actions.size])
    if metadata is not None:
        _check_metadata(metadata, inputs[0].name, observation, actions)
        if stack not in (0, metadata.stack):
            raise PolicyError(f"it takes a stack of {metadata.stack} observations, its metadata "
                              f"say; stack is set to {stack}: leave that out")
    dtype, dtype_warnings = _dtype(inputs[0].type, observation)
    joined = metadata.stack if metadata else stack or 1
    _check_inputs(inputs[0].shape, observation, joined, said=metadata is not None or stack > 0)
    _check_outputs(outputs[0].shape, actions)
    warnings = dtype_warnings if metadata else (
        f"no metadata: taken as a stack of {joined} observations, with actions '{actions}'",
        *dtype_warnings)
    return Fitted(inputs[0].name, (joined * observation.shape[0], *observation.shape[1:]), dtype,
                  joined, _finite(observation.low), _finite(observation.high), metadata, warnings,
                  history)


def _check_metadata(metadata: PolicyMetadata, input_name: str, observation: ObservationSpec,
                    actions: ActionSpace) -> None:
    if metadata.observation != observation:
        raise PolicyError(f"it takes observations '{metadata.observation}', "
                          f"the plant gives '{observation}'")
    if metadata.actions != actions:
        raise PolicyError(f"it gives actions '{metadata.actions}', the plant takes '{actions}'")
    if metadata.input_name != input_name:
        raise PolicyError(f"its input is {input_name!r}, its metadata say "
                          f"{metadata.input_name!r}")


def _check_history(given: Any, needed: list[int]) -> None:  # noqa: ANN401 - ONNX Runtime's
    if (given.name != HISTORY_INPUT or given.type != "tensor(float)"
            or not _fits(given.shape, needed)):
        raise PolicyError(f"its second input is {given.name!r}, {given.type!r} {given.shape}, not "
                          f"{HISTORY_INPUT!r}, 'tensor(float)' {needed}")


def _dtype(name: str, observation: ObservationSpec
           ) -> tuple[type[np.uint8] | type[np.float32], tuple[str, ...]]:
    if name not in _DTYPES:
        raise PolicyError(f"its input is {name!r}, not one of {choices(_DTYPES)}")
    dtype = _DTYPES[name]
    if np.dtype(dtype) == np.dtype(observation.dtype):
        return dtype, ()
    if observation.dtype == "float32":
        raise PolicyError(f"its input is {name!r}, the plant gives float32")
    return dtype, (f"its input is float32: uint8 observations are fed unscaled, "
                   f"{observation.low:g} … {observation.high:g}",)


def _check_inputs(shape: list[Any], observation: ObservationSpec, stack: int, *,
                  said: bool) -> None:
    """Refuse another input than of `stack` observations; a size that is left open fits any.

    `said`: whether anybody said that it is so many.
    """
    one, sizes = observation.shape[0], observation.shape[1:]
    needed = [1, stack * one, *sizes]
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
