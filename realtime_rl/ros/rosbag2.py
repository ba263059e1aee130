"""How `ros2 bag record` is told to record what the `recorder` node records. Needs no rclpy."""

from __future__ import annotations

from pathlib import Path

import yaml

from realtime_rl.core.messages.topics import RECORDED_DEPTH, recorded
from realtime_rl.files import write_atomically
from realtime_rl.ros.graph import NodeSpec


def record_command(recorder: NodeSpec, folder: Path) -> list[str]:
    """Return the command that stands for a `recorder`: this graph's topics, and no others.

    Its node has a name of its own, as its services have: two robots' recorders can be told apart.

    Args:
        recorder: as the graph has it.
        folder: where the file of its QoS is written; `OSError` where that cannot be.
    """
    prefix = f"/{recorder.namespace}/".replace("//", "/")
    topics = {topic.name if topic.name.startswith("/") else prefix + topic.name: topic
              for topic in recorded(observations=bool(recorder.parameters["observations"]),
                                    parts=_texts(recorder.parameters["parts"]),
                                    robot=_texts(recorder.parameters["robot_topics"]))}
    profiles = {name: {"history": "keep_last", "depth": RECORDED_DEPTH, "reliability": "reliable",
                       "durability": "transient_local" if topic.kept else "volatile"}
                for name, topic in topics.items() if topic.ours}
    node = "_".join([*filter(None, recorder.namespace.split("/")), recorder.name])
    path = folder / f"{node}-qos.yaml"
    write_atomically(path, yaml.safe_dump(profiles).encode())
    return ["ros2", "bag", "record", "--storage", "mcap", "--node-name", node,
            "--qos-profile-overrides-path", str(path), "--output", str(recorder.parameters["bag"]),
            "--topics", *topics]


def _texts(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
