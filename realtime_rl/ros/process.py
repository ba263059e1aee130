"""What a node's process is given before ROS starts in it: environment, memory, signals."""

from __future__ import annotations

import os
import signal
import sys

import rclpy

from realtime_rl.core.errors import ConfigError
from realtime_rl.ros import environment, memory_limit, transport
from realtime_rl.ros.graph import PARENT_VARIABLE


def begin(name: str) -> None:
    """Make this process ready to be the node `name`; `ConfigError` says why ROS cannot start.

    What is to be said goes to standard error: how far a node reaches that somebody started by
    himself, or that reaches others than this machine.
    """
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
    for line in environment.adopt():
        print(f"{name}: {line}", file=sys.stderr, flush=True)
    if PARENT_VARIABLE not in os.environ:  # else whoever watches over it has said so
        print(f"{name}: can be seen and commanded from {transport.reach(os.environ)}",
              file=sys.stderr, flush=True)
    memory_limit.limit(name)


def start_ros() -> None:
    """Start ROS with this process's arguments; `ConfigError` in one line where it does not."""
    try:
        rclpy.init(args=sys.argv, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    except Exception as error:  # rcl's own kinds have no common base
        raise ConfigError(f"ROS 2 does not start: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
