"""The robot's own log: one JSON object a line, what it received and where its joints were."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from examples.robot_sim.errors import SimulatorError

Record = dict[str, Any]


class Log:
    """Writes records; threads may share it. Without a path it writes nothing."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("w", encoding="utf-8", buffering=1 << 18)
            except OSError as error:
                raise SimulatorError(f"log {str(path)!r}: {error.strerror}") from error

    def write(self, kind: str, t_ns: int, **values: object) -> None:
        """Write a record of a time [ns since the start]."""
        if self._file is None:
            return
        line = json.dumps({"kind": kind, "t": round(t_ns / 1e9, 6), **values})
        with self._lock:
            self._file.write(line + "\n")

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def rounded(values: Iterable[float]) -> list[float]:
    """Return measured values as they are logged; commands are logged exactly."""
    return [round(float(value), 7) for value in values]


def read(path: Path) -> Iterator[Record]:
    """Read the records of a log; a last line that was cut off ends it."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith("\n"):
                    return
                yield _record(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SimulatorError(f"log {str(path)!r}: {reason}") from error


def _record(path: Path, number: int, line: str) -> Record:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise SimulatorError(f"log {str(path)!r}, line {number}: not JSON") from error
    if not isinstance(record, dict) or not {"kind", "t"} <= set(record):
        raise SimulatorError(f"log {str(path)!r}, line {number}: not a record")
    return record
