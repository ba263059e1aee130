"""Listens to a robot for some seconds; nothing is sent to it, but questions for parameters."""

from __future__ import annotations

import os
import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible
from rclpy.topic_endpoint_info import TopicEndpointInfo

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot.contract import Contract, SourceSpec
from realtime_rl.core.robot.facts import Endpoint, Facts, Heard
from realtime_rl.core.robot.observing import Observer
from realtime_rl.core.robot.sources import Picture
from realtime_rl.ros import transport
from realtime_rl.ros.listening import listening, parameters, spin, topics_of
from realtime_rl.ros.messages import to_ns
from realtime_rl.ros.presence import name_of
from realtime_rl.ros.robot_images import PictureReader
from realtime_rl.ros.robot_topics import COMMANDS, Show, listen_to_sources, sensor_qos

_FIND_S = 5.0
"""In which nodes are found, also where an announcement was lost."""
_SPEAK_S = 2.0
"""In which those that were found are heard."""
_UNBOUNDED_NS = 2_000_000_000_000_000_000
"""63 years: no bound, however the middleware writes it (2^31 s, or 2^63 ns)."""


class Listener:
    """Hears a contract's sources as the robot node would, and keeps what `Facts` tell of them."""

    def __init__(self, node: Node, contract: Contract) -> None:
        """Subscribe to them; `ConfigError` where a type is not installed."""
        self._observer = Observer(contract)
        self.contract = contract
        self.heard = {spec.name: Heard() for spec in contract.sources}
        self.positions: dict[str, float] = {}
        """Of commanded elements, where they were last known."""
        listen_to_sources(node, contract, self._offer, self._show)

    @property
    def missing(self) -> dict[str, str]:
        """What was not said, in words, by source."""
        return self._observer.missing()

    @property
    def all_spoke(self) -> bool:
        """Whether something came from each source."""
        return all(heard.received_ns for heard in self.heard.values())

    def tick(self, now_ns: int) -> None:
        """Note what a tick would show."""
        observed = self._observer.observe(now_ns)
        self.positions.update(observed.positions)
        for spec, age, repeated in zip(self.contract.sources, observed.ages, observed.repeated,
                                       strict=True):
            heard = self.heard[spec.name]
            heard.repeated = repeated
            heard.note(self._observer.scaled(spec.name, now_ns), age)

    def _offer(self, name: str, message: Any, received_ns: int, ros_ns: int,  # noqa: ANN401
               picture: Picture | None) -> None:
        heard = self.heard[name]
        heard.received_ns.append(received_ns)
        names = getattr(message, "name", None)
        if names is not None:
            heard.names.add(tuple(names))
        try:
            if hasattr(message, "header"):
                heard.behind_ns.append(ros_ns - to_ns(message.header.stamp))
            if isinstance(picture, _Refusal):
                raise WireError(picture.why)
            self._observer.offer(name, message, received_ns, ros_ns, picture)
        except WireError as error:
            heard.refuse(str(error))
        else:
            heard.picture = picture

    def _show(self, spec: SourceSpec) -> Show:
        assert spec.image is not None
        read = PictureReader(spec.image).read

        def show(message: Any) -> Any:  # noqa: ANN401
            try:
                return read(message)
            except WireError as error:
                return _Refusal(str(error))

        return show


class _Refusal:
    """Stands for a picture that was refused, so that its message is counted all the same."""

    def __init__(self, why: str) -> None:
        self.why = why


def hear(contract: Contract, seconds: float, namespace: str = "", *, sim_time: bool = False
         ) -> Facts:
    """Listen to a contract's robot for a time; `ConfigError` where ROS or a type is not there."""
    with listening(namespace, sim_time=sim_time) as (node, executor):
        spin(executor, _FIND_S, lambda: _all_found(node, contract))
        listener = Listener(node, contract)
        spin(executor, _SPEAK_S, lambda: listener.all_spoke)
        began_ns = time.monotonic_ns()
        listener.tick(began_ns)
        for tick in range(1, max(2, round(seconds * 1e9) // contract.period_ns)):
            due_ns = began_ns + tick * contract.period_ns
            spin(executor, (due_ns - time.monotonic_ns()) / 1e9)
            listener.tick(due_ns)
        publishers, subscribers = _ends(node, contract)
        listeners = {each.node for endpoints in subscribers.values() for each in endpoints}
        said, mute = parameters(node, executor, listeners)
        return Facts(seconds, transport.reach(os.environ), node.get_namespace(),
                     *topics_of(node), publishers, subscribers, listener.heard, listener.missing,
                     listener.positions, said, mute)


def _all_found(node: Node, contract: Contract) -> bool:
    return (all(node.count_publishers(spec.config.topic) for spec in contract.sources)
            and all(map(node.count_publishers, other_topics(contract)))
            and all(node.count_subscribers(group.config.topic) for group in contract.actions))


def _ends(node: Node, contract: Contract) -> tuple[dict[str, tuple[Endpoint, ...]],
                                                   dict[str, tuple[Endpoint, ...]]]:
    """Return who publishes on each topic of a contract, and who listens to its commands."""
    listened = {**dict.fromkeys(other_topics(contract), sensor_qos()),
                **{spec.config.topic: sensor_qos(reliable=spec.config.reliability == "reliable")
                   for spec in contract.sources}}
    commands = tuple(group.config.topic for group in contract.actions)
    subscribers = {topic: tuple(endpoint(info, info.qos_profile, COMMANDS)
                                for info in node.get_subscriptions_info_by_topic(topic))
                   for topic in commands}
    publishers = {topic: tuple(endpoint(info, profile, info.qos_profile)
                               for info in node.get_publishers_info_by_topic(topic))
                  for topic, profile in {**dict.fromkeys(commands, COMMANDS), **listened}.items()}
    return publishers, subscribers


def other_topics(contract: Contract) -> dict[str, str]:
    """Return the topics that a contract listens to besides its sources, and their types."""
    found = {contract.estop.topic: "std_msgs/msg/Bool",
             contract.deadman.topic: "sensor_msgs/msg/Joy",
             contract.episode.topic: "std_msgs/msg/Bool",
             **{reward.topic: reward.type for reward in contract.rewards.values()}}
    return {topic: kind for topic, kind in found.items() if topic}


def endpoint(info: TopicEndpointInfo, listens: QoSProfile, offers: QoSProfile) -> Endpoint:
    """Say who is at one end of a topic, and whether what is listened for is what is offered."""
    compatibility, reason = qos_check_compatible(_bounded(offers), _bounded(listens))
    reliable = info.qos_profile.reliability is ReliabilityPolicy.RELIABLE
    bad = compatibility == QoSCompatibility.ERROR
    return Endpoint(name_of(info).strip("'"), info.topic_type,
                    "reliable" if reliable else "best_effort",
                    reason.replace("ERROR: ", "").strip("; ") if bad else "")


def _bounded(profile: QoSProfile) -> QoSProfile:
    """Return a profile in which times without a bound, as the graph tells them, are not given."""
    times = {name: value for name in ("deadline", "liveliness_lease_duration")
             if (value := getattr(profile, name)).nanoseconds < _UNBOUNDED_NS}
    return QoSProfile(depth=1, reliability=profile.reliability, durability=profile.durability,
                      liveliness=profile.liveliness, **times)


