"""The console's buttons as action labels: `LEFT`, `A+RIGHT`, `NOOP`."""

from __future__ import annotations

from collections.abc import Sequence

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.core.types import ActionSpace

NOOP = "NOOP"
SIX = ("A", "B", "LEFT", "UP", "RIGHT", "DOWN", NOOP)
"""The paper's choices: six buttons, index 6 presses none."""
EIGHT = (*SIX[:-1], "START", "SELECT", NOOP)
ALL = frozenset(EIGHT) - {NOOP}


def pressed(label: str) -> frozenset[str]:
    """Return the buttons that a label holds down; `PlantError` when it is not a label."""
    if label == NOOP:
        return frozenset()
    parts = label.split("+")
    if not set(parts) <= ALL or len(set(parts)) != len(parts):
        raise PlantError(f"label {label!r}; choose from {choices(EIGHT)}, or join different "
                         "buttons: 'A+RIGHT'")
    return frozenset(parts)


def action_space(labels: Sequence[str]) -> ActionSpace:
    """Make the action space of some labels; `PlantError` when they do not make one."""
    holds = [pressed(label) for label in labels]
    if len(set(holds)) != len(holds) or NOOP not in labels:
        raise PlantError(f"actions {list(labels)!r}: they must differ, and {NOOP!r} be one of them")
    return ActionSpace(tuple(labels), (float(labels.index(NOOP)),))
