"""Serialized messages out of a rosbag2 bag, whole or damaged.

A bag is read with `rosbags`. Where its index is missing or broken (the recorder was killed, the
disk filled up), an MCAP file is read from its beginning instead, as far as it goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from realtime_rl.core.errors import BagError, MissingDependencyError

try:
    from mcap.records import Channel, Chunk, McapRecord, Message, Schema
    from mcap.stream_reader import StreamReader, breakup_chunk
    from rosbags.rosbag2 import Reader
except ImportError as missing:
    raise MissingDependencyError(missing.name or "mcap", "bags") from missing

_MAGIC = b"\x89MCAP0\r\n"


class RawMessage(NamedTuple):
    """One message as it was recorded."""

    topic: str
    type: str
    receive_ns: int
    cdr: bytes


class DamagedBagError(BagError):
    """A bag that `rosbags` cannot read to its end."""


class Bag(Protocol):
    """Where messages come from."""

    topics: dict[str, str]
    """Type of each topic."""
    count: int | None
    """Number of messages in the bag, where it is known beforehand."""
    warnings: list[str]
    """What is wrong with the bag."""
    recovered: bool
    """It is read without its index, as far as it goes."""

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """Messages of `topics` in order of their recording; `DamagedBagError`."""
        ...


def open_bag(path: Path) -> Bag:
    """Open a bag: a rosbag2 folder, or an MCAP or SQLite file of one.

    Raises:
        BagError: there is nothing, or nothing that is a bag.
    """
    if not path.exists():
        raise BagError(f"{str(path)!r} does not exist")
    try:
        if path.is_dir() and not (path / "metadata.yaml").is_file():
            raise DamagedBagError("it has no metadata.yaml")
        return IndexedBag(path)
    except DamagedBagError as error:
        return recover_bag(path, error)


def recover_bag(path: Path, problem: Exception) -> Bag:
    """Open a bag of which `problem` is known, without its index; `BagError` when nobody can."""
    files = _mcap_files(path)
    if files:
        return RecoveredBag(files, f"the bag was not closed in order ({_line(problem)}): read as "
                                   "far as it goes")
    databases = _in_order(path.glob("*.db3")) if path.is_dir() else []
    try:
        if len(databases) == 1:
            bag = IndexedBag(databases[0])
            bag.warnings.append(f"the bag was not closed in order: {_line(problem)}")
            return bag
    except DamagedBagError as error:
        problem = error
    raise BagError(f"{str(path)!r} cannot be read as a bag: {_line(problem)}; name a rosbag2 "
                   "folder or an .mcap file") from problem


def open_as_written(path: Path, why: str) -> Bag | None:
    """Open a bag whose messages come in the order of their writing, whatever their log times say.

    `why` becomes its warning. `None` where that order is not kept, as in SQLite files.
    """
    files = _mcap_files(path)
    return RecoveredBag(files, why) if files else None


class IndexedBag:
    """A bag that was closed in order."""

    recovered = False

    def __init__(self, path: Path) -> None:
        """Read its index; `DamagedBagError` when that cannot be done."""
        self._path = path
        self.warnings: list[str] = []
        try:
            with Reader(path) as reader:
                self.topics = {c.topic: c.msgtype for c in reader.connections}
                self.count: int | None = reader.message_count
        except Exception as error:
            raise DamagedBagError(_line(error)) from error

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """Messages of `topics` in order of their recording; `DamagedBagError`."""
        try:
            with Reader(self._path) as reader:
                wanted = [c for c in reader.connections if c.topic in topics]
                if not wanted:
                    return
                for connection, receive_ns, data in reader.messages(wanted):
                    yield RawMessage(connection.topic, connection.msgtype, receive_ns, data)
        except Exception as error:
            raise DamagedBagError(_line(error)) from error


class RecoveredBag:
    """What can be had of MCAP files whose end or index is missing, or whose index misleads."""

    recovered = True

    def __init__(self, files: list[Path], warning: str) -> None:
        """Look through `files` for their topics, which may be told at the end only."""
        self._files = files
        self._channels: dict[Path, dict[int, tuple[str, str]]] = {}
        self.count: int | None = 0
        self.warnings = [warning]
        for path in files:
            schemas: dict[int, str] = {}
            channels = self._channels.setdefault(path, {})
            for record in self._records(path, self.warnings):
                if isinstance(record, Schema):
                    schemas[record.id] = record.name
                elif isinstance(record, Channel):
                    channels[record.id] = (record.topic, schemas.get(record.schema_id, ""))
                elif isinstance(record, Message):
                    self.count += 1
        self.topics = {topic: kind for channels in self._channels.values()
                       for topic, kind in channels.values()}

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """Messages of `topics` in order of their recording; never fails."""
        for path, channels in self._channels.items():
            for record in self._records(path, []):
                if isinstance(record, Message) and record.channel_id in channels:
                    topic, kind = channels[record.channel_id]
                    if topic in topics:
                        yield RawMessage(topic, kind, record.log_time, record.data)

    @staticmethod
    def _records(path: Path, warnings: list[str]) -> Iterator[McapRecord]:
        """Records up to where the file breaks off; a chunk that is broken inside is left out."""
        with path.open("rb") as file:
            size = path.stat().st_size
            records = StreamReader(file, emit_chunks=True, record_size_limit=size).records
            while True:
                try:
                    record = next(records)
                except StopIteration:
                    return
                except Exception as error:
                    warnings.append(f"{path.name} breaks off within its {size} bytes "
                                    f"({_line(error)}); what follows is lost")
                    return
                if not isinstance(record, Chunk):
                    yield record
                    continue
                try:
                    yield from breakup_chunk(record, validate_crc=True)
                except Exception as error:
                    warnings.append(f"{path.name}: a chunk of messages is lost ({_line(error)})")


def _mcap_files(path: Path) -> list[Path]:
    files = _in_order(path.glob("*.mcap")) if path.is_dir() else [path]
    return [file for file in files if _is_mcap(file)]


def _is_mcap(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def _in_order(files: Iterable[Path]) -> list[Path]:
    """The parts of a split bag: `_2` before `_10`."""
    return sorted(files, key=lambda file: (len(file.name), file.name))


def _line(error: Exception) -> str:
    """An error's message on one line; some have none."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
