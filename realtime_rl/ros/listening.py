"""A node that only listens and asks: which topics there are, and what nodes say of themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import rclpy
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.topic_endpoint_info import TopicEndpointInfo

from realtime_rl.ros import environment
from realtime_rl.ros.spinning import NodeExecutor, executor_of

_NAME = "robot_check"
_ANSWER_S = 5.0
"""In which a node says its parameters, also one that has much to do."""
_LOOK_EVERY_NS = 50_000_000
PARAMETERS = ("joints", "interface_name", "cmd_vel_timeout")
"""Of ros2_control's controllers: the order of their joints, what they take, when they brake."""


@contextmanager
def listening(namespace: str = "", *, sim_time: bool = False
              ) -> Iterator[tuple[Node, NodeExecutor]]:
    """Make a node that only listens, and what runs it; `sim_time`: ROS's clock is `/clock`."""
    environment.adopt()
    context = rclpy.Context()
    rclpy.init(args=[], context=context, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    node = rclpy.create_node(_NAME, namespace=namespace or None, context=context,
                             enable_rosout=False, start_parameter_services=False,
                             parameter_overrides=[Parameter("use_sim_time", value=sim_time)])
    node.get_logger().set_level(rclpy.logging.LoggingSeverity.ERROR)  # refusals are counted here
    executor = executor_of(node)
    try:
        yield node, executor
    finally:
        executor.remove_node(node)
        executor.shutdown(timeout_sec=0.0)
        node.destroy_node()
        rclpy.shutdown(context=context)


def spin(executor: NodeExecutor, seconds: float, enough: Callable[[], bool] = lambda: False
         ) -> None:
    """Run a node's callbacks for a time, or until it is enough."""
    until_ns = time.monotonic_ns() + round(seconds * 1e9)
    while time.monotonic_ns() < until_ns and not enough():
        executor.run_once(lambda: min(until_ns, time.monotonic_ns() + _LOOK_EVERY_NS))


def topics_of(node: Node) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the topics that others publish, and those that others listen to: their types."""
    published: dict[str, list[str]] = {}
    taken: dict[str, list[str]] = {}
    for topic, _ in node.get_topic_names_and_types():
        for found, infos in ((published, node.get_publishers_info_by_topic(topic)),
                             (taken, node.get_subscriptions_info_by_topic(topic))):
            kinds = {info.topic_type for info in infos if not _is_own(info, node)}
            if kinds:
                found[topic] = sorted(kinds)
    return published, taken


def _is_own(info: TopicEndpointInfo, node: Node) -> bool:
    return (info.node_name, info.node_namespace) == (node.get_name(), node.get_namespace())


def parameters(node: Node, executor: NodeExecutor, names: Iterable[str]
               ) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Return those of `PARAMETERS` that each node has, and who was asked and did not answer."""
    services = {name for name, _ in node.get_service_names_and_types()}
    asked = {}
    for name in sorted(names):
        service = f"{name}/get_parameters"
        if service in services:
            client = node.create_client(GetParameters, service)
            spin(executor, _ANSWER_S, client.service_is_ready)
            for key in PARAMETERS:  # of several, one that is unknown would take all
                asked[name, key] = client.call_async(GetParameters.Request(names=[key]))
    spin(executor, _ANSWER_S, lambda: all(future.done() for future in asked.values()))
    found: dict[str, dict[str, object]] = {}
    for (name, key), future in asked.items():
        for each in future.result().values if future.done() and future.result() else ():
            value = parameter_value_to_python(each)
            if value is not None:
                found.setdefault(name, {})[key] = value
    return found, sorted({name for (name, _), future in asked.items() if not future.done()})
