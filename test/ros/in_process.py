"""ROS within the process of the tests, on this machine only and in a domain of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import rclpy
from rclpy.node import Node

from realtime_rl.ros import environment

PATIENCE_S = 30.0
"""Only a failing test takes so long."""


@contextmanager
def ros(*arguments: str, domain: int | None = None) -> Iterator[Callable[[str], Node]]:
    """Start ROS with `arguments`; gives what makes nodes, all of which end with the context."""
    before = dict(os.environ)
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100 if domain is None else domain)
    environment.adopt()
    rclpy.init(args=["--ros-args", *arguments] if arguments else [])
    made: list[Node] = []

    def make(name: str) -> Node:
        made.append(rclpy.create_node(name))
        return made[-1]

    try:
        yield make
    finally:
        for node in made:
            node.destroy_node()
        rclpy.try_shutdown()
        os.environ.clear()
        os.environ.update(before)


def wait(node: Node, condition: Callable[[], bool]) -> None:
    """Spin `node` until `condition` holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        rclpy.spin_once(node, timeout_sec=0.05)
