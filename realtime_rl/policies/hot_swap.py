"""Replaces the policy while it is in use: the old one acts until the new one is ready."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.policies.stop import Stop

Policy = TypeVar("Policy")
LOAD = "load_policy"
"""Name of the threads that load."""
_MOST_HANGING = 3
"""Loads that hang, and each may keep a core busy, before no other is begun beside them."""
_END_S = 1.0
"""At the end, a load that was asked to end is waited for so long."""
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Swap(Generic[Policy]):
    """One policy that came into use."""

    policy: Policy
    uri: str
    announced_ns: int
    """When it was announced [ns, the caller's clock]."""
    ready_ns: int
    """When it was loaded, checked and warm [ns, the caller's clock]."""


@dataclass(slots=True, eq=False)
class _Load:
    """One load, in a thread of its own."""

    uri: str
    announced_ns: int
    stop: Stop = field(default_factory=Stop)
    thread: threading.Thread | None = None
    loaded: bool = False
    """Or failed to."""
    ended: bool = False
    """And everybody was told."""
    given_up: bool = False


class HotSwap(Generic[Policy]):
    """Loads policies in the background, one after another; of several requests the newest wins.

    A policy that cannot be loaded, or not in time, changes nothing but is reported. Callbacks run
    in background threads.
    """

    def __init__(
        self, load: Callable[[str, Stop], Policy], now: Callable[[], int], *,
        on_swap: Callable[[Swap[Policy]], None] = lambda swap: None,
        on_failure: Callable[[str, str], None] = lambda uri, error: None,
        on_trouble: Callable[[str], None] = lambda text: None,
        prepare_thread: Callable[[], None] = lambda: None, limit_s: float = math.inf,
    ) -> None:
        """Start without a policy.

        Args:
            load: returns the policy of a URI, checked and warm; asked to stop, it need not.
            now: the caller's clock [ns].
            on_swap: called with each policy that came into use.
            on_failure: called with the URI and the error text of one that could not be loaded.
            on_trouble: told of what does not keep a policy from being loaded.
            prepare_thread: called first in the thread of each load, as to set its priority.
            limit_s: a load that takes longer hangs: it is given up, and the next one begins.
        """
        self._load = load
        self._now = now
        self._on_swap = on_swap
        self._on_failure = on_failure
        self._on_trouble = on_trouble
        self._prepare_thread = prepare_thread
        self._limit_s = limit_s
        self._changed = threading.Condition()
        self._wanted: _Load | None = None
        self._current: _Load | None = None
        self._hanging: list[_Load] = []
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
            return self._current is not None or self._wanted is not None

    def request(self, uri: str, announced_ns: int) -> None:
        """Ask for the policy of `uri`; returns at once. One that still waits is forgotten."""
        with self._changed:
            self._wanted = _Load(uri, announced_ns)
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float = math.inf,
                  given_up: Callable[[], bool] = lambda: False) -> bool:
        """Block until nothing is being loaded; return whether that came within `timeout_s`.

        `given_up` is asked meanwhile: a wait in the main thread must end with the process.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while self._current is not None or self._wanted is not None:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0.0 or given_up():
                    return False
                self._changed.wait(min(left_s, _LOOK_S))
        return True

    def close(self) -> int:
        """End the load under way; return how many threads hang in one all the same.

        Calling it twice is harmless.
        """
        with self._changed:
            self._closed = True
            self._wanted = None
            current, hanging = self._current, list(self._hanging)
            self._changed.notify_all()
        if current is not None:
            current.stop.ask()
        threads = [self._thread, *(load.thread for load in (current, *hanging)
                                   if load is not None and load.thread is not None)]
        deadline_s = time.monotonic() + _END_S
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        return sum(thread.is_alive() for thread in threads)

    def _run(self) -> None:
        """Begin loads and watch over them."""
        while (load := self._next()) is not None:
            if len(self._hanging) >= _MOST_HANGING:
                self._report(load.uri, f"{load.uri!r} is not loaded: {len(self._hanging)} policies "
                             "before it hang in their loading; start this process again")
                continue
            load.thread = threading.Thread(target=self._work, args=(load,), name=LOAD,
                                           daemon=True)
            load.thread.start()
            if not self._in_time(load):
                load.stop.ask()
                self._report(load.uri, f"{load.uri!r} is not ready after {self._limit_s:g} s "
                             "(load_limit): given up")

    def _next(self) -> _Load | None:
        """Wait for a request; `None` when closed."""
        with self._changed:
            self._current = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._wanted is not None)
            self._current, self._wanted = self._wanted, None
            return None if self._closed else self._current

    def _in_time(self, load: _Load) -> bool:
        """Wait for the end of a load; give it up at the limit."""
        limit_s = None if math.isinf(self._limit_s) else self._limit_s
        with self._changed:
            self._changed.wait_for(lambda: load.loaded or self._closed, limit_s)
            if not load.loaded and not self._closed:
                load.given_up = True
                self._hanging.append(load)
                return False
            self._changed.wait_for(lambda: load.ended or self._closed)
            return True

    def _work(self, load: _Load) -> None:
        """Load one policy: all that its thread does."""
        try:
            self._prepare_thread()
        except Exception as error:  # the policy matters more than the thread's priority
            self._on_trouble(f"a policy is loaded as its thread came: {type(error).__name__}: "
                             f"{error}")
        swap, problem = None, ""
        try:
            swap = Swap(self._load(load.uri, load.stop), load.uri, load.announced_ns, self._now())
        except RealtimeRlError as error:
            problem = str(error)
        except Exception as error:  # ONNX Runtime's have no base class
            problem = f"{type(error).__name__}: {error}"
        with self._changed:
            load.loaded = True
            dropped = load.given_up or self._closed
            if load in self._hanging:
                self._hanging.remove(load)
            if swap is not None and not dropped:
                self._swap = swap
            self._changed.notify_all()
        if not dropped:
            self._finish(load, swap, problem)
        with self._changed:
            load.ended = True
            self._changed.notify_all()

    def _finish(self, load: _Load, swap: Swap[Policy] | None, problem: str) -> None:
        """Tell what came of a load."""
        try:
            if swap is not None:
                self._on_swap(swap)
        except Exception as error:  # a fault in a callback must not end swapping
            problem = f"{type(error).__name__}: {error}"
        if problem:
            self._report(load.uri, problem)

    def _report(self, uri: str, problem: str) -> None:
        with contextlib.suppress(Exception):  # as above; nobody is left to be told
            self._on_failure(uri, problem)
