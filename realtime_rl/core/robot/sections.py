"""What stands in a robot's contract: the keys of each section, with defaults, units and meaning.

A contract is a ROS 2 parameter file; `contract` reads a whole one.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot.contract_choices import Align, Behaviour, Mode, OnEnd, OnStale, Stamps
from realtime_rl.core.settings.config import choice, parameter

_ONE_OR_ALL = "one number for all, or one for each"


@dataclass(frozen=True)
class Robot:
    """`robot`: what stands above the sections."""

    period: float = parameter(0.0, "of a tick", unit="s", low=0.0005, high=60.0)
    name: str = parameter("robot", "of the robot, as the bag and the report say it")
    observations: tuple[str, ...] = parameter((), "parts of the observation, in order")
    actions: tuple[str, ...] = parameter((), "actions, in the order of the policy's values")
    still: str = parameter(
        "", "with `choices`: the one that keeps the robot where it is; empty: the one of zeros")
    gamepad_layout: str = parameter(
        "auto", "as the actuator's; `realtime-rl run` and the launch file fill it in")
    stop_file: str = parameter(
        "", "file that remembers a stop, so that a node that is started again is still stopped; "
        "`realtime-rl run` and the launch file put it beside the policies; empty: "
        "`ROS_HOME/realtime_rl/`, by domain and name of the node", path=True)
    allow_second: bool = parameter(
        False, "tick although another node publishes `timestep`; `realtime-rl run` and the launch "
        "file fill in `scenario.allow_second`")

    def __post_init__(self) -> None:
        """Refuse a robot that shows or does nothing."""
        for name in ("observations", "actions"):
            listed = getattr(self, name)
            if not listed:
                raise ConfigError(f"{name}: empty; list the names of its sections")
            if len(set(listed)) < len(listed):
                raise ConfigError(f"{name}: {listed!r} names one twice")


@dataclass(frozen=True)
class Part:
    """`observation.NAME`: one part of the observation."""

    sources: tuple[str, ...] = parameter((), "sources of its values, joined in this order; a "
                                             "picture is a part of its own")


@dataclass(frozen=True)
class Source:
    """`source.NAME`: a topic that the robot publishes."""

    topic: str = parameter("", "name of the topic")
    type: str = parameter("", "type of its messages, as `sensor_msgs/msg/JointState`")
    fields: tuple[str, ...] = parameter(
        (), "values that are taken, in the policy's order: `position.NAME`, `velocity.NAME`, "
        "`effort.NAME` of a JointState; else a path in the message, as `twist.twist.linear.x`, "
        "`ranges[0:360:10]` or `orientation@gravity` (`rpy`, `rot6d`, `xyzw`)")
    scale: tuple[float, ...] = parameter((), f"value = (field - offset) * scale; {_ONE_OR_ALL}")
    offset: tuple[float, ...] = parameter((), f"see `scale`; {_ONE_OR_ALL}")
    low: float = parameter(-10.0, "least value after scaling: lower ones are clamped")
    high: float = parameter(10.0, "largest value after scaling: higher ones are clamped")
    inf: float = parameter(0.0, "what an infinite field is taken for, before scaling, as of a "
                                "scan that meets nothing; minus infinity, which is too near to be "
                                "measured, is then 0; 0: such a message is refused")
    nan: float = parameter(0.0, "what a field that is no number is taken for, before scaling, as "
                                "of a scanner that says so where nothing came back; never what is "
                                "measured of a commanded element; 0: such a message is refused")
    align: str = choice(Align.HOLD, "which message a tick takes")
    max_age: float = parameter(0.0, "at a tick; older is stale", unit="s", low=0.0, high=3600.0)
    on_stale: str = choice(OnStale.STOP, "what happens when it is stale")
    latency: float = parameter(0.0, "by which its stamps are later than what they say",
                               unit="s", low=0.0, high=60.0)
    stamps: str = choice(Stamps.MESSAGE, "which time a message is of; of types without a header: "
                                         "`received`")
    reliability: str = parameter("best_effort", "QoS that is asked for; `best_effort` fits both",
                                 choices=("best_effort", "reliable"))


@dataclass(frozen=True)
class Image:
    """`source.NAME.image`: how a camera's picture is seen."""

    encoding: str = parameter("rgb8", "`rgb8` or `mono8`", choices=("rgb8", "mono8"))
    width: int = parameter(0, "of the observation", unit="pixels", low=0, high=4096)
    height: int = parameter(0, "of the observation", unit="pixels", low=0, high=4096)
    resize: str = parameter("refuse", "how another size gets this one: `letterbox` keeps the "
                            "aspect with black bars, `crop` keeps it and cuts, `stretch` does not",
                            choices=("refuse", "letterbox", "crop", "stretch"))
    interpolation: str = parameter("area", "of `resize`",
                                   choices=("area", "linear", "nearest", "cubic"))


