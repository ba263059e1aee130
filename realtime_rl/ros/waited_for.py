"""What the nodes of an executor wait for: a wait set is built once, and filled for each wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any

from rclpy.event_handler import QoSPublisherEventType, QoSSubscriptionEventType
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.waitable import Waitable

from realtime_rl.ros.inbox import Inbox
from realtime_rl.ros.publishing import TellingPublisher
from realtime_rl.ros.spinning import is_batched

_WARNINGS = (QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS,
             QoSSubscriptionEventType.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE,
             QoSPublisherEventType.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS,
             QoSPublisherEventType.RCL_PUBLISHER_INCOMPATIBLE_TYPE)
"""Events of every subscription and publisher, which a busy node looks at once a second: they are
most of what a wait costs."""
_WARN_EVERY_NS = 1_000_000_000
_SERVE_EVERY_NS = 20_000_000
"""Waits that are so long, and one as often, are for services of ROS itself, too: parameters above
all. They are most of what a wait costs."""
_OF_ROS = ("rcl_interfaces", "lifecycle_msgs", "type_description_interfaces")


class WaitedFor:
    """What some nodes have, by how it is waited for."""

    def __init__(self, nodes: Iterable[Node],
                 older: deque[tuple[Callable[[Any], object], Any]]) -> None:
        """Begin with nothing; `older` as an `Inbox` has it."""
        self._of = nodes
        self._older = older
        self._held = ExitStack()
        self._served_ns = self._warned_ns = 0

    def gather(self, guard: GuardCondition, context: Any) -> Any:  # noqa: ANN401 - of rclpy's
        """Return the wait set of what the nodes have now, with a guard of the executor's own.

        Their timers are not among it: rcl would wait for them, by the system clock.
        """
        self.close()
        self.timers, self._waitables = _all(self._of, "timers"), _all(self._of, "waitables")
        self._urgent = [one for one in self._waitables
                        if getattr(one, "event_type", None) not in _WARNINGS]
        listening, own_guards = _all(self._of, "subscriptions"), _all(self._of, "guards")
        self.batched = [one for one in listening if is_batched(one.callback)]
        subscriptions = [one for one in listening if not is_batched(one.callback)]
        self.inboxes = {one.handle.pointer: Inbox(one, self._older) for one in subscriptions}
        self.guards = {one.handle.pointer: one for one in own_guards}
        clients, services = _all(self._of, "clients"), _all(self._of, "services")
        self.services = {one.handle.pointer: one for one in services}
        self.clients = {one.handle.pointer: one for one in clients}
        seldom = [one for one in services if one.srv_type.__module__.startswith(_OF_ROS)]
        prompt = [one for one in services if one not in seldom]
        self._held.enter_context(context)
        guards = [*own_guards, guard]
        wait_set = rclpy_implementation.WaitSet(
            len(subscriptions), len(guards), 0, len(clients), len(services),
            sum(waitable.get_num_entities().num_events for waitable in self._waitables),
            context)
        self._adders = [
            (add, entity.handle) for add, entities in (
                (wait_set.add_subscription, subscriptions),
                (wait_set.add_guard_condition, guards), (wait_set.add_service, prompt))
            for entity in entities]
        self._seldom = [*((wait_set.add_client, one.handle) for one in clients),
                        *((wait_set.add_service, one.handle) for one in seldom)]
        for held in (*(handle for _, handle in (*self._adders, *self._seldom)),
                     *(one.handle for one in self.batched),
                     *(timer.handle for timer in self.timers), *self._waitables):
            self._held.enter_context(held)
        return wait_set

    def listen_within(self, said: deque[Inbox]) -> None:
        """Have the publishers of this process put in `said` for whom of it they have something."""
        said.clear()  # what is not taken yet is found by the next wait
        for publisher in _all(self._of, "publishers"):
            if isinstance(publisher, TellingPublisher):
                publisher.told = partial(said.extend, [
                    inbox for inbox in self.inboxes.values()
                    if inbox.topic == publisher.topic_name])

    def close(self) -> None:
        """Let go of the nodes' entities."""
        self._held.close()

    def fill(self, wait_set: Any, due_ns: int | None) -> list[Waitable]:  # noqa: ANN401
        """Say what to wait for; return the waitables among it."""
        wait_set.clear_entities()
        for add, handle in self._adders:
            add(handle)
        now_ns = time.monotonic_ns()
        if due_ns is None or max(due_ns - now_ns, now_ns - self._served_ns) > _SERVE_EVERY_NS:
            self._served_ns = now_ns
            for add, handle in self._seldom:
                add(handle)
        waitables = self._urgent
        if due_ns is None or now_ns - self._warned_ns > _WARN_EVERY_NS:
            self._warned_ns, waitables = now_ns, self._waitables
        for waitable in waitables:
            waitable.add_to_wait_set(wait_set)
        return waitables


def _all(nodes: Iterable[Node], kind: str) -> list[Any]:
    """Return what some nodes have of a kind, such as `timers`."""
    return [entity for node in nodes for entity in getattr(node, kind)]
