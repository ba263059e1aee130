"""A rosbag2 bag (MCAP) written without ROS: serialized messages in, a folder out.

`ros2 bag info`, `ros2 bag play`, `rosbags` and Foxglove open it. All that was flushed survives
the death of the process, and a power cut. The index of a file is in memory until it is finished:
a long recording is of several files, as rosbag2 splits its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from realtime_rl.bags.mcap_file import McapFile
from realtime_rl.bags.messages import typestore
from realtime_rl.bags.metadata import OfferedQos, Recorded, RecordedFile, metadata_yaml
from realtime_rl.core.errors import BagError, choices
from realtime_rl.files import sync_folder, write_atomically

_CHUNKS = 10_000
"""In the index of one file, a kilobyte each: flushed once a second, about three hours."""


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """A topic to record."""

    name: str
    """Absolute, as `/robot1/timestep`."""
    type: str
    """As `sensor_msgs/msg/JointState`; `sensor_msgs/JointState` is understood, too."""
    qos: OfferedQos = field(default_factory=OfferedQos)


class BagWriter:
    """One bag, from its folder's creation to `close`."""

    def __init__(self, folder: Path, topics: Sequence[TopicInfo] = ()) -> None:
        """Create the bag.

        Raises:
            BagError: `folder` exists, cannot be written, or a topic's type is not known; nothing
                is left behind.
        """
        self._folder = folder.absolute()
        self._recorded = Recorded()
        self._closed = False
        topmost = _create(self._folder)
        try:
            with contextlib.ExitStack() as undo:
                undo.callback(_remove, self._folder, topmost, self._next_path())
                self._file: McapFile | None = self._next_file()
                undo.callback(self._file.close)
                for topic in topics:
                    self.add_topic(topic)
                self._file.flush()
                sync_folder(self._folder.parent)
                undo.pop_all()
        except OSError as error:
            raise self._error(error) from error

    def add_topic(self, topic: TopicInfo) -> None:
        """Record one more topic; `BagError` when its type or name cannot be recorded."""
        if topic.name in self._recorded.topics:
            raise BagError(f"topic {topic.name!r} is recorded already")
        kind = _full_type(topic.type)
        known = typestore().fielddefs
        if kind not in known:
            packages = {name.split("/")[0] for name in known}
            raise BagError(f"topic {topic.name!r}: message type {topic.type!r} is not known; "
                           f"packages: {choices(packages)}")
        self._open_file().add_topic(topic.name, kind, topic.qos)
        self._recorded.add(topic.name, kind, topic.qos)

    def write(self, topic: str, cdr: bytes, receive_ns: int) -> None:
        """Append a serialized message, received at `receive_ns` [ns since the epoch].

        Raises:
            BagError: an unknown topic, a closed bag, or a disk that takes no more.
        """
        file = self._open_file()
        if topic not in self._recorded.topics:
            raise BagError(f"topic {topic!r} is not recorded; recorded: "
                           f"{choices(self._recorded.topics)}")
        try:
            if file.chunks >= _CHUNKS:
                self._finish_file()
                file = self._file = self._next_file()
            file.write(topic, cdr, receive_ns)
        except OSError as error:
            raise self._error(error) from error
        self._recorded.count(topic, receive_ns)

    def flush(self) -> None:
        """Put everything written so far where neither a kill nor a power cut can lose it."""
        if self._closed:
            return
        file = self._open_file()
        try:
            file.flush()
        except OSError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Finish the bag: index and `metadata.yaml`. Calling it twice is harmless; `BagError`."""
        if self._closed:
            return
        self._closed = True
        try:
            self._finish_file()
            write_atomically(self._folder / "metadata.yaml",
                             metadata_yaml(self._recorded).encode())
        except OSError as error:
            raise self._error(error) from error

    def _open_file(self) -> McapFile:
        if self._closed or self._file is None:
            raise BagError(f"bag {str(self._folder)!r} is closed")
        return self._file

    def _finish_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.finish(metadata_yaml(self._recorded, nested=False))

    def _next_path(self) -> Path:
        return self._folder / f"{self._folder.name}_{len(self._recorded.files)}.mcap"

    def _next_file(self) -> McapFile:
        """Create the next file, for the topics that there are."""
        path = self._next_path()
        file = McapFile(path)
        self._recorded.files.append(RecordedFile(path.name))
        for topic, (kind, qos) in self._recorded.topics.items():
            file.add_topic(topic, kind, qos)
        file.flush()
        sync_folder(self._folder)
        return file

    def __enter__(self) -> BagWriter:
        """Return the writer itself."""
        return self

    def __exit__(self, *unused: object) -> None:
        """Close the bag."""
        self.close()

    def _error(self, error: OSError) -> BagError:
        return BagError(f"bag {str(self._folder)!r} cannot be written: {error.strerror}")


def _create(folder: Path) -> Path:
    """Create `folder`; return the topmost folder that had to be created for it."""
    topmost = folder
    try:
        while not topmost.parent.exists():
            topmost = topmost.parent
        folder.mkdir(parents=True)
    except FileExistsError:
        raise BagError(f"bag {str(folder)!r} exists already; name a folder that does not") from None
    except OSError as error:
        _remove(folder, topmost)
        raise BagError(f"bag {str(folder)!r} cannot be created: {error.strerror}") from error
    return topmost


def _remove(folder: Path, topmost: Path, file: Path | None = None) -> None:
    """Undo `_create`; folders in which somebody else put something meanwhile stay."""
    if file is not None:
        with contextlib.suppress(OSError):
            file.unlink()
    for created in (folder, *folder.parents):
        if created == topmost.parent:
            return
        with contextlib.suppress(OSError):
            created.rmdir()


def _full_type(kind: str) -> str:
    parts = kind.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else kind
