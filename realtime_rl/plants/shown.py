"""What a plant shows and takes, in words: what a policy for it has to fit."""

from __future__ import annotations

from collections.abc import Iterator

from realtime_rl.core.observations import ONLY, ObservationSpec, number
from realtime_rl.core.types import ActionSpace, PlantSpec

_NAMED = 24
"""So many choices, dimensions and elements are listed by name."""


def shown(spec: PlantSpec) -> str:
    """Describe a plant's period, observation and actions, a line each, then as parameters."""
    return "\n".join(f"  {line}" for line in _lines(spec))


def _lines(spec: PlantSpec) -> Iterator[str]:
    rate = spec.rate or f"{1e9 / spec.period_ns:.2f} ticks a second"
    yield f"a tick every {number(round(spec.period_ns / 1e6, 3))} ms: {rate}"
    for part in spec.observation.parts:
        name = "" if part.name == ONLY else f" {part.name}"
        yield f"observation{name}: {_part(part)}"
    yield from _actions(spec.actions)
    yield f"as parameters: observation='{spec.observation}' actions='{spec.actions}'"
    if spec.warning:
        yield f"warning: {spec.warning}"


def _part(part: ObservationSpec) -> str:
    sizes = ",".join(map(str, part.shape))
    picture = ", a picture (channels, height, width)" if part.is_image else ""
    names = f": {_names(part.elements)}" if part.elements else ""
    return f"{part.dtype}[{sizes}], {number(part.low)} to {number(part.high)}{picture}{names}"


def _actions(actions: ActionSpace) -> Iterator[str]:
    if actions.discrete:
        yield (f"actions: one of {actions.size} choices: "
               + _names([f"{place} {label}" for place, label in enumerate(actions.labels)]))
        yield f"no-op: {actions.labels[int(actions.noop[0])]}"
        return
    yield f"actions: {actions.size} value(s), from low to high: " + _names([
        f"{label} {number(low)} to {number(high)}"
        for label, low, high in zip(actions.labels, actions.low, actions.high, strict=True)])
    yield f"no-op: {_names([number(value) for value in actions.noop])}"


def _names(names: list[str] | tuple[str, ...]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f", and {rest} more" if rest > 0 else "")
