"""Every topic and service of the graph in words: the documentation's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, relative to the graph's namespace unless it begins with `/`."""

    name: str
    types: tuple[str, ...]
    publisher: str
    qos: str
    what: str

    @property
    def kept(self) -> bool:
        """Whether those who come late are given what was sent before."""
        return "transient local" in self.qos

    @property
    def ours(self) -> bool:
        """Whether a node of the graph publishes it, with this QoS."""
        return self.publisher not in (_DRIVER, _ROBOT, _GIVER)


RECORDED_DEPTH = 2000
"""Messages that may wait while the disk is slow, and that a late recorder is given."""
SCALARS = "sensor_msgs/msg/JointState"
_DRIVER = "a gamepad driver"
_ROBOT = "the robot"
_GIVER = "whoever gives goals"
_RELIABLE = "reliable, depth 1000"
_KEPT = "reliable, transient local, depth 1000"
_LATCHED = "reliable, transient local"

TOPICS = (
    Topic("observation", ("sensor_msgs/msg/Image", SCALARS), "plant", _RELIABLE,
          "the state after each tick: an image (mono8, rgb8) or a vector, of several parts each "
          "on `observation/PART`; `header.stamp` is the tick's identity, `header.frame_id` says "
          "`plant`, `tick`, `first`"),
    Topic("timestep", (SCALARS,), "plant", _KEPT,
          "named scalars, one a tick: reward, episode, lateness, and the command that was latched"),
    Topic("action", ("sensor_msgs/msg/Joy",), "inference", "reliable, depth 1 a process",
          "`buttons: [index]` or `axes`; stamp of the observation it answers; `header.frame_id` "
          "says `tick`, `due`, `worker`, `version`, `generation`"),
    Topic("command", ("sensor_msgs/msg/Joy", "geometry_msgs/msg/TwistStamped",
                      "trajectory_msgs/msg/JointTrajectory", SCALARS,
                      "std_msgs/msg/Float64MultiArray"), "actuator", "reliable, depth 1",
          "what the plant is to do next, in its own type, stamped when it is sent; as a gamepad "
          "driver sends it for emulators, and `header.frame_id` then says on whose behalf; for "
          "robots `header.frame_id` is the parameter `command_frame`"),
    Topic("origin", (SCALARS,), "actuator", "reliable, depth 16",
          "named scalars, one a command to a robot, just before it: on whose behalf it is sent"),
    Topic("plan", ("sensor_msgs/msg/Joy",), "actuator", "reliable, depth 16",
          "`chunk_merge: prefix` only, one a chunk that is taken up: its rows from then on, as on "
          "`action`; `header.frame_id` says `tick`, `version`, `first` (that the first row is "
          "for), `final` (the last one whose row is settled); `tick=-1`: nothing is promised"),
    Topic("verdict", (SCALARS,), "actuator", _KEPT,
          "named scalars, one for each received action and each default: its fate"),
    Topic("inference", (SCALARS,), "inference", _KEPT,
          "named scalars, one a slot, also for a missed one"),
    Topic("schedule", (SCALARS,), "coordinator", _LATCHED, "named scalars, one a generation"),
    Topic("learning", (SCALARS,), "learner", _RELIABLE, "named scalars, once a second"),
    Topic("policy", ("std_msgs/msg/String",), "learner", _LATCHED,
          "the newest policy: `file:///…/policy-000017.onnx#sha256=…`"),
    Topic("goal", ("std_msgs/msg/Float64MultiArray",), _GIVER, _LATCHED,
          "the newest goal of a policy that takes one: as many values as its input has"),
    Topic("operator", ("sensor_msgs/msg/Joy",), _DRIVER, "reliable, depth 1",
          "a person's input; takes over while it is given"),
    Topic("robot", (SCALARS,), "robot", _KEPT,
          "named scalars, one a tick: what the robot was sent and why, its positions, the ages of "
          "its sources"),
    Topic("contract", ("std_msgs/msg/String",), "robot", _LATCHED, "the robot's contract, as YAML"),
    Topic("/diagnostics", ("diagnostic_msgs/msg/DiagnosticArray",), "monitor",
          "reliable, depth 10", "live figures, once a second"),
)

SERVICES = (
    Topic("stop", ("std_srvs/srv/SetBool",), "actuator", "",
          "`true` holds the safe command until `false`"),
    Topic("reset", ("std_srvs/srv/Trigger",), "plant", "", "the next tick starts an episode"),
    Topic("start", ("std_srvs/srv/Trigger",), "robot", "",
          "policies may act, where `start.require_service` is set"),
    Topic("release", ("std_srvs/srv/Trigger",), "robot", "",
          "ends a stop of the robot's own, as of an emergency stop, once its cause is gone"),
    Topic("end_episode", ("std_srvs/srv/SetBool",), "robot", "",
          "ends the episode: `true` with success, for good; `false`: it is cut off"),
)
_OF_ROBOTS = ("robot", "contract")


def recorded(*, observations: bool, parts: Sequence[str] = (), robot: Sequence[str] = ()
             ) -> list[Topic]:
    """Return what a bag of a graph holds; `/diagnostics`, that all graphs share, is not its own.

    Args:
        observations: whether they are recorded.
        parts: their names, where there are several.
        robot: the robot's own topics, each as `/name=package/msg/Type`.
    """
    seen, *rest = (topic for topic in TOPICS if not topic.name.startswith("/")
                   and (robot or topic.name not in _OF_ROBOTS))
    of_parts = [replace(seen, name=f"{seen.name}/{part}") for part in parts] or [seen]
    own = [Topic(name, (kind,), _ROBOT, "", "of the robot's own")
           for name, _, kind in (word.partition("=") for word in robot)]
    return [*(of_parts if observations else ()), *rest, *own]
