"""What waits in a subscription, taken as its callback wants it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.subscription import Subscription

from realtime_rl.ros.guard import Guarded
from realtime_rl.ros.spinning import is_newest_first

Read = Callable[[Any], object]
_MOST = 512
"""So many messages are taken at once of one whose newest message goes first, at most."""


class Inbox:
    """One subscription; what it does for every message is worked out once."""

    def __init__(self, subscription: Subscription, older: deque[tuple[Read, Any]]) -> None:
        """Take messages for the callback of `subscription`.

        Args:
            subscription: whose messages.
            older: gets what came before the newest message, where that goes first.
        """
        callback = subscription.callback
        self.topic: str = subscription.topic_name
        self._of = subscription.handle, subscription.msg_type, subscription.raw
        guarded = isinstance(callback, Guarded)
        self._admits: Callable[..., bool] = callback.admits if guarded else _admits_all
        self._read: Read = callback.read if guarded else callback
        self._older = older
        self.take: Callable[[], bool] = (self._take_newest_first if is_newest_first(callback)
                                         else self._take_one)
        """Give the callback what waits, a message or all; return whether there was any."""

    def _take_one(self) -> bool:
        handle, kind, raw = self._of
        taken = handle.take_message(kind, raw)
        if taken is None:
            return False
        if self._admits(*taken):
            self._read(taken[0])
        return True

    def _take_newest_first(self) -> bool:
        handle, kind, raw = self._of
        waiting, count = [], 0
        while count < _MOST and (taken := handle.take_message(kind, raw)) is not None:
            count += 1
            if self._admits(*taken):
                waiting.append(taken[0])
        if waiting:
            self._read(waiting.pop())
        self._older.extend((self._read, message) for message in reversed(waiting))
        return count > 0


def _admits_all(message: object, info: Mapping[str, Any]) -> bool:
    del message, info
    return True
