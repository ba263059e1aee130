"""Subscriptions that read no more than there can be to read, and no message that is none.

A message is taken as bytes, counted, and only then deserialized: that costs four times as much as
taking it. What is refused is said once a second, whatever comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.peers.rate_limit import RateLimit
from realtime_rl.ros.messages import deserialize
from realtime_rl.ros.spinning import batched, received_ns
from realtime_rl.ros.throttled import Throttled

GENEROUS = 8
"""Times as many messages as a topic has in order."""
_MOST_BYTES = 1 << 18
"""Of a message that is not an image: a list of the most values that are allowed, and its names."""


Decode = Callable[[bytes], Any]


class Guarded:
    """The callback of a raw subscription: decides what is read, and hands it on."""

    def __init__(self, node: Node, topic: str, decode: Decode, callback: Callable[[Any], None], *,
                 limit: RateLimit, most_bytes: int) -> None:
        """Hand what is decoded on to `callback`; the `WireError`s of both are said for them."""
        self._decode = decode
        self._callback = callback
        self._limit = limit
        self._most_bytes = most_bytes
        self._unread = Throttled(node, f"{topic}: {{count}} message(s) left unread, more or larger "
                                 "than a sender's are; 'ros2 topic info -v' names who publishes")
        self._refused = Throttled(
            node, f"{topic}: {{count}} message(s) refused; the newest: {{last}}")
        # what an executor is told of a callback holds for its guard
        self.__dict__.update(getattr(callback, "__dict__", {}))

    @property
    def unread(self) -> int:
        """Messages that were too many, or too large."""
        return self._unread.count

    @property
    def refused(self) -> int:
        """Messages that were read and are none of ours."""
        return self._refused.count

    def wrap(self, wrapper: Callable[[Callable[[Any], None]], Callable[[Any], None]]) -> None:
        """Let `wrapper` of the callback have the messages that are read."""
        self._callback = wrapper(self._callback)

    def __call__(self, data: bytes, info: Mapping[str, Any]) -> None:
        """Take a message, with what the middleware says of it, as rclpy's executors do."""
        if self.admits(data, info):
            self.read(data)

    def admits(self, data: bytes, info: Mapping[str, Any]) -> bool:
        """Whether to read a message; ask once for each, in the order in which they came."""
        if len(data) <= self._most_bytes and self._limit.allows(
                info.get("publication_sequence_number"), time.monotonic_ns()):
            return True
        self._unread.note()
        return False

    def read(self, data: bytes) -> None:
        """Read a message that was admitted, now or later."""
        try:
            self._callback(self._decode(data))
        except WireError as error:
            self._refused.note(str(error))


class Overheard(Guarded):
    """The same for one who only watches, and is told when a message came: `overhear`."""

    def __init__(self, node: Node, topic: str, decode: Decode,
                 callback: Callable[[Any, int], None], *, limit: RateLimit, most_bytes: int
                 ) -> None:
        """Hand what is decoded on to `callback`, with the time at which it was received."""
        self._arrived_ns = 0
        super().__init__(node, topic, decode,
                         lambda message: callback(message, self._arrived_ns),
                         limit=limit, most_bytes=most_bytes)
        batched(self)

    def __call__(self, data: bytes, info: Mapping[str, Any]) -> None:
        """Take a message, with what the middleware says of it."""
        self._arrived_ns = received_ns(info)
        super().__call__(data, info)


def listen(node: Node, kind: type, topic: str, callback: Callable[[Any], None],
           profile: QoSProfile, *, rate_hz: float, most_bytes: int = _MOST_BYTES,
           decode: Decode | None = None) -> Subscription:
    """Subscribe to a topic; `callback` gets its messages, and may raise `WireError`.

    Args:
        node: that listens.
        kind: the type of the messages.
        topic: its name.
        callback: called with each message that is read.
        profile: QoS. As many messages as it keeps may come at once.
        rate_hz: messages a second that one sender has to say in order; `GENEROUS` times as many
            are read.
        most_bytes: of a serialized message; larger ones are left unread.
        decode: what the callback is given of a serialized message; `None`: the message.
    """
    return node.create_subscription(
        kind, topic, Guarded(node, topic, decode or partial(deserialize, kind=kind), callback,
                             limit=_limit(profile, rate_hz), most_bytes=most_bytes),
        profile, raw=True)


def overhear(node: Node, kind: type, topic: str, callback: Callable[[Any, int], None],
             profile: QoSProfile, *, rate_hz: float, decode: Decode) -> Subscription:
    """Subscribe for one who only watches: messages come some times a second, all that wait.

    Args:
        node: that watches.
        kind: the type of the messages.
        topic: its name.
        callback: called with what `decode` gives, and when it was received [ns,
            `time.monotonic_ns`].
        profile: QoS, of a depth that holds what comes meanwhile.
        rate_hz: as of `listen`.
        decode: what the callback is given of a serialized message.
    """
    return node.create_subscription(
        kind, topic, Overheard(node, topic, decode, callback, limit=_limit(profile, rate_hz),
                               most_bytes=_MOST_BYTES), profile, raw=True)


def _limit(profile: QoSProfile, rate_hz: float) -> RateLimit:
    return RateLimit(GENEROUS * rate_hz, max(profile.depth, round(GENEROUS * rate_hz)))


def per_tick_hz(period_ns: int, workers: int = 0) -> float:
    """The rate of what one sender says once a tick [Hz].

    Args:
        period_ns: of the plant.
        workers: whose actions or inferences it says: baselines may start them all at every tick.
    """
    return (1 + workers / GENEROUS) * 1e9 / period_ns
