"""What several verbs say and write alike: files that can be written are known beforehand."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from pathlib import Path
from typing import TextIO

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.types import PlantSpec
from realtime_rl.files import make_parents, user_path, write_out

_STDOUT = "-"


def prepare(args: argparse.Namespace) -> None:
    """Make the folders of the files that a verb will write: those named by its `outputs`.

    `ConfigError` where one cannot be written.
    """
    for name in getattr(args, "outputs", ()):
        given = getattr(args, name)
        if given is None or str(given) == _STDOUT:
            continue
        path = user_path(str(given))
        setattr(args, name, type(given)(path))
        try:
            make_parents(path)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        except OSError as error:
            raise _cannot(path, error) from error


def write(path: Path, data: bytes) -> None:
    """Write a file whole; `ConfigError` where it cannot be."""
    try:
        write_out(path, data)
    except OSError as error:
        raise _cannot(path, error) from error


def put(args: argparse.Namespace, json: str, text: str) -> None:
    """Print `text`, or `json` instead with `--json -`; write it where `--json` says."""
    if args.json == _STDOUT:
        print(json, end="")
        return
    if args.json:
        write(Path(args.json), json.encode())
    print(text)


def _cannot(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{str(path)!r} cannot be written: {error.strerror}")


def say_about(plant: PlantSpec) -> None:
    """Say on standard error what a person should know of a plant, if anything."""
    for text in filter(None, (plant.rate, plant.warning)):
        print(f"{plant.name}: {text}", file=sys.stderr)


def drop(stream: TextIO) -> None:
    """Let what is still to be written, which Python does at its end, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
