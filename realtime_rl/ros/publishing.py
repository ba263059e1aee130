"""Publishers that tell the executor of their process: who listens there need not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile


class TellingPublisher(Publisher):
    """Calls `told` when it has published; an executor of ours sets it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - rclpy's own
        """As rclpy makes one."""
        super().__init__(*args, **kwargs)
        self.told: Callable[[], object] = _nobody

    def publish(self, msg: Any) -> None:  # noqa: ANN401 - a message, or a serialized one
        """Publish a message of the topic's type; it may be serialized."""
        super().publish(msg)
        self.told()


def publisher_of(node: Node, kind: type, topic: str, profile: QoSProfile) -> Publisher:
    """Create a publisher of what is said at every tick, as `node.create_publisher` does."""
    return node.create_publisher(kind, topic, profile, publisher_class=TellingPublisher)


def _nobody() -> None:
    """Nobody of this process listens."""
