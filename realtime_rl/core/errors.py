"""The one family of errors that users see: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable


class RealtimeRlError(Exception):
    """Anything that a user can fix. Printed as one line, never as a traceback."""


class ConfigError(RealtimeRlError):
    """A parameter, a value or a file of parameters that cannot be used."""


class PlantError(RealtimeRlError):
    """A plant that does not exist, cannot start or was driven wrongly."""


class PolicyError(RealtimeRlError):
    """A policy file that is unreadable, altered, of the wrong shape, or gives non-finite values."""


class BagError(RealtimeRlError):
    """A bag that cannot be read or written."""


class MissingDependencyError(RealtimeRlError):
    """An optional library that this operation needs is not installed, or not whole."""

    def __init__(self, module: str, extra: str, cause: ImportError | None = None) -> None:
        """Name the module, the extra of this package that has it, and what its import said."""
        missing = (cause.name or "").partition(".")[0] if isinstance(
            cause, ModuleNotFoundError) else None
        reason = " ".join(str(cause).split())
        absent = cause is None or missing == module.partition(".")[0]
        super().__init__(
            f"{module} {'is not installed' if absent else f'cannot be imported: {reason}'}; "
            f"fix: {installing(extra)}")


def installing(extra: str) -> str:
    """Say how to install what an extra of this package has; no registry has the package itself."""
    return f"pip install '.[{extra}]' in the clone"


def choices(values: Iterable[object]) -> str:
    """Write the valid choices the way every error message of this package does."""
    return ", ".join(sorted(repr(value) for value in values))
