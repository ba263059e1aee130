"""Recorded episodes as a Minari dataset, and back.

What was applied at a tick is the action that led to its observation; when, by whom and with what
delay stands in `infos`, a value a tick, so that nothing of a `Timestep` is lost.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from realtime_rl.bags.recorded_episodes import (
    NOTHING,
    SAID,
    RecordedEpisode,
    counter_column,
)
from realtime_rl.bags.whole_folder import whole
from realtime_rl.core.errors import BagError, MissingDependencyError
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation, ObservationSpec, join, names_of, split
from realtime_rl.core.types import ActionSpace, Cause, PlantSpec

_PATH = "MINARI_DATASETS_PATH"
_ID = re.compile(r"[A-Za-z0-9_-]+-v\d+")
_APPLIED = "applied"
"""What each tick latched, the first as well, which takes no action: whole and in full precision."""


def _minari() -> tuple[Any, Any]:
    try:
        import gymnasium
        import minari
    except ImportError as error:
        raise MissingDependencyError("minari", "datasets", error) from error
    return minari, gymnasium.spaces


def write(folder: Path, spec: PlantSpec, episodes: Iterable[RecordedEpisode], about: str) -> int:
    """Write a dataset; it is there whole, or not at all. Return how many episodes it has.

    Args:
        folder: the dataset, whose name is its id, as `catch-v0`; must not exist.
        spec: of the plant.
        episodes: read one after another.
        about: what it is, in a line.

    Raises:
        BagError: the name is no id, the folder exists, or there are no episodes.
        MissingDependencyError: minari is not installed.
    """
    minari, spaces = _minari()
    if _ID.fullmatch(folder.name) is None:
        raise BagError(f"dataset {str(folder)!r}: name it like 'catch-v0', as Minari does")
    buffer_of = _buffers(minari, spec)
    with whole(folder) as made_in:
        with _datasets_in(str(made_in.parent)), warnings.catch_warnings():
            # of what it would like to be told beside: an e-mail address, an environment
            warnings.filterwarnings("ignore", category=UserWarning, module="minari")
            made = minari.create_dataset_from_buffers(
                folder.name, (buffer_of(episode) for episode in episodes), data_format="hdf5",
                observation_space=_space_of_parts(spaces, spec), **_exact(minari),
                action_space=_space_of_actions(spaces, spec.actions), description=about,
                author="realtime_rl", algorithm_name="realtime_rl")
        count = int(made.total_episodes)
        if not count:
            raise BagError(NOTHING)
    return count


def _exact(minari: Any) -> dict[str, bool]:  # noqa: ANN401 - the module
    # pictures are kept as they are, which Minari 0.5.3 always does where channels stand in front
    known = inspect.signature(minari.create_dataset_from_buffers).parameters
    return {"jpeg_encoding": False} if "jpeg_encoding" in known else {}


def read(folder: Path, spec: PlantSpec) -> Iterator[RecordedEpisode]:
    """Read a dataset that `write` wrote; `BagError` where it is another's, or of another plant."""
    minari, _ = _minari()
    try:
        dataset = minari.MinariDataset(folder / "data")
        wanted, found = (str(space) for space in (
            _space_of_actions(_minari()[1], spec.actions), dataset.action_space))
    except (OSError, ValueError, KeyError) as error:
        raise BagError(f"{str(folder)!r} is no Minari dataset: {error}") from error
    if wanted != found:
        raise BagError(f"dataset {str(folder)!r}: its actions are {found}, those of {spec.name!r} "
                       f"{wanted}")
    for episode in dataset.iterate_episodes():
        if not {_APPLIED, *SAID, *map(counter_column, spec.counters)} <= set(episode.infos):
            raise BagError(f"dataset {str(folder)!r} does not say who acted when "
                           f"({', '.join(SAID)}): it was not made by `realtime-rl dataset`")
        yield _episode(episode, spec)


def is_dataset(path: Path) -> bool:
    """Whether a folder looks like a Minari dataset."""
    return _data(path).is_file()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a dataset's values, in hexadecimal."""
    digest = hashlib.sha256()
    with _data(path).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def counts(path: Path) -> tuple[int, int]:
    """Return its ticks, and those of them that a person acted at."""
    minari, _ = _minari()
    causes = [np.asarray(episode.infos.get("cause", ()))
              for episode in minari.MinariDataset(path / "data").iterate_episodes()]
    return (sum(each.size for each in causes),
            sum(int((each == Cause.OPERATOR).sum()) for each in causes))