@dataclass(frozen=True)
class Action:
    """`action.NAME`: a topic on which the robot is commanded."""

    topic: str = parameter("", "name of the topic")
    type: str = parameter("", "type of its messages, as `std_msgs/msg/Float64MultiArray`")
    names: tuple[str, ...] = parameter(
        (), "its elements, in the robot's order: joints; `vx`, `vy`, `vz`, `wx`, `wy`, `wz` of a "
        "twist; `axes[0]`, `buttons[0]` and so on of a Joy")
    mode: str = choice(Mode.POSITION, "what its values are")
    scale: tuple[float, ...] = parameter((), f"command = value * scale + offset; {_ONE_OR_ALL}")
    offset: tuple[float, ...] = parameter((), f"see `scale`; {_ONE_OR_ALL}")
    low: tuple[float, ...] = parameter((), f"least value of the policy; {_ONE_OR_ALL}; empty: what "
                                           "the limits allow")
    high: tuple[float, ...] = parameter((), "largest value of the policy, as `low`")
    default: str = parameter("", "what is sent at a tick without an action; empty: `hold_last` of "
                             "positions, `decelerate` of velocities, `send_nothing` of efforts",
                             choices=("", *Behaviour.words()))
    on_stop: str = parameter("", "what is sent while the robot is stopped; empty: as `default`",
                             choices=("", *Behaviour.words()))
    on_end: str = choice(OnEnd.HOLD, "between two episodes")
    pose: tuple[float, ...] = parameter((), "of `on_end: pose`, an element's value each")
    measured: str = parameter("", "source that says where its elements are, or how fast they move; "
                                  "empty: the only one that can")
    frame: str = parameter("", "`header.frame_id` of the command")
    timeout: float = parameter(0.0, "after which the controller stops by itself when it hears "
                               "nothing; 0: it has none", unit="s", low=0.0, high=60.0)
    unguarded: bool = parameter(False, "velocities or efforts are sent although the controller "
                                       "does not stop when it hears nothing")


@dataclass(frozen=True)
class Limit:
    """`limits.ELEMENT`: what is never exceeded; 0: there is no such limit."""

    min_position: float = parameter(0.0, "of the command", unit="rad or m")
    max_position: float = parameter(0.0, "of the command; not above `min_position`: none",
                                    unit="rad or m")
    max_velocity: float = parameter(0.0, "of the command", unit="rad/s or m/s", low=0.0)
    max_acceleration: float = parameter(0.0, "of the command", unit="rad/s² or m/s²", low=0.0)
    max_step: float = parameter(0.0, "between two commands of positions", unit="rad or m", low=0.0)
    max_effort: float = parameter(0.0, "of the command", unit="N·m or N", low=0.0)

    @property
    def has_positions(self) -> bool:
        """Whether positions are limited."""
        return self.max_position > self.min_position


@dataclass(frozen=True)
class Start:
    """`start`: how the robot comes to move."""

    require_service: bool = parameter(False, "policies act only once the service `start` was "
                                             "called; until then the robot holds")
    ramp: float = parameter(1.0, "from what is held to what the policy asks for", unit="s",
                            low=0.0, high=60.0)
    max_first_step: float = parameter(
        0.0, "the first target of a position may be so far from the measured one; farther ones "
        "are refused; 0: as far as the limits allow", unit="rad or m", low=0.0)
    after_silence: float = parameter(
        0.5, "without a policy's action, from which on the next one begins as the first did",
        unit="s", low=0.0, high=3600.0)


@dataclass(frozen=True)
class Reward:
    """`reward.NAME`: something that is earned; a tick's reward is the sum of them."""

    topic: str = parameter("", "on which it comes; what came since the last tick is summed")
    type: str = parameter("", "of its messages, as `std_msgs/msg/Float64`")
    field: str = parameter("data", "path of the value in a message")
    of: tuple[str, ...] = parameter((), "instead of a topic: elements of the observation, as "
                                        "`state.position.j1`")
    to: tuple[str, ...] = parameter((), "elements, or numbers, from which the distance of `of` is "
                                        "taken; empty: `of` is one element, and its value counts")
    above: float = parameter(float("-1e308"), "earn `value` where it is more than this")
    below: float = parameter(float("1e308"), "earn `value` where it is less than this")
    value: float = parameter(0.0, "earned within `above` and `below`; 0: what it is itself")
    weight: float = parameter(1.0, "what is earned is multiplied by it")
    ends: bool = parameter(False, "an episode ends with success where it earned something")


@dataclass(frozen=True)
class Episode:
    """`episode`: when one ends, and when the next begins."""

    seconds: float = parameter(0.0, "after which it is cut off; 0: never", unit="s", low=0.0)
    topic: str = parameter("", "of Bool: true ends it")
    next: str = parameter("by_itself", "what begins the next one: `by_itself` after `pause`, or "
                          "the service `reset`", choices=("by_itself", "service"))
    pause: float = parameter(1.0, "between two episodes, at least", unit="s", low=0.0)


@dataclass(frozen=True)
class Deadman:
    """`deadman`: a button of a gamepad that a person must hold for the policy to act."""

    topic: str = parameter("", "of Joy; empty: there is none")
    button: int = parameter(-1, "that is held", low=-1, high=64)
    timeout: float = parameter(0.25, "silence is a release", unit="s", low=0.01, high=60.0)


@dataclass(frozen=True)
class Estop:
    """`estop`: an emergency stop that the robot announces. It is no replacement for one."""

    topic: str = parameter("", "of Bool, true: pressed; empty: there is none")
    timeout: float = parameter(0.5, "silence is a stop", unit="s", low=0.01, high=60.0)
