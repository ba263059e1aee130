"""What is looked at just before the nodes start: ROS 2 as it is here, and the policies."""

from __future__ import annotations

import os

from realtime_rl.core.errors import ConfigError, MissingDependencyError
from realtime_rl.ros import environment, graph
from realtime_rl.runner.policy_trial import tried
from realtime_rl.runner.prepare import Prepared


def check_last(prepared: Prepared) -> list[str]:
    """Return what is to be said of ROS 2 as it is here, just before the nodes start.

    `PolicyError` where one could not use its policy; `ConfigError` as `refuse_second`.
    """
    with tried(prepared.nodes):
        return refuse_second(prepared)


def refuse_second(prepared: Prepared) -> list[str]:
    """Return what is to be said of ROS 2 as it is here.

    `ConfigError` where another graph has this one's topics already, unless that is allowed. Takes
    a second: nobody is heard of at once.
    """
    try:
        from realtime_rl.ros import presence, spinning
    except ImportError as error:
        raise MissingDependencyError("rclpy", "ros", error) from error
    if prepared.scenario.allow_second:
        return spinning.warnings()
    for topic, node in presence.publishers(graph.own_topics(prepared.nodes)).items():
        domain = os.environ.get(environment.DOMAIN) or "0"
        raise ConfigError(
            f"another graph is running: {node} publishes '{topic}' in ROS domain {domain}; end "
            f"it, or take another scenario.namespace or {environment.DOMAIN}; "
            "scenario.allow_second=true starts beside it")
    return spinning.warnings()
