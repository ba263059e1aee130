"""Checkpoints on disk: arrays as safetensors, everything else as JSON, whole or not at all.

`checkpoint.json` names the file of arrays with its SHA-256 and says what the checkpoint is of.
The arrays are written first, under a name that follows from their hash; replacing the JSON file
is the one step that makes the new checkpoint the present one. Nothing that is read is executed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from realtime_rl import strict_json
from realtime_rl.core.errors import MissingDependencyError, PlantError
from realtime_rl.core.experience.snapshot import Array, Snapshot
from realtime_rl.core.observations import split
from realtime_rl.files import sha256_of, sync_folder, write_atomically
from realtime_rl.learning.errors import CheckpointError, NonFiniteLossError

try:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save_file
except ImportError as missing:
    raise MissingDependencyError("safetensors", "learn", missing) from missing

INDEX = "checkpoint.json"
BAD_BATCH = "bad-batch.safetensors"
_SCHEMA = 1
_KEYS = {"schema", "tick", "file", "sha256", "identity", "values"}

Identity = Mapping[str, Any]
"""What a checkpoint is of, JSON values by name: network, plant, actions, settings."""


def exists(folder: Path) -> bool:
    """Return whether there is a checkpoint in `folder`, a damaged one included."""
    return (folder / INDEX).is_file()


def save(folder: Path, identity: Identity, tick: int, snapshot: Snapshot) -> None:
    """Write the checkpoint of `tick`, then remove the one before.

    Raises:
        CheckpointError: it cannot be written; the one before is untouched.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, sha256 = _write_arrays(folder, snapshot.packed())
        content = {"schema": _SCHEMA, "tick": tick, "file": path.name, "sha256": sha256,
                   "identity": dict(identity), "values": snapshot.values}
        text = strict_json.dumps_exactly({**content, "digest": _digest(content)}, indent=1)
        write_atomically(folder / INDEX, f"{text}\n".encode())
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CheckpointError(f"the checkpoint of tick {tick} cannot be written into "
                              f"{str(folder)!r}: {reason}; the one before, if any, is kept"
                              ) from error
    for old in folder.glob("checkpoint-*.safetensors"):
        if old != path:
            with contextlib.suppress(OSError):
                old.unlink()


def load(folder: Path, identity: Identity) -> Snapshot:
    """Read the checkpoint in `folder`.

    Raises:
        CheckpointError: there is none, it is damaged, or it is not of `identity`.
    """
    index = folder / INDEX
    content = _read_index(index)
    if others := _others(content["identity"], identity):
        raise CheckpointError(f"checkpoint {str(index)!r} has {', '.join(others)}; give the same "
                              "again, or another folder")
    path = folder / str(content["file"])
    try:
        if path.parent != folder or sha256_of(path) != content["sha256"]:
            raise CheckpointError(_damaged(index, f"{path.name!r} has another SHA-256"))
        return Snapshot(content["values"], load_file(path))
    except (OSError, SafetensorError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CheckpointError(_damaged(index, f"{path.name!r}: {reason}")) from error


def _others(identity: Identity, asked: Identity) -> list[str]:
    """Say of every setting that differs what it was, and what it is asked to be."""
    # as JSON has it: tuples are lists there
    wanted = _flat(strict_json.loads(strict_json.dumps_exactly(dict(asked))))
    found = _flat(identity)
    return [f"another {name}: {found.get(name)!r}, not {wanted.get(name)!r}"
            for name in {**wanted, **found} if found.get(name) != wanted.get(name)]


def remove(folder: Path) -> None:
    """Remove the checkpoint in `folder`, if any, when it is of no more use; `OSError`."""
    (folder / INDEX).unlink(missing_ok=True)
    for path in folder.glob("checkpoint-*.safetensors"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def restoring(folder: Path) -> Iterator[None]:
    """Turn what goes wrong while a loaded snapshot is taken over into a `CheckpointError`."""
    try:
        yield
    except (KeyError, ValueError, TypeError, RuntimeError, PlantError) as error:
        index = str(folder / INDEX)
        raise CheckpointError(f"checkpoint {index!r} does not fit: {error}; it was written by "
                              "another version, or for something else") from error


def inspected(error: NonFiniteLossError, folder: Path) -> str:
    """Write what was learned from into `folder` for a person to look at; say all in one line.

    Raises:
        CheckpointError: it cannot be written.
    """
    if error.batch is None:
        return str(error)
    path = folder / BAD_BATCH
    arrays = {name: value for name, value in error.batch._asdict().items()
              if isinstance(value, np.ndarray)}
    _write_batch(path, {
        name if value.dtype.names is None else f"{name}.{value.dtype.names[place]}": part
        for name, value in arrays.items() for place, part in enumerate(split(value))})
    return f"{error}; the batch is in {str(path)!r}"


def _write_batch(path: Path, batch: Mapping[str, Array]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_safetensors(path, batch)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{str(path)!r} cannot be written: {error}") from error


def _write_arrays(folder: Path, arrays: Mapping[str, Array]) -> tuple[Path, str]:
    """Write the arrays under a name of their hash; return it with the hash."""
    temporary = folder / f".{secrets.token_hex(8)}.tmp"
    try:
        _write_safetensors(temporary, arrays)
        sha256 = sha256_of(temporary)
        path = folder / f"checkpoint-{sha256[:16]}.safetensors"
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(folder)
    return path, sha256


def _write_safetensors(path: Path, arrays: Mapping[str, Array]) -> None:
    with path.open("wb") as file:
        mode = os.fstat(file.fileno()).st_mode
    try:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
        path.chmod(mode)  # the library's files are private to their owner
        with path.open("rb") as file:
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def _flat(identity: Identity) -> dict[str, Any]:
    """Name the values within a value as `learner.stack`."""
    flat: dict[str, Any] = {}
    for name, value in identity.items():
        flat.update({f"{name}.{key}": each for key, each in value.items()}
                    if isinstance(value, dict) else {name: value})
    return flat


def _read_index(index: Path) -> dict[str, Any]:
    content: Any
    try:
        content = strict_json.loads(index.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"checkpoint {str(index)!r} cannot be read: {error.strerror}"
                              ) from error
    except ValueError as error:
        raise CheckpointError(_damaged(index, f"not JSON, {error}")) from error
    if not isinstance(content, dict) or not {*_KEYS, "digest"} <= content.keys():
        raise CheckpointError(_damaged(index, "not the index of a checkpoint"))
    if content["schema"] != _SCHEMA:
        raise CheckpointError(f"checkpoint {str(index)!r} has schema {content['schema']!r}, this "
                              f"version reads {_SCHEMA}; take the version that wrote it")
    kept = {name: value for name, value in content.items() if name != "digest"}
    if content["digest"] != _digest(kept):
        raise CheckpointError(_damaged(index, "altered since it was written"))
    return kept


def _digest(content: Mapping[str, Any]) -> str:
    text = strict_json.dumps_exactly(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _damaged(index: Path, reason: str) -> str:
    return (f"checkpoint {str(index)!r} is damaged: {reason}; put a copy back, or remove it to "
            "begin anew")
