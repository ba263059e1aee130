"""Folders that exist whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from realtime_rl.core.errors import BagError


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Yield where a folder is to be made, which takes its place when the context ends well.

    `BagError` where it exists already. After an error nothing is left.
    """
    if folder.exists():
        raise BagError(f"dataset {str(folder)!r} exists already; name another folder")
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-",
                                     dir=folder.absolute().parent) as temporary:
        made = Path(temporary) / folder.name
        yield made
        made.rename(folder)
