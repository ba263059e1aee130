"""What the environment must be for ROS 2 to start: checked, and set right where that is harmless.

rcl answers a wrong one by a traceback, Fast DDS by ending the process.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.files import user_path
from realtime_rl.ros import memory_limit
from realtime_rl.ros.transport import RANGE, RANGES, node_environment

DOMAIN = "ROS_DOMAIN_ID"
_LAST_DOMAIN = 232
"""Of the next one the ports would be above 65535."""
LOGS = "ROS_LOG_DIR"
"""Environment: the folder of rcl's logs."""


def check(environment: Mapping[str, str]) -> None:
    """`ConfigError`, in one line, for what ROS 2 could not start with or would not keep to."""
    for problem in problems(environment):
        raise ConfigError(problem)


def problems(environment: Mapping[str, str]) -> list[str]:
    """What `check` would raise, all of it, a line each: what is wrong; what to do."""
    found = [problem for problem in (_domain(environment), _range(environment),
                                     _middleware(environment), _security(environment)) if problem]
    try:
        memory_limit.limit_mib("", environment)
    except ConfigError as error:
        found.append(str(error))
    return found


def additions(environment: Mapping[str, str]) -> dict[str, str]:
    """What a node needs on top of `environment`: how far it reaches, and where its log goes.

    Raises:
        ConfigError: there is no folder that a log could go to.
    """
    folder = log_folder(environment)
    logs = {} if writable(folder) else {LOGS: str(_substitute())}
    return {**node_environment(environment), **logs}


def adopt() -> list[str]:
    """Make this process's environment one that a node of ours can start in, before rclpy does.

    Returns what is to be said of it, in lines; `ConfigError` as `check` and `additions`.
    """
    check(os.environ)
    added = additions(os.environ)
    said = [] if LOGS not in added else [
        f"{log_trouble(os.environ)}: ROS 2's logs go to {added[LOGS]}; {LOGS} names another"]
    os.environ.update(added)
    return said


def log_folder(environment: Mapping[str, str]) -> Path | None:
    """Where rcl's logs go; `None` where it could not tell."""
    if environment.get(LOGS):
        return user_path(environment[LOGS])
    if environment.get("ROS_HOME"):
        return user_path(environment["ROS_HOME"]) / "log"
    return Path(environment["HOME"]) / ".ros" / "log" if environment.get("HOME") else None


def log_trouble(environment: Mapping[str, str]) -> str:
    """Why rcl's logs cannot go where they should; empty where they can."""
    folder = log_folder(environment)
    if folder is None:
        return "HOME is not set"
    return "" if writable(folder) else f"{str(folder)!r} cannot be written"


def writable(folder: Path | None) -> bool:
    """Whether files can be made in `folder`, which is made where it is not there."""
    if folder is None:
        return False
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK | os.X_OK)


def _substitute() -> Path:
    """Return a folder of this user alone, the same one every time."""
    path = Path(tempfile.gettempdir()) / f"realtime_rl-log-{os.geteuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()  # anybody may have made something of that name
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            path = Path(tempfile.mkdtemp(prefix="realtime_rl-log-"))
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be made for ROS 2's logs: {error.strerror}; "
                          f"name a folder with {LOGS}") from error
    return path


def _domain(environment: Mapping[str, str]) -> str | None:
    text = environment.get(DOMAIN, "")
    if not text or (text.isascii() and text.isdigit() and int(text) <= _LAST_DOMAIN):
        return None
    return f"{DOMAIN}: {text!r} is not a number from 0 to {_LAST_DOMAIN}; unset it, or give one"


def _range(environment: Mapping[str, str]) -> str | None:
    text = environment.get(RANGE, "")
    if text and text.upper() not in RANGES:
        return f"{RANGE}: {text!r} is not one of {choices(RANGES)}"
    if text.upper() == "OFF":
        return f"{RANGE}: with 'OFF' no node finds another; LOCALHOST keeps to this machine"
    return None


def _middleware(environment: Mapping[str, str]) -> str | None:
    text = environment.get("RMW_IMPLEMENTATION", "")
    if not text or not _from_wheels(environment) or _installed(f"ros-{text.replace('_', '-')}"):
        return None
    return (f"RMW_IMPLEMENTATION: {text!r} is not among the pip wheels that are installed; unset "
            "it, or source a ROS 2 installation")


def _security(environment: Mapping[str, str]) -> str | None:
    if environment.get("ROS_SECURITY_ENABLE", "").lower() != "true" \
            or not _from_wheels(environment):
        return None
    return ("ROS_SECURITY_ENABLE: the pip wheels' middleware is built without DDS Security, so "
            "nothing would be secured; unset it, and keep the graph to this machine (as it does "
            "unasked) or to a VPN of its own, or source a ROS 2 installation that has SROS 2")


def _from_wheels(environment: Mapping[str, str]) -> bool:
    return not environment.get("ROS_DISTRO") and _installed("ros-rclpy")


def _installed(wheel: str) -> bool:
    try:
        return bool(importlib.metadata.version(wheel))
    except importlib.metadata.PackageNotFoundError:
        return False
