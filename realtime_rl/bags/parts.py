"""Which files are the parts of a bag, where no index says so or it does not hold."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePath
from typing import Any

import yaml

from realtime_rl.bags.storage_files import (
    MCAP_MAGIC,
    SQLITE_MAGIC,
    BagFile,
    DatabaseAsWritten,
    McapFileAsWritten,
    RawMessage,
    line,
    unpack,
)
from realtime_rl.core.errors import BagError, choices
from realtime_rl.files import sha256_of

PACKED = (".zstd", ".zst")
_JOURNALS = ("-wal", "-journal")
"""Behind the name of an SQLite file: what whoever wrote it had not put into it yet, as where a
recorder was killed."""
_STORAGES = (".mcap", ".db3")


class WrittenBag:
    """What can be had of the files of a bag, in the order of their writing."""

    recovered = True

    def __init__(self, path: Path) -> None:
        """Look for the files of the bag `path`, a folder or one file.

        Raises:
            BagError: files of two storages, so that it is not known which are meant; or none.
        """
        self.warnings: list[str] = []
        self.missing: list[str] = []
        """A line for each part that is not there."""
        self._folder: Path | None = None
        paths = list(self._parts(path))
        storages = {_storage(each) for each in paths} & set(_STORAGES)
        if len(storages) > 1:
            raise BagError(f"{str(path)!r} holds files of two bags or of one twice, "
                           f"{choices(each.name for each in paths)}; name one, or leave one "
                           "storage there")
        self._files = list(self._opened(paths))
        self.topics = {topic: kind for file, _ in self._files
                       for topic, kind in file.topics.items()}
        self.count: int | None = sum(file.count for file, _ in self._files)
        self.series = sorted({_series(name)[0] for _, name in self._files})
        """Names of the bags that the files are called after: one, unless somebody mixed them."""

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """Messages of `topics` in the order of their writing; never fails."""
        for file, _ in self._files:
            yield from (message for message in file.messages(self.warnings)
                        if message.topic in topics)

    def _parts(self, path: Path) -> Iterator[Path]:
        """The files, each once; what is missing is told."""
        if not path.is_dir():
            yield path
            return
        listed = list(dict.fromkeys(listed_parts(path)))
        found = [_present(path / name) for name in listed]
        if any(found):
            absent = [name for name, file in zip(listed, found, strict=True) if file is None]
            yield from sorted({file for file in found if file is not None}, key=_place)
        else:
            files = [file for file in path.iterdir()
                     if _storage(file) in _STORAGES and file.is_file()]
            yield from sorted(files, key=_place)
            absent = list(_absent(files))
        self.missing = [f"{name} is missing: what it held is not read" for name in absent]

    def _opened(self, paths: list[Path]) -> Iterator[tuple[BagFile, str]]:
        """Open what can be opened, and say what cannot."""
        known: dict[int, list[tuple[Path, str]]] = {}
        for path in paths:
            try:
                plain = (self._unpacked(path) if path.suffix in PACKED
                         else self._settled(path, journals(path)))
                alike = known.setdefault(plain.stat().st_size, [])
                file = self._open(plain, path.name)
                twin = next((name for other, name in alike
                             if sha256_of(other) == sha256_of(plain)), None)
                alike.append((plain, path.name))
                if twin is None:
                    yield file, path.name
                else:
                    self.warnings.append(f"{path.name} is {twin} once more: it is read once")
            except (OSError, ValueError, sqlite3.Error) as error:
                self.warnings.append(f"{path.name} is left out: {line(error)}")

    def _open(self, path: Path, name: str) -> BagFile:
        with path.open("rb") as file:
            magic = file.read(len(SQLITE_MAGIC))
        if magic.startswith(MCAP_MAGIC):
            return McapFileAsWritten(path, name, self.warnings)
        if magic == SQLITE_MAGIC:
            return DatabaseAsWritten(path, name)
        raise ValueError("it is empty" if not magic else "it is neither MCAP nor SQLite")

    def _unpacked(self, path: Path) -> Path:
        """Decompress a file into a folder of ours; `OSError`."""
        target = self._room() / path.stem
        unpack(path, target)
        return target

    def _settled(self, path: Path, kept_apart: list[Path]) -> Path:
        """Return a database with its journals, in a copy: SQLite settles them where they lie."""
        if not kept_apart:
            return path
        target = self._room() / path.name
        try:
            for file in (path, *kept_apart):
                shutil.copyfile(file, target.with_name(file.name))
            with closing(sqlite3.connect(target)) as database:
                database.execute("PRAGMA journal_mode=DELETE").fetchall()
        except (OSError, sqlite3.Error) as error:
            self.warnings += [f"{file.name} is left out: {line(error)}" for file in kept_apart]
            return path
        return target

    def _room(self) -> Path:
        """Return a folder that goes with this object."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="realtime_rl-bag-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder


def listed_parts(folder: Path) -> list[str]:
    """Names of the files that `metadata.yaml` lists; none where it does not say."""
    try:
        content: Any = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
        return [PurePath(name).name
                for name in content["rosbag2_bagfile_information"]["relative_file_paths"]]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return []


def journals(path: Path) -> list[Path]:
    """Return what belongs to an SQLite file and is not in it yet."""
    beside = (path.with_name(path.name + suffix) for suffix in _JOURNALS)
    return [file for file in beside if file.is_file() and file.stat().st_size]


def _present(path: Path) -> Path | None:
    """Return a file that may have been packed or unpacked since."""
    plain = path.with_suffix("") if path.suffix in PACKED else path
    candidates = (path, plain, *(plain.with_name(plain.name + suffix) for suffix in PACKED))
    return next((each for each in candidates if each.is_file()), None)


def _storage(path: Path) -> str:
    return PurePath(path.stem).suffix if path.suffix in PACKED else path.suffix


def _series(name: str) -> tuple[str, int | None]:
    """Split the name of a part: `run_2.mcap.zstd` is number 2 of `run`."""
    stem = PurePath(name).stem if PurePath(name).suffix in PACKED else name
    stem = PurePath(stem).stem
    match = re.fullmatch(r"(.*)_(\d{1,9})", stem)
    return (match[1], int(match[2])) if match else (stem, None)


def _place(path: Path) -> tuple[str, int, str]:
    """Where a part comes: `_2` before `_10`."""
    series, number = _series(path.name)
    return series, -1 if number is None else number, path.name


def _absent(files: Iterable[Path]) -> Iterator[str]:
    """Names of parts whose numbers are left out."""
    numbers: dict[str, set[int]] = {}
    for file in files:
        series, number = _series(file.name)
        if number is not None:
            numbers.setdefault(series, set()).add(number)
            suffix = _storage(file)
    for series, present in numbers.items():
        yield from (f"{series}_{number}{suffix}"
                    for number in range(min(max(present), 10_000)) if number not in present)
