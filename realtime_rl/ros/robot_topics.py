"""A robot's own topics: what it says is taken in, and what it is told is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot import message_types
from realtime_rl.core.robot.command_writing import Order
from realtime_rl.core.robot.contract import ActionGroup, Contract, SourceSpec
from realtime_rl.core.robot.message_types import ActionType
from realtime_rl.core.robot.sources import Picture
from realtime_rl.ros import message_classes
from realtime_rl.ros.aside import Aside
from realtime_rl.ros.guard import listen
from realtime_rl.ros.throttled import Throttled

_MOST_HZ = 500.0
"""Of a sensor; `guard.GENEROUS` times as many messages are taken."""
_DEPTH = 16
_MOST_BYTES = 1 << 26
"""Of one message, as a camera's."""
COMMANDS = QoSProfile(depth=1)
"""What commands are offered with: reliable, without a deadline, nothing old queued."""

Offer = Callable[[str, Any, int, int, "Picture | None"], None]
"""Takes a source's message: its name, the message, the moment on the monotonic and on ROS's clock
[ns], and the picture in it."""
Show = Callable[[Any], Picture]
"""The picture in a message, as the policy sees it; `WireError`."""


def sensor_qos(*, reliable: bool = False, depth: int = _DEPTH) -> QoSProfile:
    """What a robot's topics are listened to with; best effort fits whatever is offered."""
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE if reliable
                      else ReliabilityPolicy.BEST_EFFORT)


def listen_to_sources(node: Node, contract: Contract, offer: Offer,
                      picture_of: Callable[[SourceSpec], Show], aside: Aside | None = None) -> None:
    """Subscribe to a contract's sources; `ConfigError` where a type is not installed.

    `aside`: where pictures are made, and offered as its owner takes them; else they are at once.
    """
    for spec in contract.sources:
        take = partial(_offer, node, spec.name, offer)
        if spec.image is not None:
            take = (partial(_offer_shown, node, spec.name, offer, picture_of(spec))
                    if aside is None else
                    partial(_offer_later, node, spec, offer, picture_of(spec), aside, Throttled(
                        node, f"{spec.config.topic}: {{count}} picture(s) refused; the newest: "
                        "{last}")))
        listen(node, message_classes.find(spec.config.type), spec.config.topic, take,
               sensor_qos(reliable=spec.config.reliability == "reliable"),
               rate_hz=_MOST_HZ, most_bytes=_MOST_BYTES)


def _offer(node: Node, name: str, offer: Offer, message: Any) -> None:  # noqa: ANN401
    offer(name, message, *_now(node), None)


def _offer_shown(node: Node, name: str, offer: Offer, show: Show, message: Any) -> None:  # noqa: ANN401
    now = _now(node)
    offer(name, message, *now, show(message))


def _offer_later(node: Node, spec: SourceSpec, offer: Offer, show: Show,  # noqa: PLR0917
                 aside: Aside, refused: Throttled, message: Any) -> None:  # noqa: ANN401
    now = _now(node)
    aside.do(f"source.{spec.name}", lambda: show(message),
             lambda picture: offer(spec.name, message, *now, picture), refused.note)


def _now(node: Node) -> tuple[int, int]:
    """Return the moment on the monotonic clock and on ROS's [ns]."""
    return time.monotonic_ns(), node.get_clock().now().nanoseconds


def listen_plainly(node: Node, type_name: str, topic: str, callback: Callable[[Any], None]) -> None:
    """Subscribe to a topic of the robot's that is no source, as an emergency stop."""
    listen(node, message_classes.find(type_name), topic, callback, sensor_qos(), rate_hz=_MOST_HZ)


class CommandTopics:
    """Sends commands: all of a tick are made before the first one is sent."""

    def __init__(self, node: Node, contract: Contract) -> None:
        """Offer the topics of a contract's actions; `ConfigError` for a type not installed."""
        self._period_ns = contract.period_ns
        self._topics: list[tuple[ActionGroup, ActionType, Publisher]] = []
        for group in contract.actions:
            kind = message_types.action(group.config.type)
            self._topics.append((group, kind, node.create_publisher(
                message_classes.find(kind.name), group.config.topic, COMMANDS)))

    def send(self, values: Sequence[Sequence[float] | None], sent_ns: int) -> None:
        """Send to each action's topic what it is to do; `None`: nothing.

        Args:
            values: of each action, in the contract's order.
            sent_ns: now [ns, ROS time].

        Raises:
            WireError: a value is none that the message can hold; nothing is sent.
        """
        made: list[tuple[Publisher, Any]] = []
        for (group, kind, publisher), each in zip(self._topics, values, strict=True):
            if each is None:
                continue
            order = Order(group.config.names, tuple(each), group.mode, self._period_ns)
            try:
                made.append((publisher, kind.fill(
                    message_classes.empty(kind.name), order, message_classes.empty, sent_ns,
                    group.config.frame)))
            except (ValueError, OverflowError, AssertionError) as error:
                raise WireError(f"action.{group.name}: {tuple(each)} cannot be sent as "
                                f"{kind.name}: {error}") from error
        for publisher, message in made:
            publisher.publish(message)