def _data(path: Path) -> Path:
    return path / "data" / "main_data.hdf5"


@contextmanager
def _datasets_in(folder: str) -> Iterator[None]:
    """Minari makes datasets where its variable says."""
    before = os.environ.get(_PATH)
    os.environ[_PATH] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PATH]
        else:
            os.environ[_PATH] = before


def _space_of_parts(spaces: Any, spec: PlantSpec) -> Any:  # noqa: ANN401 - gymnasium's
    parts = {part.name: _box(spaces, part) for part in spec.observation.parts}
    return spaces.Dict(parts) if len(parts) > 1 else next(iter(parts.values()))


def _box(spaces: Any, part: ObservationSpec) -> Any:  # noqa: ANN401 - as above
    return spaces.Box(part.low, part.high, part.shape, np.dtype(part.dtype).type)


def _space_of_actions(spaces: Any, actions: ActionSpace) -> Any:  # noqa: ANN401 - as above
    if actions.discrete:
        return spaces.Discrete(actions.size)
    return spaces.Box(np.array(actions.low, np.float32), np.array(actions.high, np.float32))


def _buffers(minari: Any, spec: PlantSpec) -> Any:  # noqa: ANN401 - makes Minari's buffers
    names = names_of(spec.observation)

    def buffer(episode: RecordedEpisode) -> Any:  # noqa: ANN401 - Minari's
        steps = episode.steps
        parts = list(zip(*(split(each) for each in episode.observations), strict=True))
        arrays = [np.stack(part) for part in parts]
        acted = steps[1:]
        actions = ([int(step.action[0]) for step in acted] if spec.actions.discrete
                   else np.array([step.action for step in acted], np.float32))
        return minari.data_collector.EpisodeBuffer(
            observations=dict(zip(names, arrays, strict=True)) if names else arrays[0],
            actions=np.asarray(actions), rewards=[step.reward for step in acted],
            terminations=[step.last and not step.discount for step in acted],
            truncations=[step.last and bool(step.discount) for step in acted],
            infos={_APPLIED: np.array([step.action for step in steps]),
                   **{counter_column(name): np.array([step.counters[place] for step in steps])
                      for place, name in enumerate(spec.counters)},
                   **{name: np.array([getattr(step, name) for step in steps]) for name in SAID}})
    return buffer


def _episode(episode: Any, spec: PlantSpec) -> RecordedEpisode:  # noqa: ANN401 - Minari's
    names, count = names_of(spec.observation), len(episode.rewards) + 1
    actions = [tuple(map(float, each)) for each in episode.infos[_APPLIED]]
    rewards = [0.0, *map(float, episode.rewards)]
    steps, observations = [], []
    for row in range(count):
        last = row == count - 1
        said = {name: episode.infos[name][row] for name in SAID}
        said["counters"] = tuple(float(episode.infos[counter_column(name)][row])
                                 for name in spec.counters)
        steps.append(_step(said, spec, actions[row], rewards[row], (
            row == 0, last, 0.0 if last and episode.terminations[-1] else 1.0)))
        values = episode.observations if names is None else [
            episode.observations[name] for name in names]
        observations.append(_observation(values, row, names))
    return RecordedEpisode(tuple(steps), tuple(observations))


def _observation(values: Any, row: int, names: tuple[str, ...] | None  # noqa: ANN401 - Minari's
                 ) -> Observation:
    return np.asarray(values[row]) if names is None else join([each[row] for each in values], names)


def _step(said: Mapping[str, Any], spec: PlantSpec, action: tuple[float, ...], reward: float,
          edges: tuple[bool, bool, float]) -> Timestep:
    """Make a timestep again; numpy's numbers become Python's."""
    first, last, discount = edges
    values = {name: value.item() if hasattr(value, "item") else value
              for name, value in said.items()}
    return Timestep(**{**values, "cause": Cause(values["cause"])}, action=action, reward=reward,
                    discount=discount, first=first, last=last, plant=spec.name,
                    counted=",".join(spec.counters))
