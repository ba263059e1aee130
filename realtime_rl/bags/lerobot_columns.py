"""What a LeRobot dataset says of recorded episodes: its features, and an episode's columns.

A frame is an observation and what was applied next: `action` led to the observation of the frame
after it. What became of that tick, `next.reward` and the rest of its record, stands in the same
frame. The last observation of an episode has no action, and so no frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.bags.recorded_episodes import SAID, RecordedEpisode, counter_column
from realtime_rl.core.observations import ObservationSpec, split
from realtime_rl.core.types import ActionSpace, PlantSpec

Pictures = list[NDArray[np.uint8]]
"""`(3, height, width)` each."""
COLOURS = 3
DELAY, APPLIED = "next.delay_ticks", "next.applied"


@dataclass(frozen=True, slots=True)
class Feature:
    """A column: what LeRobot calls a feature."""

    dtype: str
    """Of numpy, or `image`."""
    shape: tuple[int, ...] = (1,)
    names: tuple[str, ...] | None = None

    @property
    def info(self) -> dict[str, Any]:
        """As `info.json` has it."""
        return {"dtype": self.dtype, "shape": list(self.shape),
                "names": None if self.names is None else list(self.names)}


INDICES = {"timestamp": Feature("float32"), "frame_index": Feature("int64"),
           "episode_index": Feature("int64"), "index": Feature("int64"),
           "task_index": Feature("int64")}
"""What every LeRobot dataset has."""


def features_of(spec: PlantSpec) -> dict[str, Feature]:
    """Return the features of a plant's episodes, by their names."""
    said = {_next(name): Feature(_kind(name)) for name in SAID}
    exactly = ({} if spec.actions.discrete else
               {APPLIED: Feature("float64", (spec.actions.size,), spec.actions.labels)})
    return {**{key: _feature(part) for key, part in observation_keys(spec).items()},
            "action": _action(spec.actions), "next.reward": Feature("float64"),
            "next.done": Feature("bool"), "next.truncated": Feature("bool"),
            DELAY: Feature("int64"), **exactly, **said,
            **{_next(counter_column(name)): Feature("float64") for name in spec.counters},
            **INDICES}


def observation_keys(spec: PlantSpec) -> dict[str, ObservationSpec]:
    """Return the parts of an observation by LeRobot's names, in the plant's order."""
    parts = spec.observation.parts
    vectors = [part for part in parts if not part.is_image]
    return {_key(part, only=len(parts if part.is_image else vectors) == 1): part for part in parts}


def _key(part: ObservationSpec, *, only: bool) -> str:
    if part.is_image:
        return "observation.image" if only else f"observation.images.{part.name}"
    return "observation.state" if only else f"observation.{part.name}"


def _feature(part: ObservationSpec) -> Feature:
    if part.is_image:
        return Feature("image", (*part.shape[1:], COLOURS), ("height", "width", "channels"))
    return Feature(part.dtype, (int(np.prod(part.shape)),), part.elements or None)


def _action(actions: ActionSpace) -> Feature:
    return (Feature("float32", (1,), ("index",)) if actions.discrete
            else Feature("float32", (actions.size,), actions.labels))


def _next(name: str) -> str:
    return f"next.{name}"


def _kind(name: str) -> str:
    """Return the dtype of a field of `Timestep`."""
    return "bool" if name == "missed" else "float64" if name.endswith("_s") else "int64"


def columns_of(spec: PlantSpec, episode: RecordedEpisode
               ) -> dict[str, Pictures | NDArray[np.generic]]:
    """Return an episode's columns, without its indices: pictures, or arrays `(frames, size)`."""
    acted = episode.steps[1:]
    seen = list(zip(*(split(each) for each in episode.observations[:-1]), strict=True))
    found: dict[str, Pictures | NDArray[np.generic]] = {
        key: ([coloured(each) for each in values] if part.is_image
              else np.stack(values).reshape(len(acted), -1))
        for (key, part), values in zip(observation_keys(spec).items(), seen, strict=True)}
    applied = np.array([step.action for step in acted])
    said = {_next(name): [getattr(step, name) for step in acted] for name in SAID}
    counted = {_next(counter_column(name)): [step.counters[place] for step in acted]
               for place, name in enumerate(spec.counters)}
    values = {"next.reward": [step.reward for step in acted],
              "next.done": [step.last for step in acted],
              "next.truncated": [step.last and bool(step.discount) for step in acted],
              DELAY: [step.tick - step.observation_tick if step.observation_tick >= 0 else -1
                      for step in acted], **said, **counted}
    features = features_of(spec)
    found["action"] = applied.astype(np.float32)
    if APPLIED in features:
        found[APPLIED] = applied
    return {**found, **{key: np.array(column, features[key].dtype).reshape(-1, 1)
                        for key, column in values.items()}}


def coloured(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture with three channels, as LeRobot's policies take them: grey has equal ones.

    Nothing is lost: each channel of a grey one is the picture.
    """
    return np.broadcast_to(picture, (COLOURS, *picture.shape[1:]))


def beside(spec: PlantSpec, episode: RecordedEpisode) -> dict[str, Any]:
    """Return what has no frame: the record of the first tick, and the last observation.

    Pictures are `(3, height, width)` uint8, all else is numbers and lists of them.
    """
    first, last = episode.steps[0], split(episode.observations[-1])
    return {
        **{f"first/{name}": _plain(getattr(first, name)) for name in SAID},
        **{f"first/{counter_column(name)}": first.counters[place]
           for place, name in enumerate(spec.counters)},
        "first/applied": list(first.action),
        **{f"last/{key}": coloured(value) if part.is_image else value.reshape(-1).tolist()
           for (key, part), value in zip(observation_keys(spec).items(), last, strict=True)}}


def _plain(value: float) -> float:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
