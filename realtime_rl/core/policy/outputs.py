"""Which output of a policy acts, and how an action, or a chunk of them, is read from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages import ranges
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.policy.normalizing import ACTION, Normalization
from realtime_rl.core.policy.said import Said
from realtime_rl.core.policy.tensors import Tensor, listed
from realtime_rl.core.types import ActionSpace

ACTING = frozenset({"action", "actions", "q_values", "logits"})
"""Names of which it is clear that the output acts, where several could."""
_BESIDE = frozenset({
    "value", "values", "vf", "critic", "state_value", "log_prob", "log_probs", "logp", "neglogp",
    "entropy"})
"""Names of outputs that never act beside another one."""
_MEANS = frozenset({"mean", "mu", "loc", "mean_actions", "action_mean", "means"})
_DEVIATIONS = frozenset({"log_std", "logstd", "log_stds", "action_log_std", "std", "sigma"})
_OPEN = -1


@dataclass(frozen=True, slots=True)
class Reading:
    """How actions are read."""

    output: str
    """Name of the output that acts."""
    actions: ActionSpace
    kind: str
    """`values`: one a choice or a dimension; `index`: of the choice; `gaussian_tanh`."""
    horizon: int = 0
    """Rows of the chunk that it is; 0: a single action; negative: as many as a run gives."""
    normalization: Normalization | None = None
    """From the network's values to the plant's."""
    unused: tuple[str, ...] = ()
    """Outputs that nobody takes."""

    def read(self, found: NDArray[Any]) -> NDArray[np.float32]:
        """Return values of shape `(A,)`, or `(H, A)` of a chunk: in the plant's units, unclipped.

        `PolicyError` where what comes out has another shape, or is not finite. Of choices some
        may be `-inf`, as those that are masked.
        """
        rows = self._one_hot(found) if self.kind == "index" else self._values(found)
        if self.kind == "gaussian_tanh":
            low, high = (np.asarray(each, np.float32)
                         for each in (self.actions.low, self.actions.high))
            rows = low + (np.tanh(rows[..., :self.actions.size]) + 1) / 2 * (high - low)
        if self.normalization is not None:
            rows = self.normalization.undo(rows)
        # the largest of them is finite only if none is NaN, none +inf and not all are -inf
        judged: NDArray[np.float32] = rows.max(axis=-1) if self.actions.discrete else rows
        if not np.isfinite(judged).all():
            raise PolicyError(f"gives non-finite outputs: {_where(rows, judged)}")
        return rows

    def _values(self, found: NDArray[Any]) -> NDArray[np.float32]:
        size = self.actions.size
        twice = self.kind == "gaussian_tanh" and found.shape[-1:] == (2 * size,)
        right = (1,) if not self.horizon else (
            1, found.shape[1] if self.horizon < 0 and found.ndim == 3 else self.horizon)
        if found.shape[:-1] != right or not (found.shape[-1] == size or twice):
            raise PolicyError(f"gives outputs of shape {list(found.shape)}, the plant's actions "
                              f"need {self._needed()}")
        first: NDArray[np.float32] = found[0].astype(np.float32, copy=False)
        return first

    def _one_hot(self, found: NDArray[Any]) -> NDArray[np.float32]:
        if found.size != 1 or not 0 <= int(found.reshape(())) < self.actions.size:
            raise PolicyError(f"gives choice {found.tolist()}, the plant takes 0 … "
                              f"{self.actions.size - 1}")
        rows = np.zeros(self.actions.size, np.float32)
        rows[int(found.reshape(()))] = 1.0
        return rows

    def _needed(self) -> list[object]:
        rows: list[object] = [] if not self.horizon else [self.horizon if self.horizon > 0 else "H"]
        return [1, *rows, self.actions.size]

    def __str__(self) -> str:
        """Write what it is."""
        what = {"values": "one value a choice, the largest acts" if self.actions.discrete
                else "one value a dimension", "index": "number of the choice",
                "gaussian_tanh": "a Gaussian, whose mean acts through tanh, -1 … 1 as the limits"
                }[self.kind]
        rows = f"{self.horizon} rows of " if self.horizon else ""
        scaled = f", scaled: {self.normalization}" if self.normalization else ""
        return f"{rows}{what}{scaled}"


def _where(rows: NDArray[np.float32], judged: NDArray[np.float32]) -> str:
    if rows.ndim == 1:
        return str(rows)
    bad = np.flatnonzero(~np.isfinite(judged).reshape(len(rows), -1).all(axis=1))
    return f"row {bad[0]} of {len(rows)}, {rows[bad[0]]}"


def choose(outputs: Mapping[str, Tensor], actions: ActionSpace, said: Said,
           metadata: PolicyMetadata | None) -> Reading:
    """Choose the output that acts; `states` are not among `outputs`.

    Raises:
        PolicyError: none fits, several do, or what is said of it does not fit.
    """
    kind = said.kind or ("gaussian_tanh" if metadata and metadata.outputs == "gaussian_tanh"
                         else "")
    if kind and (actions.discrete or not all(map(math.isfinite, (*actions.low, *actions.high)))):
        raise PolicyError(f"its outputs are {kind!r}, which gives values between limits, and the "
                          f"plant takes '{actions}'")
    name = said.output or _only(outputs, actions, kind)
    if name not in outputs:
        raise PolicyError(f"{said.source}: output {name!r} is to act, but its outputs are "
                          f"{listed(outputs)}")
    found = _kind(outputs[name], actions, kind)
    if found is None:
        raise PolicyError(f"its output has shape {list(outputs[name].shape)}, the plant's actions "
                          f"need [1, {actions.size}], or [1, H, {actions.size}] for a chunk")
    horizon = _horizon(outputs[name], found, metadata)
    normalization = said.normalize.get(ACTION)
    if normalization is not None and (actions.discrete or found == "gaussian_tanh"
                                      or normalization.problem(actions.size)):
        raise PolicyError("normalisation of the action: " + (
            normalization.problem(actions.size) or f"it does not go with {found!r} outputs of "
            f"'{actions}'"))
    unused = tuple(each for each in outputs if each != name)
    return Reading(name, actions, found, horizon, normalization, unused)


def _only(outputs: Mapping[str, Tensor], actions: ActionSpace, kind: str) -> str:
    """Return the name of the output that can only be meant."""
    if len(outputs) == 1:
        return next(iter(outputs))
    fitting = [name for name, each in outputs.items()
               if name not in _BESIDE and _kind(each, actions, kind)]
    if kind:
        fitting = [name for name in fitting if name not in _DEVIATIONS]
    if len(fitting) == 1:
        return fitting[0]
    clear = [name for name in fitting if name in (_MEANS if kind else ACTING)]
    if len(clear) == 1:
        return clear[0]
    shapes = "; ".join(map(str, outputs.values()))
    if not fitting:
        raise PolicyError(f"none of its outputs fits actions of shape [1, {actions.size}], or "
                          f"[1, H, {actions.size}] for a chunk: {shapes}")
    advice = f"say which: policy_output={fitting[0]}"
    means = [name for name in fitting if name in _MEANS]
    if means and set(fitting) & _DEVIATIONS:
        advice = (f"say whether the mean acts as it is (policy_output={means[0]}) or through tanh "
                  "(policy_output=gaussian_tanh)")
    raise PolicyError(f"it is not clear which of its outputs acts, {listed(fitting)}: {advice}")


def _kind(given: Tensor, actions: ActionSpace, kind: str) -> str | None:
    """Return what an output can be, or `None`."""
    shape, size = given.shape, actions.size
    whole = given.type in ("tensor(int32)", "tensor(int64)")
    if actions.discrete and whole and (len(shape) < 2 or given.fits([1, 1])):
        return "index"
    if whole or given.type == "tensor(bool)" or len(shape) not in (2, 3):
        return None
    leading = given._replace(shape=shape[:-1])
    rows = shape[1] if len(shape) == 3 and isinstance(shape[1], int) else 1
    if not leading.fits([1, rows] if len(shape) == 3 else [1]) or rows < 1:
        return None
    wide = (size, 2 * size) if kind == "gaussian_tanh" else (size,)
    fits = not isinstance(shape[-1], int) or shape[-1] in wide
    return (kind or "values") if fits else None


def _horizon(given: Tensor, kind: str, metadata: PolicyMetadata | None) -> int:
    rows = 0 if kind == "index" or len(given.shape) == 2 else given.shape[1]
    horizon = rows if isinstance(rows, int) else _OPEN
    if metadata is not None and horizon == _OPEN and metadata.chunk:
        return metadata.chunk
    if metadata is not None and metadata.chunk != horizon:
        raise PolicyError(f"its output has shape {list(given.shape)}, its metadata say 'chunk' is "
                          f"{metadata.chunk}")
    if horizon > ranges.MOST_ROWS:
        raise PolicyError(f"its chunk has {horizon} rows, more than {ranges.MOST_ROWS}")
    return horizon
