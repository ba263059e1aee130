"""What an ONNX policy says about itself, as the key-value metadata of its file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from realtime_rl.core.errors import PolicyError, RealtimeRlError, choices
from realtime_rl.core.messages import ranges
from realtime_rl.core.observations import Observations, ObservationSpec, parse
from realtime_rl.core.types import ActionSpace

PREFIX = "realtime_rl."
Outputs = Literal["q_values", "action", "gaussian_tanh"]
_OUTPUTS = ("q_values", "action", "gaussian_tanh")
HISTORY_INPUT = "action_history"
"""Name of the input that takes applied actions."""
_OPTIONAL = {"action_history": "0", "chunk": "0", "chunk_first_tick": "1", "chunk_period_ns": "0",
             "max_prefix": "0"}
"""What older files do not say."""


@dataclass(frozen=True, slots=True)
class PolicyMetadata:
    """The metadata of one policy version."""

    input_name: str
    """Of several parts: the names of their inputs, in order, with blanks between them."""
    observation: Observations
    """One observation; an input has `stack` of its part joined along the first axis."""
    stack: int
    actions: ActionSpace
    version: int
    training_step: int
    """Gradient updates behind these weights."""
    epsilon: float
    """Share of exploration that the learner wants of whoever collects its data, in [0, 1]."""
    producer: str
    outputs: Outputs
    """`q_values`: one a choice, the largest acts; `action`: one value a dimension;
    `gaussian_tanh`: mean and logarithm of the deviation, of which the mean acts, through tanh."""
    action_history: int = 0
    """Applied actions [ticks] that an input, `action_history`, takes as float32 of shape
    `(1, action_history, actions.size)`, one-hot or values, oldest first; 0: no such input."""
    chunk: int = 0
    """Rows of a chunk: it answers with `(1, chunk, actions.size)`; 0: with a single action."""
    chunk_first_tick: int = 1
    """The tick after its observation's that the first row is meant for; 0: the same tick."""
    chunk_period_ns: int = 0
    """Between the rows of a chunk [ns]; 0: the plant's period."""
    max_prefix: int = 0
    """Rows that it was trained to continue, of what acts before its chunk can, at most; it then
    has an input `prev_chunk` (`policy.prefix`). 0: it does not say."""

    def __post_init__(self) -> None:
        """Refuse values that no policy can have."""
        names = self._input_names
        if len(set(names)) != len(self.observation.parts) or HISTORY_INPUT in names:
            raise PolicyError(f"policy metadata: input_name {self.input_name!r} must name an input "
                              f"for each part of '{self.observation}'")
        if self.stack < 1:
            raise PolicyError(f"policy metadata: stack {self.stack!r} must be 1 or more")
        if self.action_history < 0:
            raise PolicyError(f"policy metadata: action_history {self.action_history!r} must not "
                              "be negative")
        if self.version < 0 or self.training_step < 0:
            raise PolicyError(f"policy metadata: version {self.version!r} and training_step "
                              f"{self.training_step!r} must not be negative")
        if not (math.isfinite(self.epsilon) and 0.0 <= self.epsilon <= 1.0):
            raise PolicyError(f"policy metadata: epsilon {self.epsilon!r} is outside 0 … 1")
        if self.outputs not in _OUTPUTS:
            raise PolicyError(f"policy metadata: outputs {self.outputs!r} is not one of "
                              f"{choices(_OUTPUTS)}")
        if self.outputs == "q_values" and not self.actions.discrete:
            raise PolicyError("policy metadata: outputs 'q_values' need a discrete action space, "
                              f"not '{self.actions}'")
        self._check_chunk()

    def _check_chunk(self) -> None:
        if self.chunk < 0 or self.chunk > ranges.MOST_ROWS:
            raise PolicyError(f"policy metadata: chunk {self.chunk!r} is outside 0 … "
                              f"{ranges.MOST_ROWS}")
        if self.chunk_first_tick not in (0, 1):
            raise PolicyError(f"policy metadata: chunk_first_tick {self.chunk_first_tick!r} must "
                              "be 0 or 1")
        if self.chunk_period_ns < 0:
            raise PolicyError(f"policy metadata: chunk_period_ns {self.chunk_period_ns!r} must not "
                              "be negative")
        if self.max_prefix and not 0 < self.max_prefix < self.chunk:
            raise PolicyError(f"policy metadata: max_prefix {self.max_prefix!r} is outside 0 … "
                              f"{max(0, self.chunk - 1)}, as the last row of a chunk of "
                              f"{self.chunk} is its own")

    @property
    def inputs(self) -> dict[str, ObservationSpec]:
        """The part that each of the network's inputs takes, by the input's name, in order."""
        return dict(zip(self._input_names, self.observation.parts, strict=True))

    @property
    def _input_names(self) -> list[str]:
        one = len(self.observation.parts) == 1
        return [self.input_name] if one else self.input_name.split()

    def difference(self, other: PolicyMetadata) -> str:
        """Say in what `other` takes or gives something else; empty: in nothing."""
        for name in ("observation", "actions", "outputs", "stack", "action_history", "chunk",
                     "chunk_first_tick", "chunk_period_ns", "max_prefix"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine != its:
                return f"its {name} is {str(its)!r}, not {str(mine)!r}"
        return ""

    def to_props(self) -> dict[str, str]:
        """Return the key-value pairs that go into the ONNX file."""
        return {PREFIX + field.name: str(getattr(self, field.name))
                for field in dataclasses.fields(self)}

    @staticmethod
    def from_props(props: Mapping[str, str]) -> PolicyMetadata | None:
        """Read the pairs of an ONNX file; `None` when none is there that every file of ours has.

        Raises:
            PolicyError: a pair is absent or unreadable, or the values do not fit each other.
        """
        if not any(PREFIX + field.name in props for field in dataclasses.fields(PolicyMetadata)
                   if field.name not in _OPTIONAL):
            return None
        given = {field.name: props.get(PREFIX + field.name, _OPTIONAL.get(field.name))
                 for field in dataclasses.fields(PolicyMetadata)}
        absent = [name for name, value in given.items() if value is None]
        if absent:
            raise PolicyError(f"policy metadata lacks {', '.join(absent)}")
        text = cast(dict[str, str], given)
        try:
            return PolicyMetadata(
                text["input_name"], parse(text["observation"]),
                int(text["stack"]), ActionSpace.parse(text["actions"]), int(text["version"]),
                int(text["training_step"]), float(text["epsilon"]), text["producer"],
                cast(Outputs, text["outputs"]), int(text["action_history"]), int(text["chunk"]),
                int(text["chunk_first_tick"]), int(text["chunk_period_ns"]),
                int(text["max_prefix"]))
        except PolicyError:
            raise
        except (ValueError, RealtimeRlError) as error:
            raise PolicyError(f"policy metadata: {error}") from error
