"""Optional libraries, imported when a plant needs them."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from realtime_rl.core.errors import MissingDependencyError


def load_library(name: str, extra: str) -> Any:  # noqa: ANN401 - untyped, or not installed
    """Import the module `name`; `MissingDependencyError` names the extra that has it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # which SDL2 pyboy found, though none is used
            return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(name, extra, error) from error
