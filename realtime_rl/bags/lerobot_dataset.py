"""Recorded episodes as a LeRobot dataset, format v3.0, which `lerobot` 0.4 reads.

Frames are in Parquet files of about a hundred megabytes, pictures in them as PNG, so that every
pixel stays; what is known of each episode lies in others. Nothing but an episode is held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl import strict_json
from realtime_rl.bags.lerobot_columns import (
    INDICES,
    Feature,
    Pictures,
    beside,
    columns_of,
    features_of,
)
from realtime_rl.bags.lerobot_statistics import Statistics, merged, of_pictures, of_values
from realtime_rl.bags.recorded_episodes import NOTHING, RecordedEpisode
from realtime_rl.bags.whole_folder import whole
from realtime_rl.core.errors import BagError, MissingDependencyError
from realtime_rl.core.types import PlantSpec

VERSION = "v3.0"
MOST_MEGABYTES, MOST_FILES = 100, 1000
"""A file is followed by another from here on; and so many are in a folder. LeRobot's own."""
_EPISODES_AT_ONCE = 50
_PLACE = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_DATA, _EPISODES = f"data/{_PLACE}", f"meta/episodes/{_PLACE}"


def write(folder: Path, spec: PlantSpec, episodes: Iterable[RecordedEpisode], about: str,
          *, megabytes: float = MOST_MEGABYTES) -> int:
    """Write a dataset; it is there whole, or not at all. Return how many episodes it has.

    Args:
        folder: the dataset; must not exist.
        spec: of the plant.
        episodes: read one after another.
        about: what it is, in a line.
        megabytes: a file is followed by another from here on.

    Raises:
        BagError: the folder exists, or there are no episodes.
        MissingDependencyError: pyarrow or OpenCV is not installed.
    """
    with whole(folder) as made, ExitStack() as stack:
        dataset = _Dataset(made, spec, about, megabytes)
        stack.callback(dataset.close)
        for episode in episodes:
            if len(episode.steps) > 1:
                dataset.add(episode)
        if not dataset.episodes:
            raise BagError(NOTHING)
        dataset.finish()
    return dataset.episodes


class _Dataset:
    """A dataset that is being written."""

    def __init__(self, folder: Path, spec: PlantSpec, about: str, megabytes: float) -> None:
        self._arrow, self._png = _pyarrow(), _encoder()
        self._folder, self._spec, self._about = folder, spec, about
        self._megabytes = megabytes
        self._features = features_of(spec)
        self._schema = self._arrow.schema(
            [(key, _type(self._arrow, feature)) for key, feature in self._features.items()])
        self._frames = _Files(self._arrow, folder, _DATA, megabytes)
        self._told = _Files(self._arrow, folder, _EPISODES, megabytes)
        self._rows: list[dict[str, Any]] = []
        self._told_schema: Any = None
        self._statistics: dict[str, Statistics] = {}
        self.episodes = self.frames = 0

    def add(self, episode: RecordedEpisode) -> None:
        """Write an episode's frames, and note what is known of it."""
        count = len(episode.steps) - 1
        columns = {**columns_of(self._spec, episode), **self._indices(count)}
        table = self._arrow.table(
            [self._array(key, columns[key]) for key in self._features], schema=self._schema)
        chunk, file = self._frames.write(table)
        found = {key: (of_pictures(column) if isinstance(column, list) else of_values(column))
                 for key, column in columns.items()}
        self._statistics = {key: merged(self._statistics[key], one) if self.episodes else one
                            for key, one in found.items()}
        self._rows.append({
            "episode_index": self.episodes, "tasks": [self._spec.name], "length": count,
            "data/chunk_index": chunk, "data/file_index": file,
            "dataset_from_index": self.frames, "dataset_to_index": self.frames + count,
            **{key: self._png(value) if isinstance(value, np.ndarray) else value
               for key, value in beside(self._spec, episode).items()},
            **{f"stats/{key}/{name}": value for key, one in found.items()
               for name, value in _lists(one).items()}})
        self.episodes += 1
        self.frames += count
        if len(self._rows) >= _EPISODES_AT_ONCE:
            self._tell()

    def _indices(self, count: int) -> dict[str, NDArray[np.generic]]:
        places = np.arange(count)
        values = {"timestamp": places / _rate(self._spec), "frame_index": places,
                  "episode_index": np.full(count, self.episodes), "index": self.frames + places,
                  "task_index": np.zeros(count)}
        return {key: values[key].astype(feature.dtype).reshape(-1, 1)
                for key, feature in INDICES.items()}

    def _array(self, key: str, column: Pictures | NDArray[np.generic]) -> Any:  # noqa: ANN401
        if isinstance(column, list):
            return self._arrow.array([{"bytes": self._png(each), "path": None} for each in column],
                                     self._schema.field(key).type)
        flat = self._arrow.array(column.reshape(-1))
        size = column.shape[1]
        return flat if size == 1 else self._arrow.FixedSizeListArray.from_arrays(flat, size)

    def _tell(self) -> None:
        """Write what is known of the newest episodes."""
        chunk, file = self._told.place()
        table = self._arrow.Table.from_pylist([
            {**row, "meta/episodes/chunk_index": chunk, "meta/episodes/file_index": file}
            for row in self._rows], self._told_schema)
        self._told_schema = table.schema
        self._told.write(table)
        self._rows.clear()

    def finish(self) -> None:
        """Write what is known of all."""
        if self._rows:
            self._tell()
        meta, spec = self._folder / "meta", self._spec
        _tasks(self._arrow, meta / "tasks.parquet", spec.name)
        _json(meta / "stats.json", {key: _lists(one) for key, one in self._statistics.items()})
        _json(meta / "info.json", {
            "codebase_version": VERSION, "robot_type": spec.name, "total_episodes": self.episodes,
            "total_frames": self.frames, "total_tasks": 1, "chunks_size": MOST_FILES,
            "data_files_size_in_mb": MOST_MEGABYTES, "video_files_size_in_mb": 200,
            "fps": _rate(spec), "splits": {"train": f"0:{self.episodes}"}, "data_path": _DATA,
            "video_path": None,
            "features": {key: feature.info for key, feature in self._features.items()},
            "realtime_rl": {"about": self._about, "period_ns": spec.period_ns,
                            "observation": str(spec.observation), "actions": str(spec.actions),
                            "counters": list(spec.counters)}})

    def close(self) -> None:
        """End the files."""
        self._frames.close()
        self._told.close()


