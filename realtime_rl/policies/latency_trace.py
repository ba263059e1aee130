"""Measured durations from a file: one a line, or a JSON list."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from realtime_rl.core.errors import ConfigError
from realtime_rl.policies.latency_text import measured_ns


def read_trace(path: Path) -> tuple[int, ...]:
    """Return the durations [ns] that a file holds, in its order.

    Each is a number of seconds or has a unit (`0.095`, `95ms`). In a file of lines, empty ones
    and those that begin with `#` are left out.

    Raises:
        ConfigError: unreadable, empty, or a value that is no duration: its file, line and value.
    """
    name = f"trace {str(path)!r}"
    if not os.path.isfile(path):  # unlike the method it never raises
        raise ConfigError(f"{name}: no such file; write one measured duration a line, as 95ms")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"{name}: cannot be read: {reason}") from error
    durations = tuple(_of_json(name, text) if text.lstrip().startswith("[") else
                      _of_lines(name, text))
    if not durations:
        raise ConfigError(f"{name}: holds no duration; write one a line, as 95ms")
    return durations


def _of_lines(name: str, text: str) -> Iterable[int]:
    for number, line in enumerate(text.splitlines(), 1):
        value = line.strip()
        if value and not value.startswith("#"):
            yield _duration_ns(f"{name}, line {number}", value)


def _of_json(name: str, text: str) -> Iterable[int]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = (f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError)
                  else str(error))
        raise ConfigError(f"{name}: not a JSON list: {reason}") from error
    for index, value in enumerate(values, 1):
        yield _duration_ns(f"{name}, item {index}", value)


def _duration_ns(place: str, value: object) -> int:
    try:
        return measured_ns(value)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{place}: {error}") from error
