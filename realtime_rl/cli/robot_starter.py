"""A contract to begin with, of what was found of a robot: what a person must say is left open."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot.contract_parameters import OPEN
from realtime_rl.core.robot.facts import Survey, Taken, Told
from realtime_rl.core.robot.message_types import SOURCES

_PERIOD_S = 0.02
_AGES = 3
"""Times its interval, after which a source is stale."""
_LEAST_AGE_S = 0.02
_RAYS = 36
_PICTURE = (224, 224)
_EMPTY_WORDS = {"image", "image_raw", "image_rect", "compressed", "raw", "color", "camera",
                "command", "commands"}
"""In the names of topics; they say nothing of what is on them."""
_FLOATS = "std_msgs/msg/Float64MultiArray"

_FIELDS: Mapping[str, Callable[[Told], Sequence[str]]] = {
    "sensor_msgs/msg/JointState": lambda told: [
        f"{array}.{name}" for array in ("position", "velocity") if getattr(told.message, array)
        for name in told.names],
    "sensor_msgs/msg/Imu": lambda _: [*(f"angular_velocity.{axis}" for axis in "xyz"),
                                      "orientation@gravity"],
    "nav_msgs/msg/Odometry": lambda _: [
        "pose.pose.position.x", "pose.pose.position.y", "pose.pose.orientation@rot6d",
        "twist.twist.linear.x", "twist.twist.angular.z"],
    "sensor_msgs/msg/LaserScan": lambda told: [_rays(len(told.message.ranges))],
    "geometry_msgs/msg/PointStamped": lambda _: [f"point.{axis}" for axis in "xyz"],
    "geometry_msgs/msg/PoseStamped": lambda _: [*(f"pose.position.{axis}" for axis in "xyz"),
                                                "pose.orientation@rot6d"],
    "std_msgs/msg/Float32MultiArray": lambda told: [f"data[0:{len(told.message.data)}]"],
    _FLOATS: lambda told: [f"data[0:{len(told.message.data)}]"],
}
"""What a policy is likely to want of each type; of others a person says it."""
_COMMANDS = ("geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped", _FLOATS,
             "trajectory_msgs/msg/JointTrajectory", "sensor_msgs/msg/JointState")


def _rays(count: int) -> str:
    return f"ranges[0:{count}:{max(1, count // _RAYS)}]"


def write(survey: Survey) -> str:
    """Return the contract's text; `ConfigError` where there is nothing to write of."""
    shown = {name: told for told in _observed(survey.told) for name in [_name(told.topic)]}
    taken = {_name(each.topic): each for each in survey.taken if each.type in _COMMANDS}
    if not shown and not taken:
        raise ConfigError(f"no topic of a type that contracts know; looked from {survey.reach}; "
                          "known: " + ", ".join(sorted(SOURCES)))
    return "\n".join((*_head(), *_sources(shown), *_actions(taken), *_limits(taken),
                      *_rest(survey, shown, taken), ""))


def _observed(told: Sequence[Told]) -> Iterator[Told]:
    """Sources that spoke and of which something is known; of a camera the smaller messages."""
    topics = {each.topic for each in told}
    for each in told:
        known = each.type in _FIELDS or SOURCES[each.type].is_image
        if each.message is not None and known and f"{each.topic}/compressed" not in topics:
            yield each


def _name(topic: str) -> str:
    """Return a name for what is on a topic, as a part of an observation may have it."""
    words = [word for word in topic.split("/") if word]
    kept = [word.removesuffix("_controller") for word in words
            if word not in _EMPTY_WORDS] or words
    name = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(kept)).strip("_")
    return name if name[:1].isalpha() else f"of_{name}"


def _head() -> Iterator[str]:
    yield f"# A robot's contract, begun by `realtime-rl robot init`. Where {OPEN} stands, only you"
    yield "# can say what is right; until then it is refused. Read the rest, too: it is a guess."
    yield "# Then: realtime-rl robot check THIS_FILE"
    yield "robot:"
    yield "  ros__parameters:"
    yield f"    period: {_PERIOD_S}  # s; so often a policy acts"


def _sources(shown: Mapping[str, Told]) -> Iterator[str]:
    pictures = [name for name, told in shown.items() if SOURCES[told.type].is_image]
    numbers = [name for name in shown if name not in pictures]
    parts = {**({"state": numbers} if numbers else {}), **{name: [name] for name in pictures}}
    yield f"    observations: {_list(parts) if parts else f'[{OPEN}]'}"
    yield "    observation:"
    for part, names in (parts or {"state": [OPEN]}).items():
        yield f"      {part}: {{sources: {_list(names)}}}"
    yield "    source:"
    for name, told in shown.items():
        yield f"      {name}:"
        yield from (f"        {line}" for line in _source(told))


