"""How many messages of a topic are looked at: of each sender, no more than it can have to say.

rclpy does not tell who sent a message, but its number among those of its writer. Messages whose
numbers follow each other are therefore one sender's, and a flood takes nothing from the others.
"""

from __future__ import annotations

from dataclasses import dataclass

_SENDERS = 32
"""Told apart; the one that was silent for longest makes room."""
_FIRST_BURST = 64
"""What somebody new may say at once: who begins anew all the time gains nothing by it. What waited
in the queue is reckoned for all together, and so many of it come back a second."""
_NEW_NS = 1_000_000_000
"""A queue that was full when we began to read is read by then."""
_NEWCOMERS, _NEWCOMERS_HZ = 16, 1.0
"""So many senders may come at once, and a second: the numbers of one that invents them are all of
senders that nobody knows."""
_LOST = 4096
"""Messages of one sender that may be lost on the way between two that arrive."""
_MISTAKEN = 32
"""Two senders whose numbers are no further apart may be taken for each other."""


@dataclass(slots=True)
class TokenBucket:
    """Lets `rate_hz` events a second pass in the long run, and `burst` at once."""

    rate_hz: float
    burst: float
    tokens: float
    filled_ns: int

    def take(self, now_ns: int) -> bool:
        """Whether one more may pass at `now_ns`, which must not go back."""
        self.tokens = min(self.burst,
                          self.tokens + (now_ns - self.filled_ns) * self.rate_hz / 1e9)
        self.filled_ns = now_ns
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


@dataclass(slots=True)
class _Sender(TokenBucket):
    new_until_ns: int = 0
    """Until then what it says may have waited for us to begin to read."""


class RateLimit:
    """Limits each sender of a topic.

    A node listens from when it is made, and reads from when it is spun, which takes seconds on a
    loaded machine: what its queue holds by then was in order, and is read, whoever said it.
    """

    def __init__(self, rate_hz: float, burst: int) -> None:
        """Allow each sender `rate_hz` messages a second, and `burst` at once."""
        self._rate_hz = rate_hz
        self._burst = max(1, burst)
        self._first = min(_FIRST_BURST, self._burst)
        self._senders: dict[int | None, _Sender] = {}
        """By the number of the newest message; the one heard last is at the end."""
        self._newcomers: TokenBucket | None = None
        self._waiting = TokenBucket(0.0, 0.0, 0.0, 0)
        """What may have waited in our queue, of all senders together."""

    def allows(self, number: int | None, now_ns: int) -> bool:
        """Whether to look at a message.

        Args:
            number: its number among its writer's messages; `None` where the middleware does not
                tell: then all are taken for one sender's.
            now_ns: the time, on a clock that does not go back.
        """
        bucket = self._sender(number, now_ns)
        return bucket is not None and (bucket.take(now_ns) or self._had_waited(bucket, now_ns)
                                       or self._mistaken(number, bucket, now_ns))

    def _had_waited(self, sender: _Sender, now_ns: int) -> bool:
        """Whether a message may have waited in our queue since before we began to read."""
        return now_ns <= sender.new_until_ns and self._waiting.take(now_ns)

    def _mistaken(self, number: int | None, bucket: _Sender, now_ns: int) -> bool:
        """Whether a message may be that of another sender, who has something left to say."""
        return number is not None and any(
            each is not bucket and abs(known - number) <= _MISTAKEN and each.take(now_ns)
            for known, each in self._senders.items() if known is not None)

    def _sender(self, number: int | None, now_ns: int) -> _Sender | None:
        bucket = self._senders.pop(None if number is None else number - 1, None)
        if bucket is None:
            bucket = self._after_a_loss(number) or self._newcomer(now_ns)
        if bucket is None:
            return None
        while number is not None and number in self._senders:
            number -= 1  # two senders have come to the same number
        self._senders[number] = bucket
        return bucket

    def _after_a_loss(self, number: int | None) -> _Sender | None:
        near = [known for known in self._senders if known is not None and number is not None
                and 0 < number - known <= _LOST]
        return self._senders.pop(max(near)) if near else None

    def _newcomer(self, now_ns: int) -> _Sender | None:
        if self._newcomers is None:
            self._newcomers = TokenBucket(_NEWCOMERS_HZ, _NEWCOMERS, _NEWCOMERS, now_ns)
            waiting = self._burst - self._first
            self._waiting = TokenBucket(_FIRST_BURST, waiting, waiting, now_ns)
        if not self._newcomers.take(now_ns):
            return None
        if len(self._senders) >= _SENDERS:
            del self._senders[next(iter(self._senders))]
        return _Sender(self._rate_hz, self._burst, self._first, now_ns, now_ns + _NEW_NS)
