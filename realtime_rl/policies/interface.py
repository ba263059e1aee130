"""Whether the inputs, outputs and metadata of an ONNX file fit the plant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.policy_metadata import HISTORY_INPUT, PolicyMetadata
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


def fit(session: Any, expected: tuple[ObservationSpec, ActionSpace]) -> Fitted:  # noqa: ANN401
    """Check a session against the plant; `PolicyError` says what does not fit.

    A file without metadata fits when its shapes do, with a warning.
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
    dtype, dtype_warnings = _dtype(inputs[0].type, observation)
    stack = _stack(inputs[0].shape, observation, metadata)
    _check_outputs(outputs[0].shape, actions)
    warnings = dtype_warnings if metadata else (
        f"no metadata: taken as a stack of {stack} observations, with actions '{actions}'",
        *dtype_warnings)
    return Fitted(inputs[0].name, (stack * observation.shape[0], *observation.shape[1:]), dtype,
                  stack, _finite(observation.low), _finite(observation.high), metadata, warnings,
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
    fits = len(given.shape) == len(needed) and all(
        not isinstance(size, int) or size == need
        for size, need in zip(given.shape, needed, strict=True))
    if given.name != HISTORY_INPUT or given.type != "tensor(float)" or not fits:
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


def _stack(shape: list[int | str | None], observation: ObservationSpec,
           metadata: PolicyMetadata | None) -> int:
    """Return the stack that the input's channels hold; a symbolic size fits any."""
    channels = shape[1] if len(shape) > 1 else None
    stack = metadata.stack if metadata else (
        channels // observation.shape[0] if isinstance(channels, int) else 1)
    needed = (1, max(stack, 1) * observation.shape[0], *observation.shape[1:])
    fits = len(shape) == len(needed) and all(
        not isinstance(size, int) or size == need
        for size, need in zip(shape, needed, strict=True))
    if not fits:
        raise PolicyError(f"its input has shape {shape}, the plant's observations need "
                          f"{list(needed)}")
    return stack


def _check_outputs(shape: list[int | str | None], actions: ActionSpace) -> None:
    if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != actions.size):
        raise PolicyError(f"its output has shape {shape}, the plant's actions need "
                          f"[1, {actions.size}]")


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
