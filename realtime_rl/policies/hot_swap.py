"""Replaces the policy while it is in use: the old one acts until the new one is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from realtime_rl.core.errors import RealtimeRlError

Policy = TypeVar("Policy")


@dataclass(frozen=True, slots=True)
class Swap(Generic[Policy]):
    """One policy that came into use."""

    policy: Policy
    uri: str
    announced_ns: int
    """When it was announced [ns, the caller's clock]."""
    ready_ns: int
    """When it was loaded, checked and warm [ns, the caller's clock]."""


@dataclass(frozen=True, slots=True)
class _Request:
    uri: str
    announced_ns: int


class HotSwap(Generic[Policy]):
    """Loads policies in one background thread; of several requests the newest wins.

    A policy that cannot be loaded changes nothing but is reported. Callbacks run in the
    background thread.
    """

    def __init__(
        self, load: Callable[[str], Policy], now: Callable[[], int], *,
        on_swap: Callable[[Swap[Policy]], None] = lambda swap: None,
        on_failure: Callable[[str, str], None] = lambda uri, error: None,
        prepare_thread: Callable[[], None] = lambda: None,
    ) -> None:
        """Start without a policy.

        Args:
            load: returns the policy of a URI, checked and warm.
            now: the caller's clock [ns].
            on_swap: called with each policy that came into use.
            on_failure: called with the URI and the error text of one that could not be loaded.
            prepare_thread: called first in the background thread, as to set its priority.
        """
        self._load = load
        self._now = now
        self._on_swap = on_swap
        self._on_failure = on_failure
        self._prepare_thread = prepare_thread
        self._changed = threading.Condition()
        self._wanted: _Request | None = None
        self._busy = False
        self._closed = False
        self._swap: Swap[Policy] | None = None
        self._thread = threading.Thread(target=self._run, name="hot_swap", daemon=True)
        self._thread.start()

    @property
    def current(self) -> Swap[Policy] | None:
        """The policy in use, with when it came; `None` before the first. Read it once per use."""
        return self._swap

    @property
    def loading(self) -> bool:
        """Whether a policy is being loaded or waits to be."""
        with self._changed:
            return self._busy or self._wanted is not None

    def request(self, uri: str, announced_ns: int) -> None:
        """Ask for the policy of `uri`; returns at once. One that still waits is forgotten."""
        with self._changed:
            self._wanted = _Request(uri, announced_ns)
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Block until nothing is being loaded; return whether that came within `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._busy and self._wanted is None, timeout_s)

    def close(self) -> None:
        """Stop after the load under way, if any. Calling it twice is harmless."""
        with self._changed:
            self._closed = True
            self._wanted = None
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        self._prepare_thread()
        while (request := self._next()) is not None:
            try:
                policy = self._load(request.uri)
                self._swap = Swap(policy, request.uri, request.announced_ns, self._now())
                self._on_swap(self._swap)
            except RealtimeRlError as error:
                self._on_failure(request.uri, str(error))
            except Exception as error:  # a fault in a callback must not end swapping for good
                self._on_failure(request.uri, f"{type(error).__name__}: {error}")

    def _next(self) -> _Request | None:
        """Wait for a request; `None` when closed."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._wanted is not None)
            request, self._wanted = self._wanted, None
            self._busy = request is not None
            return None if self._closed else request
