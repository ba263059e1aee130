"""Files that exist whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def write_atomically(path: Path, *parts: bytes | memoryview) -> None:
    """Write `parts`, one after another, so that `path` holds its old content or all of the new.

    That holds after a crash, too.

    Raises:
        OSError: nothing was written, and nothing is left behind.
    """
    path = path.absolute()
    # beside the target, as a rename is atomic only within one file system; not with `tempfile`,
    # whose files are private to their owner and would stay so
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in `folder` survive a power cut; `OSError`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 lower-case hexadecimal digits; `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
