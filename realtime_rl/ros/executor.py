"""An executor that builds its wait set once, for nodes that are called at every tick.

What is said to those who only watch (`spinning.batched`) ends no wait: it is taken together, some
times a second, since a wake-up costs more than what it is for.

rclpy's `SingleThreadedExecutor` gathers all entities and builds a wait set, a task and a coroutine
for every callback: milliseconds for a node of ours. Here each costs a wait and a call. Only tasks,
of which our nodes have none, are left to rclpy's own code.

Deadlines and timers hold by the monotonic clock, whatever is done to the system clock. What it
uses of rclpy beyond what is documented is listed in `rclpy_private`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from rclpy.client import Client
from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.guard_condition import GuardCondition
from rclpy.node import Node
from rclpy.service import Service
from rclpy.waitable import Waitable

from realtime_rl.ros.inbox import Inbox
from realtime_rl.ros.spinning import BATCH_EVERY_NS, never
from realtime_rl.ros.waited_for import WaitedFor
from realtime_rl.ros.waker import Waker

Entity = TypeVar("Entity", Inbox, GuardCondition, Service, Client)
_ROUNDS = 64
"""So many messages of a subscription are taken before anything else has its turn, at most."""
_NEAR_NS = BATCH_EVERY_NS // 2
"""Who is woken for a timer takes a batch that is due so soon, too: a wake costs as much."""
_MOST_OF_BATCH = 4096
"""Messages of one subscription that are taken together, at most."""


class TickExecutor(SingleThreadedExecutor):
    """Callbacks of some nodes, in the thread that spins; none of them may be a coroutine.

    What is added to a node or destroyed meanwhile is noticed, as with every executor. A timer
    must be reset by that thread, or before the wait.
    """

    def __init__(self, *nodes: Node) -> None:
        """Run the callbacks of `nodes`, which have one context."""
        self._changed = True
        super().__init__(context=nodes[0].context)
        self._batch_ns = 0
        self._said: deque[Inbox] = deque()
        """Whom a publisher of this process has said something to."""
        self._waker = Waker(self._end_wait)
        self._older: deque[tuple[Callable[[Any], object], Any]] = deque()
        self._has = WaitedFor(nodes, self._older)
        for node in nodes:
            self.add_node(node)

    def wake(self) -> None:
        """End a wait. rclpy calls it, too, when the node's entities change."""
        self._changed = True
        self._end_wait()

    def _end_wait(self) -> None:
        with suppress(InvalidHandle):  # another thread wakes it while it is shut down
            super().wake()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for something to do, at most `timeout_sec` [s] or for ever, and do all of it."""
        if timeout_sec is None:
            self.run_once()
        else:
            end_ns = time.monotonic_ns() + round(timeout_sec * 1e9)
            self.run_once(lambda: end_ns)

    def run_once(self, next_deadline_ns: Callable[[], int | None] = never) -> None:
        """Wait for something to do, no longer than until a deadline, and do it.

        All messages that wait are taken, up to a bound, while no deadline has come; where one
        has, the oldest of each subscription.

        Args:
            next_deadline_ns: the deadline, on `time.monotonic_ns`; `None` for never. Asked anew
                when callbacks have run.
        """
        if self._tasks:
            self._leave_to_rclpy()
        if self._changed:
            self._gather()
        due_ns = next_deadline_ns()
        if self._said:
            self._take_what_was_said(due_ns)
            due_ns = next_deadline_ns()
            if self._changed or (due_ns is not None and due_ns <= time.monotonic_ns()):
                return
        self._wait_and_do(due_ns, next_deadline_ns)

    def _wait_and_do(self, due_ns: int | None, next_deadline_ns: Callable[[], int | None]) -> None:
        has = self._has
        timer_ns = self._next_timer_ns() if has.timers else None
        batch_ns = self._batch_ns if has.batched else None
        due_ns = min((at_ns for at_ns in (due_ns, timer_ns, batch_ns) if at_ns is not None),
                     default=None)
        waitables = has.fill(self._wait_set, due_ns)
        self._wait(0 if self._older or self._said else due_ns)
        # all are asked: it is their answer that they keep for later
        events = [waitable for waitable in waitables if waitable.is_ready(self._wait_set)]
        services = self._ready("service", has.services)
        clients = self._ready("client", has.clients)
        guards = self._ready("guard_condition", has.guards)
        inboxes = self._ready("subscription", has.inboxes)
        now_ns = time.monotonic_ns()
        timers_due = timer_ns is not None and timer_ns <= now_ns
        if batch_ns is not None and batch_ns <= now_ns + timers_due * _NEAR_NS:
            self._take_batches()
        if timers_due:
            self._call_timers()
        self._take_all(inboxes, next_deadline_ns)
        self._catch_up(next_deadline_ns)
        for guard in guards:
            guard.callback()
        for service in services:
            self._serve(service)
        for client in clients:
            self._take_answer(client)
        for event in events:
            self._run(event)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Let go of the node's entities."""
        self._waker.close()
        self._has.close()
        return bool(super().shutdown(timeout_sec))

    def _serve(self, service: Service) -> None:
        request, header = service.handle.service_take_request(service.srv_type.Request)
        if header is not None:
            service.send_response(service.callback(request, service.srv_type.Response()), header)

    def _take_answer(self, client: Client) -> None:
        header, response = client.handle.take_response(client.srv_type.Response)
        if header is not None:
            with suppress(KeyError):  # nobody waits for it any more
                client.get_pending_request(header.request_id.sequence_number).set_result(response)

    def _run(self, event: Waitable) -> None:
        running = event.execute(event.take_data())
        with suppress(StopIteration):
            running.send(None)
            running.close()
            raise TypeError(f"{event!r} waits in its callback, which ends the wait of all others")

    def _leave_to_rclpy(self) -> None:
        super().spin_once(timeout_sec=0.0)
        self._cb_iter = None  # it would go on with what was ready now

    def _wait(self, due_ns: int | None) -> None:
        if due_ns is None:
            self._wait_set.wait(-1)
            return
        now_ns = time.monotonic_ns()
        end_ns = max(due_ns, now_ns)
        self._waker.watch(end_ns)  # a wait of 0, too, is one until a time of the system clock
        self._wait_set.wait(end_ns - now_ns)
        self._waker.rest()

    def _next_timer_ns(self) -> int | None:
        left = [each for timer in self._has.timers
                if (each := timer.handle.time_until_next_call()) is not None]
        return time.monotonic_ns() + min(left) if left else None

    def _call_timers(self) -> None:
        for timer in self._has.timers:
            if timer.handle.is_timer_ready():
                timer.handle.call_timer()
                timer.callback()

    def _take_what_was_said(self, due_ns: int | None) -> None:
        """Take what the nodes of this process have said to each other, in that order.

        Nothing of it needs a wait to be known. Where the deadline has come, the oldest of each
        subscription.
        """
        if due_ns is not None and due_ns <= time.monotonic_ns():
            for inbox in dict.fromkeys(self._said):
                self._said.remove(inbox)
                inbox.take()
            return
        for _ in range(_ROUNDS):
            self._said.popleft().take()
            if not self._said or self._changed \
                    or (due_ns is not None and due_ns <= time.monotonic_ns()):
                return

    def _take_all(self, ready: list[Inbox], next_deadline_ns: Callable[[], int | None]) -> None:
        """Take what waits in some subscriptions."""
        for _ in range(_ROUNDS):
            ready = [inbox for inbox in ready if inbox.take()]
            if not ready:
                return
            due_ns = next_deadline_ns()
            if self._changed or (due_ns is not None and due_ns <= time.monotonic_ns()):
                return

    def _take_batches(self) -> None:
        self._batch_ns = time.monotonic_ns() + BATCH_EVERY_NS
        for subscription in self._has.batched:
            take, kind, raw = (subscription.handle.take_message, subscription.msg_type,
                               subscription.raw)
            for _ in range(_MOST_OF_BATCH):
                taken = take(kind, raw)
                if taken is None:
                    break
                subscription.callback(*taken)

    def _catch_up(self, next_deadline_ns: Callable[[], int | None]) -> None:
        """Give the older messages, too, in the time that is left."""
        while self._older:
            due_ns = next_deadline_ns()
            if due_ns is not None and due_ns <= time.monotonic_ns():
                return
            callback, message = self._older.popleft()
            callback(message)

    def _gather(self) -> None:
        """Build the wait set of what the nodes have now."""
        self._changed = False
        self._wait_set = self._has.gather(self._guard, self.context.handle)
        self._has.listen_within(self._said)

    def _ready(self, kind: str, by_pointer: dict[int, Entity]) -> list[Entity]:
        if not by_pointer:
            return []
        ready = self._wait_set.get_ready_entities(kind)
        return [by_pointer[pointer] for pointer in ready if pointer in by_pointer]
