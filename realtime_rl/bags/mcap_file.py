"""One MCAP file of a bag."""

from __future__ import annotations

import os
from pathlib import Path

from realtime_rl.bags.messages import typestore
from realtime_rl.bags.metadata import OfferedQos, channel_metadata
from realtime_rl.core.errors import MissingDependencyError

try:
    from mcap.writer import CompressionType, Writer
except ImportError as missing:
    raise MissingDependencyError("mcap", "bags", missing) from missing

_LIBRARY = "realtime_rl"
_CHUNK_BYTES = 1 << 20


class McapFile:
    """Serialized messages of topics, from the file's creation to `finish`. All raise `OSError`."""

    def __init__(self, path: Path) -> None:
        """Create the file, which must not exist."""
        self._file = path.open("xb")
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._mcap = Writer(self._file, chunk_size=_CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._mcap.start(profile="ros2", library=_LIBRARY)
        self._unflushed = 0
        self.chunks = 0
        """Chunks that its index names, or a few more."""

    def add_topic(self, topic: str, kind: str, qos: OfferedQos) -> None:
        """Take messages of a topic of the full type `kind`, which is known, from now on."""
        if kind not in self._schemas:
            definition, _ = typestore().generate_msgdef(kind, ros_version=2)
            self._schemas[kind] = self._mcap.register_schema(kind, "ros2msg", definition.encode())
        self._channels[topic] = self._mcap.register_channel(
            topic, "cdr", self._schemas[kind], channel_metadata(kind, qos))

    def write(self, topic: str, cdr: bytes, receive_ns: int) -> None:
        """Append a message."""
        self._mcap.add_message(self._channels[topic], receive_ns, cdr, receive_ns)
        self._unflushed += len(cdr)

    def flush(self) -> None:
        """Put everything written so far where neither a kill nor a power cut can lose it."""
        self._mcap.flush()
        os.fdatasync(self._file.fileno())
        self.chunks += 1 + self._unflushed // _CHUNK_BYTES
        self._unflushed = 0

    def finish(self, metadata: str) -> None:
        """Write the index and rosbag2's metadata, and close the file."""
        with self._file:
            self._mcap.add_metadata("rosbag2", {"serialized_metadata": metadata})
            self._mcap.finish()
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()
