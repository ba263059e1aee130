"""What is said of a policy beside its graph: in its metadata, beside it, and by parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError, choices
from realtime_rl.core.messages.policy_metadata import PREFIX
from realtime_rl.core.policy import normalizing
from realtime_rl.core.policy.normalizing import Normalization

LAYOUTS = ("nchw", "nhwc")
KINDS = ("q_values", "action", "gaussian_tanh")
"""What outputs are, where that is said: the metadata's `outputs`."""
OUTPUT = "output:"
"""Before the name of the output whose last value an input takes."""
_DIGITS = 18
METADATA = "its metadata"
PARAMETERS = "the parameters"


@dataclass(frozen=True)
class Said:
    """What one source says; what it does not speak of is empty."""

    source: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    """By input: the part that it takes, or `output:NAME` for one that carries a state on."""
    output: str = ""
    """Name of the output that acts."""
    kind: str = ""
    """One of `KINDS`."""
    normalize: Mapping[str, Normalization] = field(default_factory=dict)
    """By input or part, and `action`."""
    layout: str = ""
    """Of pictures, one of `LAYOUTS`."""
    constants: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By input: what it is fed with, whatever is seen."""
    goals: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By input that takes the goal: the values that it begins with; empty: none are given."""
    chunk_first_tick: int | None = None
    chunk_period_ns: int = 0
    max_prefix: int = 0
    """Rows of a prefix that it was trained for, at most; 0: not said."""
    period_ns: int = 0
    """Of the policy's own ticks; 0: not said."""
    joints: tuple[str, ...] = ()
    """Names of the action's dimensions, in order."""
    terms: tuple[tuple[str, int], ...] = ()
    """What the values of its one input are, in order: names and how many of each."""


def merge(sources: Iterable[Said]) -> Said:
    """Join what several sources say; `PolicyError` names both where two say different things."""
    found: dict[tuple[str, str], tuple[Any, str]] = {}
    for said in sources:
        for what, value in _items(said):
            before, owner = found.setdefault(what, (value, said.source))
            if not np.array_equal(before, value):
                name, key = what
                raise PolicyError(
                    f"{owner} say {name}{f' of {key!r}' if key else ''} is {_short(before)}, "
                    f"{said.source} say {_short(value)}: leave one of them out")
    merged: dict[str, Any] = {}
    for (name, key), (value, _) in found.items():
        if key:
            merged.setdefault(name, {})[key] = value
        else:
            merged[name] = value
    return Said(" and ".join(dict.fromkeys(owner for _, owner in found.values())), **merged)


def _items(said: Said) -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield what is said, single items of what is said by name: what it is, then its name."""
    for each in fields(Said)[1:]:
        value = getattr(said, each.name)
        if isinstance(value, Mapping):
            yield from (((each.name, key), item) for key, item in value.items())
        elif value != each.default:
            yield (each.name, ""), value


def _short(value: object) -> str:
    text = repr(str(value))
    return text if len(text) <= 80 else f"{text[:76]} …'"


def from_props(props: Mapping[str, str]) -> Said:
    """Read the keys that a file may have instead of, or beside, those of `PolicyMetadata`."""
    def items(name: str) -> list[str]:
        return [item.strip() for item in props.get(PREFIX + name, "").split(";") if item.strip()]

    def whole(name: str) -> int | None:
        text = props.get(PREFIX + name, "")
        if not text or props.get(PREFIX + "chunk") == "0":
            return None
        if not text.isdigit() or len(text) > _DIGITS:
            raise PolicyError(f"policy metadata: {name} {text!r} is no number")
        return int(text)

    return of_words(METADATA, inputs=items("inputs"), output=props.get(PREFIX + "output", ""),
                    normalize=items("normalize"), layout=props.get(PREFIX + "layout", "").lower(),
                    constants=items("constants"), goal=props.get(PREFIX + "goal", ""),
                    chunk_first_tick=whole("chunk_first_tick"),
                    chunk_period_ns=whole("chunk_period_ns") or 0,
                    max_prefix=whole("max_prefix") or 0)


def of_words(source: str, *, inputs: Iterable[str] = (), output: str = "",
             normalize: Iterable[str] = (), layout: str = "", constants: Iterable[str] = (),
             goal: str = "", chunk_first_tick: int | None = None, chunk_period_ns: int = 0,
             max_prefix: int = 0,
             arrays: Mapping[str, NDArray[Any]] | None = None) -> Said:
    """Read what is said in words; `PolicyError` where it cannot be read.

    Args:
        source: who says it.
        inputs: `observation.state=state`, or `hx=output:hy` for a state.
        output: name of the output that acts, or what it is (`gaussian_tanh`), or both.
        normalize: `front scale=1/255 mean=… std=…`, of the action also `offset=…`.
        layout: one of `LAYOUTS`; empty: not said.
        constants: `command=0.1,0.2`.
        goal: `goal`, or `goal=0.1,0.2` with the values that it begins with.
        chunk_first_tick: see `PolicyMetadata`; `None`: not said.
        chunk_period_ns: likewise; 0: not said.
        max_prefix: likewise.
        arrays: constants that were read from files.
    """
    if layout and layout not in LAYOUTS:
        raise PolicyError(f"{source}: layout {layout!r} is not one of {choices(LAYOUTS)}")
    words = output.split()
    kind = words.pop() if words and words[-1] in KINDS[2:] else ""
    if len(words) > 1:
        raise PolicyError(f"{source}: output {output!r}: write the name of one output, "
                          "'gaussian_tanh', or both")
    return Said(
        source, _pairs(source, inputs, "observation.state=state"), "".join(words), kind,
        _once(source, map(normalizing.parse, normalize)), layout,
        {**{name: np.asarray(normalizing.numbers(text, f"{source}: constant {name!r}"), np.float64)
            for name, text in _pairs(source, constants, "command=0.1,0.2").items()},
         **(arrays or {})},
        _goals(source, goal),
        chunk_first_tick, chunk_period_ns, max_prefix)


def _goals(source: str, text: str) -> dict[str, NDArray[Any]]:
    name, equals, values = (word.strip() for word in text.partition("="))
    if not text.strip():
        return {}
    if not name or bool(equals) != bool(values):
        raise PolicyError(f"{source}: goal {text!r} must be like 'goal', the name of an input, or "
                          "'goal=0.1,0.2' with the values that it begins with")
    numbers = normalizing.numbers(values, f"{source}: goal {name!r}") if equals else ()
    return {name: np.asarray(numbers, np.float64)}


def _pairs(source: str, items: Iterable[str], example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        name, equals, value = (word.strip() for word in item.partition("="))
        if not equals or not name or not value or name in found:
            raise PolicyError(f"{source}: {item!r} must be like {example!r}, once for each input")
        found[name] = value
    return found


def _once(source: str, items: Iterable[tuple[str, Normalization]]) -> dict[str, Normalization]:
    found: dict[str, Normalization] = {}
    for name, value in items:
        if name in found:
            raise PolicyError(f"{source}: {name!r} is normalised twice")
        found[name] = value
    return found
