"""What `TickExecutor` uses of rclpy that rclpy promises to nobody, and whether it is there."""

from __future__ import annotations

import importlib

from rclpy.executors import Executor
from rclpy.subscription import Subscription

_SINGLETON = "rclpy.impl.implementation_singleton"
_USED = {
    f"{_SINGLETON}:rclpy_implementation.WaitSet": (
        "wait", "clear_entities", "add_subscription", "add_guard_condition", "add_client",
        "add_service", "get_ready_entities"),
    f"{_SINGLETON}:rclpy_implementation.Subscription": ("take_message", "pointer"),
    f"{_SINGLETON}:rclpy_implementation.GuardCondition": ("pointer",),
    f"{_SINGLETON}:rclpy_implementation.Service": ("pointer", "service_take_request"),
    f"{_SINGLETON}:rclpy_implementation.Client": ("pointer", "take_response"),
    "rclpy.client:Client": ("get_pending_request",),
    f"{_SINGLETON}:rclpy_implementation.Timer": (
        "time_until_next_call", "is_timer_ready", "call_timer"),
    "rclpy.event_handler:QoSSubscriptionEventType": (
        "RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS", "RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE"),
    "rclpy.event_handler:QoSPublisherEventType": (
        "RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS", "RCL_PUBLISHER_INCOMPATIBLE_TYPE"),
    "rclpy.node:Node": ("subscriptions", "guards", "timers", "clients", "services", "waitables"),
    "rclpy.waitable:Waitable": (
        "is_ready", "add_to_wait_set", "get_num_entities", "take_data", "execute")}
_SET_AT_THE_START: dict[type, tuple[str, ...]] = {
    Executor: ("_tasks", "_guard", "_cb_iter"), Subscription: ("msg_type", "raw", "callback")}


def absent() -> tuple[str, ...]:
    """Return what this rclpy lacks, by name; empty where all is there."""
    return (*(f"{place.partition(':')[2]}.{name}" for place, attributes in _USED.items()
              for name in attributes if not _is_there(place, name)),
            *(f"{kind.__name__}.{name}" for kind, attributes in _SET_AT_THE_START.items()
              for name in attributes if not _is_set(kind, name)))


def _is_there(place: str, name: str) -> bool:
    module, _, path = place.partition(":")
    try:
        found: object = importlib.import_module(module)
    except ImportError:
        return False
    for part in (*path.split("."), name):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def _is_set(kind: type, name: str) -> bool:
    """Whether an instance has an attribute, without making one."""
    code = getattr(vars(kind).get("__init__"), "__code__", None)
    return hasattr(kind, name) or (code is not None and name in code.co_names)
