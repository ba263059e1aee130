"""An executor that builds its wait set once, for nodes that are called at every tick.

rclpy's `SingleThreadedExecutor` gathers all entities and builds a wait set, a task and a coroutine
for every callback. Here messages, timers and guard conditions cost a wait and a call; all else
(services, clients, waitables, tasks) is rare and left to rclpy's own code.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TypeVar

from rclpy.executors import SingleThreadedExecutor
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from realtime_rl.ros.guard import admitted, reader

Entity = TypeVar("Entity", Timer, Subscription, GuardCondition)


class TickExecutor(SingleThreadedExecutor):
    """Callbacks of one node, in the thread that spins; none of them may be a coroutine.

    What is added to the node or destroyed meanwhile is noticed, as with every executor.
    """

    def __init__(self, node: Node) -> None:
        """Run the callbacks of `node`."""
        self._changed = True
        self._held = ExitStack()
        super().__init__(context=node.context)
        self._node = node
        self.add_node(node)

    def wake(self) -> None:
        """End a wait. rclpy calls it, too, when the node's entities change."""
        self._changed = True
        super().wake()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for something to do, at most `timeout_sec` [s] or for ever, and do all of it."""
        if self._tasks:
            self._leave_to_rclpy()
        if self._changed:
            self._gather()
        self._fill()
        self._wait_set.wait(-1 if timeout_sec is None else round(timeout_sec * 1e9))
        # all are asked: it is their answer that they keep for later
        rest = any([waitable.is_ready(self._wait_set) for waitable in self._waitables])
        rest |= bool(self._wait_set.get_ready_entities("service")
                     or self._wait_set.get_ready_entities("client"))
        for timer in self._ready("timer", self._timers):
            if timer.handle.is_timer_ready():
                timer.handle.call_timer()
                timer.callback()
        for subscription in self._ready("subscription", self._subscriptions):
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is not None and admitted(subscription.callback, taken):
                reader(subscription.callback)(taken[0])
        for guard in self._ready("guard_condition", self._guards):
            guard.callback()
        if rest:
            self._leave_to_rclpy()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Let go of the node's entities."""
        self._held.close()
        return bool(super().shutdown(timeout_sec))

    def _leave_to_rclpy(self) -> None:
        super().spin_once(timeout_sec=0.0)
        self._cb_iter = None  # it would go on with what was ready now

    def _gather(self) -> None:
        """Build the wait set of what the node has now."""
        self._changed = False
        self._held.close()
        node = self._node
        self._timers, self._subscriptions = list(node.timers), list(node.subscriptions)
        self._guards, self._waitables = list(node.guards), list(node.waitables)
        self._held.enter_context(self._context.handle)
        clients, services = list(node.clients), list(node.services)
        guards = [*self._guards, self._guard]
        self._wait_set = wait_set = rclpy_implementation.WaitSet(
            len(self._subscriptions), len(guards), len(self._timers), len(clients), len(services),
            sum(waitable.get_num_entities().num_events for waitable in self._waitables),
            self._context.handle)
        self._adders = [
            (add, entity.handle) for add, entities in (
                (wait_set.add_subscription, self._subscriptions),
                (wait_set.add_guard_condition, guards), (wait_set.add_timer, self._timers),
                (wait_set.add_client, clients), (wait_set.add_service, services))
            for entity in entities]
        for held in (*(handle for _, handle in self._adders), *self._waitables):
            self._held.enter_context(held)

    def _fill(self) -> None:
        self._wait_set.clear_entities()
        for add, handle in self._adders:
            add(handle)
        for waitable in self._waitables:
            waitable.add_to_wait_set(self._wait_set)

    def _ready(self, kind: str, entities: list[Entity]) -> list[Entity]:
        pointers = self._wait_set.get_ready_entities(kind)
        return [one for one in entities if one.handle.pointer in pointers] if pointers else []