def _source(told: Told) -> Iterator[str]:
    yield f"topic: {told.topic}"
    yield f"type: {told.type}"
    if SOURCES[told.type].is_image:
        yield (f"image: {{encoding: rgb8, width: {_PICTURE[0]}, height: {_PICTURE[1]}, "
               f"resize: letterbox}}{_size(told.message)}")
    else:
        yield f"fields: {_list(_FIELDS[told.type](told))}"
        yield from _range(told)
    rate = f"  # s; it comes at {1 / told.every_s:.1f} Hz" if told.every_s else ""
    yield f"max_age: {_age(told) or OPEN}{rate}"
    yield "on_stale: stop  # or default, mask"
    stamp = getattr(getattr(told.message, "header", None), "stamp", None)
    if stamp is not None and not (stamp.sec or stamp.nanosec):
        yield "stamps: received  # its own are 0"


def _range(told: Told) -> Iterator[str]:
    if told.type == "sensor_msgs/msg/LaserScan":
        most = float(told.message.range_max)
        yield f"inf: {most:g}  # m: nothing was met; after scaling, 0 to 1"
        if any(map(math.isnan, told.message.ranges)):
            yield f"nan: {most:g}  # m: some rays are no number; or what they mean to this scanner"
        yield f"scale: [{1 / most:.6g}]" if most > 0 else f"scale: [{OPEN}]"
        yield "low: 0.0"
        yield "high: 1.0"
    else:
        yield "low: -10.0  # of (field - offset) * scale; what is beyond is clamped"
        yield "high: 10.0"


def _age(told: Told) -> float:
    """Return some intervals, rounded up to two digits [s]; 0 where no interval is known."""
    if not told.every_s:
        return 0.0
    age = max(_AGES * told.every_s, _LEAST_AGE_S)
    digit = 10.0 ** (math.floor(math.log10(age)) - 1)
    return round(math.ceil(age / digit - 1e-9) * digit, 6)


def _size(message: Any) -> str:  # noqa: ANN401 - an Image or a CompressedImage
    return f"  # it sends {message.width}×{message.height}" if hasattr(message, "width") else ""


def _actions(taken: Mapping[str, Taken]) -> Iterator[str]:
    yield f"    actions: {_list(taken) if taken else f'[{OPEN}]'}"
    yield "    action:"
    for name, each in taken.items():
        mode = _mode(each)
        yield f"      {name}:  # taken by {each.node}"
        yield f"        topic: {each.topic}"
        yield f"        type: {each.type}"
        yield f"        names: {_list(_names(each) or [OPEN])}  # in its order"
        yield f"        mode: {mode}  # position, velocity, effort or delta"
        if mode in ("velocity", "effort"):
            timeout = each.parameters.get("cmd_vel_timeout", OPEN)
            yield f"        timeout: {timeout}  # s; it stops so long after a command"


def _names(taken: Taken) -> list[str]:
    if taken.type.startswith("geometry_msgs"):
        return ["vx", "wz"]
    joints = taken.parameters.get("joints")
    return [str(joint) for joint in joints] if isinstance(joints, list | tuple) else []


def _mode(taken: Taken) -> str:
    if taken.type.startswith("geometry_msgs"):
        return "velocity"
    said = str(taken.parameters.get("interface_name", taken.topic))
    found = [mode for mode in ("position", "velocity", "effort") if mode in said]
    return found[0] if len(found) == 1 else OPEN


def _limits(taken: Mapping[str, Taken]) -> Iterator[str]:
    yield "    limits:"
    yield "      policy: clamp  # or scale, reject"
    for each in taken.values():
        keys = {"position": ("min_position", "max_position", "max_velocity"),
                "velocity": ("max_velocity", "max_acceleration"),
                "effort": ("max_effort",)}.get(_mode(each), ("min_position", "max_position",
                                                             "max_velocity"))
        for name in _names(each) or [f"NAME_IN_{_name(each.topic)}"]:
            yield f"      {name}: {{{', '.join(f'{key}: {OPEN}' for key in keys)}}}"
    yield (f"    start: {{require_service: true, ramp: 3.0, max_first_step: "
           f"{OPEN if any(_mode(each) == 'position' for each in taken.values()) else 0.0}}}")


def _rest(survey: Survey, shown: Mapping[str, Told], taken: Mapping[str, Taken]) -> Iterator[str]:
    """What else there is, for a person to choose from."""
    used = {told.topic for told in shown.values()} | {each.topic for each in taken.values()}
    others = [f"{each.topic}, {each.type}" + ("" if each.message is not None else ", silent")
              for each in survey.told if each.topic not in used]
    listening = [f"{each.topic}, {each.type}, taken by {each.node}" for each in survey.taken
                 if each.topic not in used]
    if others or listening:
        yield "# Also there, perhaps as estop, deadman, reward.NAME, episode or another source:"
        yield from (f"#   {line}" for line in (*others, *listening))


def _list(items: Any) -> str:  # noqa: ANN401 - of strings
    return f"[{', '.join(_quoted(item) for item in items)}]"


def _quoted(item: str) -> str:
    """Write a text that stands in a list of YAML."""
    return item if re.fullmatch(r"[A-Za-z_][\w./@]*", item) else f"'{item}'"
