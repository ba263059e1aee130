"""How many steps a second an environment makes in its own time, and how that comes about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

ATARI_FRAMES_PER_SECOND = 60.0
"""`render_fps` of the Arcade Learning Environment is 30 whatever is played."""
_SKIPS = ("frame_skip", "frameskip", "_frame_skip", "_frameskip", "_skip")
"""What environments and wrappers call their frames a step."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What is known of the rate of an environment's steps."""

    steps_per_second: float | None
    """`None`: it cannot be known."""
    text: str
    """How it comes about, or why it cannot be known; no stop at the end."""


def rate_of(env: Any, *, atari: bool) -> Rate:  # noqa: ANN401 - a gymnasium.Env
    """Return frames a second, divided by frames a step.

    Gymnasium's `render_fps` is of frames. Where the environment has a step's length, `dt`, that
    agrees with `render_fps`, its own skipped frames are in it, as MuJoCo's are.
    """
    fps = ATARI_FRAMES_PER_SECOND if atari else _fps((env.metadata or {}).get("render_fps"))
    if fps is None:
        return Rate(None, "it does not say its rate (render_fps)")
    frames = 1
    for skip in _skips(env, counted=not atari and _step_is_a_frame(env, fps)):
        if isinstance(skip, bool) or not isinstance(skip, int) or skip < 1:
            return Rate(None, f"its frames a step vary: {skip}")
        frames *= skip
    said = "" if atari else " (render_fps)"
    return Rate(fps / frames, f"{fps:g} frames a second{said}, {frames} a step")


def _fps(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value > 0 else None


def _step_is_a_frame(env: Any, fps: float) -> bool:  # noqa: ANN401 - a gymnasium.Env
    try:
        return bool(round(1.0 / env.unwrapped.dt) == round(fps))
    except Exception:  # whatever a property of a stranger's raises
        return False


def _skips(env: Any, *, counted: bool) -> list[Any]:  # noqa: ANN401 - a gymnasium.Env
    """Return the frames a step of every layer; `counted`: those of the innermost are one."""
    found = []
    layer = env
    while layer is not env.unwrapped:
        found += _own(vars(layer))
        layer = layer.env
    if not counted:
        found += _own(vars(layer)) or _own(env.spec.kwargs if env.spec else {})
    return found


def _own(values: Any) -> list[Any]:  # noqa: ANN401 - by name
    return [values[name] for name in _SKIPS if name in values][:1]
