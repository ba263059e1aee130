"""Looks once a second who publishes on the graph's topics, and warns of those who should not."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rclpy.node import Node

from realtime_rl.core.messages.observation_wire import TOPIC
from realtime_rl.core.peers.publishers import Publisher, PublisherWatch
from realtime_rl.ros import steady


def watch_publishers(node: Node, inference_nodes: Sequence[str], parts: Sequence[str]) -> None:
    """Warn, in the name of the coordinator `node`, of publishers that have no place in its graph.

    Args:
        node: that looks; it publishes `schedule` itself.
        inference_nodes: names of the inference nodes.
        parts: of the observations, where there are several.
    """
    inference = [full_name(node, name) for name in inference_nodes]
    plant, robot, actuator, own = (full_name(node, name) for name in (
        "plant", "robot", "actuator", node.get_name()))
    observations = [f"{TOPIC}/{part}" for part in parts] or [TOPIC]
    watch = PublisherWatch({
        **{topic: [plant, robot] for topic in (*observations, "timestep")}, "action": inference,
        "inference": inference, "command": [actuator], "verdict": [actuator], "schedule": [own]},
        of_anybody=(*observations, "timestep"))  # a robot has a node of its own

    def look() -> None:
        for topic in watch.topics:
            found = [Publisher(f"{each.node_namespace.rstrip('/')}/{each.node_name}",
                               bytes(each.endpoint_gid))
                     for each in node.get_publishers_info_by_topic(topic)]
            for line in watch.look(topic, found, time.monotonic_ns()):
                node.get_logger().warning(line)

    steady.create_timer(node, 1.0, look)


def full_name(node: Node, name: str) -> str:
    """The full name of another node in the namespace of `node`."""
    return f"{node.get_namespace().rstrip('/')}/{name}"
