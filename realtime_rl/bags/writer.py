"""A rosbag2 bag (MCAP) written without ROS: serialized messages in, a folder out.

`ros2 bag info`, `ros2 bag play`, `rosbags` and Foxglove open it. All that was flushed survives
the death of the process, and a power cut.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from realtime_rl.bags.messages import typestore
from realtime_rl.bags.metadata import OfferedQos, Recorded, channel_metadata, metadata_yaml
from realtime_rl.core.errors import BagError, MissingDependencyError, choices
from realtime_rl.files import sync_folder, write_atomically

try:
    from mcap.writer import CompressionType, Writer
except ImportError as missing:
    raise MissingDependencyError("mcap", "bags") from missing

_LIBRARY = "realtime_rl"


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
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._recorded = Recorded(f"{self._folder.name}_0.mcap")
        self._closed = False
        topmost = _create(self._folder)
        try:
            with contextlib.ExitStack() as undo:
                undo.callback(_remove, self._folder, topmost, self._recorded.file)
                self._file = undo.enter_context((self._folder / self._recorded.file).open("xb"))
                self._begin(topics)
                undo.pop_all()
        except OSError as error:
            raise self._error(error) from error

    def add_topic(self, topic: TopicInfo) -> None:
        """Record one more topic; `BagError` when its type or name cannot be recorded."""
        if topic.name in self._channels:
            raise BagError(f"topic {topic.name!r} is recorded already")
        kind = _full_type(topic.type)
        known = typestore().fielddefs
        if kind not in known:
            packages = {name.split("/")[0] for name in known}
            raise BagError(f"topic {topic.name!r}: message type {topic.type!r} is not known; "
                           f"packages: {choices(packages)}")
        if kind not in self._schemas:
            definition, _ = typestore().generate_msgdef(kind, ros_version=2)
            self._schemas[kind] = self._mcap.register_schema(kind, "ros2msg", definition.encode())
        self._channels[topic.name] = self._mcap.register_channel(
            topic.name, "cdr", self._schemas[kind],
            channel_metadata(kind, topic.qos))
        self._recorded.add(topic.name, kind, topic.qos)

    def write(self, topic: str, cdr: bytes, receive_ns: int) -> None:
        """Append a serialized message, received at `receive_ns` [ns since the epoch].

        Raises:
            BagError: an unknown topic, a closed bag, or a disk that takes no more.
        """
        if self._closed:
            raise BagError(f"bag {str(self._folder)!r} is closed")
        if topic not in self._channels:
            raise BagError(f"topic {topic!r} is not recorded; recorded: {choices(self._channels)}")
        try:
            self._mcap.add_message(self._channels[topic], receive_ns, cdr, receive_ns)
        except OSError as error:
            raise self._error(error) from error
        self._recorded.count(topic, receive_ns)

    def flush(self) -> None:
        """Put everything written so far where neither a kill nor a power cut can lose it."""
        if self._closed:
            return
        try:
            self._mcap.flush()
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Finish the bag: index and `metadata.yaml`. Calling it twice is harmless; `BagError`."""
        if self._closed:
            return
        self._closed = True
        try:
            with self._file:
                self._mcap.add_metadata("rosbag2", {
                    "serialized_metadata": metadata_yaml(self._recorded, nested=False)})
                self._mcap.finish()
                self._file.flush()
                os.fsync(self._file.fileno())
            write_atomically(self._folder / "metadata.yaml",
                             metadata_yaml(self._recorded).encode())
        except OSError as error:
            raise self._error(error) from error

    def _begin(self, topics: Sequence[TopicInfo]) -> None:
        self._mcap = Writer(self._file, compression=CompressionType.ZSTD)
        self._mcap.start(profile="ros2", library=_LIBRARY)
        for topic in topics:
            self.add_topic(topic)
        self.flush()
        sync_folder(self._folder)
        sync_folder(self._folder.parent)

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
        _remove(folder, topmost, "")
        raise BagError(f"bag {str(folder)!r} cannot be created: {error.strerror}") from error
    return topmost


def _remove(folder: Path, topmost: Path, file: str) -> None:
    """Undo `_create`; folders in which somebody else put something meanwhile stay."""
    if file:
        with contextlib.suppress(OSError):
            (folder / file).unlink()
    for created in (folder, *folder.parents):
        if created == topmost.parent:
            return
        with contextlib.suppress(OSError):
            created.rmdir()


def _full_type(kind: str) -> str:
    parts = kind.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else kind
