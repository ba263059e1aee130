"""What a policy sees, as a PNG file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from realtime_rl.cli.output import write
from realtime_rl.core.errors import ConfigError, MissingDependencyError
from realtime_rl.core.observations import Observation, split
from realtime_rl.core.types import PlantSpec

_COLOURS = 3


def check(spec: PlantSpec) -> None:
    """Refuse a plant that shows no picture of one or three channels: `ConfigError`."""
    shown = [part for part in spec.observation.parts if _is_picture(part.shape, part.dtype)]
    if not shown:
        raise ConfigError(f"--png: {spec.name!r} shows no picture, but {spec.observation}")


def save(path: Path, observation: Observation) -> None:
    """Write the first picture of an observation, and say so."""
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError("cv2", "plants", error) from error
    picture = next(part for part in split(observation) if _is_picture(part.shape, str(part.dtype)))
    rows = np.ascontiguousarray(np.moveaxis(picture, 0, -1)[..., ::-1])  # OpenCV's are BGR
    write(path, cv2.imencode(".png", rows)[1].tobytes())
    print(f"picture: {path}", file=sys.stderr)


def _is_picture(shape: tuple[int, ...], dtype: str) -> bool:
    return dtype == "uint8" and len(shape) == 3 and shape[0] in (1, _COLOURS)
