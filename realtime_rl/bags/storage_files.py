"""The files of a bag one by one, each read from its beginning, in the order of its writing.

They need no index, and are read as far as they go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

from realtime_rl.core.errors import MissingDependencyError

try:
    import zstandard
    from mcap.records import Channel, Chunk, McapRecord, Message, Schema
    from mcap.stream_reader import StreamReader, breakup_chunk
except ImportError as missing:
    raise MissingDependencyError(missing.name or "mcap", "bags", missing) from missing

MCAP_MAGIC = b"\x89MCAP0\r\n"
SQLITE_MAGIC = b"SQLite format 3\x00"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class RawMessage(NamedTuple):
    """One message as it was recorded."""

    topic: str
    type: str
    receive_ns: int
    cdr: bytes


class BagFile(Protocol):
    """One file of a bag."""

    topics: dict[str, str]
    """Type of each topic."""
    count: int
    """Of its messages."""

    def messages(self, warnings: list[str]) -> Iterator[RawMessage]:
        """All messages; where they break off that is added to `warnings`."""
        ...


class McapFileAsWritten:
    """An MCAP file, with or without its end and its index."""

    def __init__(self, path: Path, name: str, warnings: list[str]) -> None:
        """Look through a file for its topics, which may be told at the end only.

        Args:
            path: of the file.
            name: as whoever reads the warnings knows it.
            warnings: told what of it is lost.
        """
        self._path, self._name = path, name
        self._channels: dict[int, tuple[str, str]] = {}
        self.count = 0
        schemas: dict[int, str] = {}
        for record in self._records(warnings):
            if isinstance(record, Schema):
                schemas[record.id] = record.name
            elif isinstance(record, Channel):
                self._channels[record.id] = (record.topic, schemas.get(record.schema_id, ""))
            elif isinstance(record, Message):
                self.count += 1
        self.topics = dict(self._channels.values())

    def messages(self, warnings: list[str]) -> Iterator[RawMessage]:
        """All messages; what is lost was told before."""
        for record in self._records([]):
            if isinstance(record, Message) and record.channel_id in self._channels:
                topic, kind = self._channels[record.channel_id]
                yield RawMessage(topic, kind, record.log_time, _plain(record.data))

    def _records(self, warnings: list[str]) -> Iterator[McapRecord]:
        """Records up to where the file breaks off; a chunk that is broken inside is left out."""
        with self._path.open("rb") as file:
            size = self._path.stat().st_size
            records = StreamReader(file, emit_chunks=True, record_size_limit=size).records
            while True:
                try:
                    record = next(records)
                except StopIteration:
                    return
                except Exception as error:
                    warnings.append(f"{self._name} breaks off within its {size} bytes "
                                    f"({line(error)}); what follows is lost")
                    return
                if not isinstance(record, Chunk):
                    yield record
                    continue
                try:
                    yield from breakup_chunk(record, validate_crc=True)
                except Exception as error:
                    warnings.append(f"{self._name}: a chunk of messages is lost ({line(error)})")


class DatabaseAsWritten:
    """An SQLite file of rosbag2."""

    def __init__(self, path: Path, name: str) -> None:
        """Read what its topics are; `sqlite3.Error`."""
        self._path, self._name = path, name
        with self._open() as database:
            self._topics: dict[int, tuple[str, str]] = {
                place: (topic, kind)
                for place, topic, kind in database.execute("SELECT id, name, type FROM topics")}
            ((self.count,),) = database.execute("SELECT count(*) FROM messages")
        self.topics = dict(self._topics.values())

    def messages(self, warnings: list[str]) -> Iterator[RawMessage]:
        """All messages; where the file is broken that is added to `warnings`."""
        with self._open() as database:
            try:
                for place, receive_ns, data in database.execute(
                        "SELECT topic_id, timestamp, data FROM messages ORDER BY id"):
                    if place in self._topics:
                        yield RawMessage(*self._topics[place], receive_ns, _plain(data))
            except sqlite3.Error as error:
                warnings.append(f"{self._name} is broken ({line(error)}); what follows is lost")

    def _open(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(f"file:{quote(str(self._path))}?immutable=1", uri=True))


def _plain(data: bytes) -> bytes:
    """Return a message that may be compressed by itself; no serialized message begins so."""
    if data[:4] != _ZSTD_MAGIC:
        return data
    try:
        return zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError:
        return data  # as it is, it is no message either


def unpack(path: Path, target: Path) -> None:
    """Decompress a file as far as it goes; `OSError`."""
    with path.open("rb") as packed, target.open("wb") as plain:
        try:
            zstandard.ZstdDecompressor().copy_stream(packed, plain)
        except zstandard.ZstdError as error:
            raise OSError(0, line(error), str(path)) from error


def line(error: Exception) -> str:
    """An error's message on one line; some have none."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