class _Files:
    """Parquet files of one kind, each of about so many megabytes."""

    def __init__(self, arrow: Any, folder: Path, pattern: str,  # noqa: ANN401 - pyarrow
                 megabytes: float) -> None:
        self._arrow, self._folder, self._pattern = arrow, folder, pattern
        self._most = megabytes * 2**20
        self._writer: Any = None
        self._path = folder
        self._count = 0

    def place(self) -> tuple[int, int]:
        """Return chunk and file that the next table goes to."""
        if self._writer is not None and self._path.stat().st_size >= self._most:
            self.close()
            self._count += 1
        return divmod(self._count, MOST_FILES)

    def write(self, table: Any) -> tuple[int, int]:  # noqa: ANN401 - pyarrow's
        """Write a table; return where it is."""
        chunk, file = self.place()
        if self._writer is None:
            from pyarrow import parquet

            self._path = self._folder / self._pattern.format(chunk_index=chunk, file_index=file)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)
        return chunk, file

    def close(self) -> None:
        """End the file that is being written."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _pyarrow() -> Any:  # noqa: ANN401 - the module
    try:
        import pyarrow
    except ImportError as error:
        raise MissingDependencyError("pyarrow", "datasets", error) from error
    return pyarrow


def _encoder() -> Callable[[NDArray[np.uint8]], bytes]:
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError("cv2", "datasets", error) from error

    def png(picture: NDArray[np.uint8]) -> bytes:
        rows = np.ascontiguousarray(np.moveaxis(picture, 0, -1)[..., ::-1])  # OpenCV's are BGR
        encoded: bytes = cv2.imencode(".png", rows)[1].tobytes()
        return encoded
    return png


def _type(arrow: Any, feature: Feature) -> Any:  # noqa: ANN401 - pyarrow's
    if feature.dtype == "image":
        return arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    kind = arrow.from_numpy_dtype(np.dtype(feature.dtype))
    return kind if feature.shape == (1,) else arrow.list_(kind, feature.shape[0])


def _rate(spec: PlantSpec) -> float:
    """Return the plant's ticks a second, a whole number where they are."""
    rate = 1e9 / spec.period_ns
    return round(rate) if spec.period_ns * round(rate) == 1_000_000_000 else rate


def _lists(statistics: Statistics) -> dict[str, list[Any]]:
    return {name: (value.astype(int) if name == "count" else value).tolist()
            for name, value in statistics.items()}


def _tasks(arrow: Any, path: Path, task: str) -> None:  # noqa: ANN401 - pyarrow
    """Write the one task, as a pandas table whose index is its name."""
    from pyarrow import parquet

    column = {"pandas_type": "int64", "numpy_type": "int64", "metadata": None}
    index = {"pandas_type": "unicode", "numpy_type": "object", "metadata": None}
    about = {"index_columns": ["task"], "column_indexes": [],
             "columns": [{"name": "task_index", "field_name": "task_index", **column},
                         {"name": "task", "field_name": "task", **index}],
             "creator": {"library": "pyarrow", "version": arrow.__version__},
             "pandas_version": "2.0.0"}
    table = arrow.table({"task_index": arrow.array([0], arrow.int64()), "task": [task]})
    parquet.write_table(table.replace_schema_metadata({"pandas": strict_json.dumps(about)}), path)


def _json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(strict_json.dumps(document, indent=4, ensure_ascii=False), encoding="utf-8")
