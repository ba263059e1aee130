"""Serialized messages out of a rosbag2 bag, whole or damaged.

A bag is read with `rosbags`. Where its index is missing or broken (the recorder was killed, the
disk filled up, a part is missing), its files are read from their beginnings instead, as far as
they go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

from realtime_rl.bags.parts import PACKED, WrittenBag, journals, listed_parts
from realtime_rl.bags.storage_files import RawMessage, line
from realtime_rl.core.errors import BagError, MissingDependencyError

try:
    from rosbags.rosbag2 import Reader
except ImportError as missing:
    raise MissingDependencyError("rosbags", "bags", missing) from missing


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
    series: list[str]
    """Names that its files have; more than one where files of several bags lie in a folder."""

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
    if path.is_file() and path.suffix in PACKED and (bag := WrittenBag(path)).topics:
        return bag
    try:
        if path.is_dir() and not (path / "metadata.yaml").is_file():
            raise DamagedBagError("it has no metadata.yaml")
        if len(set(parts := listed_parts(path))) < len(parts):
            raise DamagedBagError("its metadata.yaml names a file twice")
        unsettled = [file.name for name in parts for file in journals(path / name)]
        if unsettled:
            raise DamagedBagError(f"{unsettled[0]} is still there")
        return IndexedBag(path)
    except DamagedBagError as error:
        return recover_bag(path, error)


def recover_bag(path: Path, problem: Exception) -> WrittenBag:
    """Open a bag of which `problem` is known, without its index; `BagError` when nobody can."""
    bag = WrittenBag(path)
    bag.warnings[:0] = bag.missing or [
        f"the bag was not closed in order ({line(problem)}): read as far as it goes"]
    if not bag.topics:
        raise BagError(f"{str(path)!r} cannot be read as a bag: {line(problem)}; name a rosbag2 "
                       "folder or an .mcap file") from problem
    return bag


class IndexedBag:
    """A bag that was closed in order."""

    recovered = False

    def __init__(self, path: Path) -> None:
        """Read its index; `DamagedBagError` when that cannot be done."""
        self._path = path
        self.warnings: list[str] = []
        self.series: list[str] = []
        try:
            with Reader(path) as reader:
                self.topics = {c.topic: c.msgtype for c in reader.connections}
                self.count: int | None = reader.message_count
        except Exception as error:
            raise DamagedBagError(line(error)) from error

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
            raise DamagedBagError(line(error)) from error
