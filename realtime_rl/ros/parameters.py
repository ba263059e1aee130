"""A configuration dataclass as the parameters of a ROS node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Generic, TypeVar, cast

import yaml
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.settings.config import Parameter, build, parameters, values_of
from realtime_rl.ros.user_paths import build_with_user_paths

Config = TypeVar("Config")
_TYPES = {"bool": RosParameter.Type.BOOL, "integer": RosParameter.Type.INTEGER,
          "double": RosParameter.Type.DOUBLE, "string": RosParameter.Type.STRING,
          "string array": RosParameter.Type.STRING_ARRAY,
          "integer array": RosParameter.Type.INTEGER_ARRAY}

class NodeParameters(Generic[Config]):
    """Declares a node's parameters, keeps `current` in step, refuses what is not allowed.

    Refusing happens before anything changes (on-set, without side effects); `on_change` is
    called after a set went through. What may not be changed may still be set to what it is, as
    `ros2 param load` does with a node's own `dump`.
    """

    def __init__(self, node: Node, config: type[Config],
                 on_change: Callable[[Config], None] | None = None) -> None:
        """Declare the parameters of `config`; `ConfigError` when a given value is not allowed."""
        self._config = config
        self._known = parameters(config)
        self._on_change = on_change
        self.current = build_with_user_paths(config, {item.name: _declare(node, item)
                                                      for item in self._known.values()})
        allow_what_is(node)
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._apply)

    def _check(self, changes: Sequence[RosParameter]) -> SetParametersResult:
        """Say whether the changes are allowed, all of them together."""
        values: dict[str, object] = dict(values_of(self.current))
        for change in changes:
            if change.name in self._known:
                values[change.name] = _plain(change.value)
        try:
            build(self._config, values)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, changes: Sequence[RosParameter]) -> None:
        values: dict[str, object] = dict(values_of(self.current))
        values.update({c.name: _plain(c.value) for c in changes if c.name in self._known})
        self.current = build(self._config, values)
        if self._on_change is not None:
            self._on_change(self.current)


def _plain(value: object) -> object:
    """ROS gives arrays as `array.array`, our configurations hold tuples."""
    if isinstance(value, bool | int | float | str):
        return value
    return tuple(cast(Iterable[object], value))


def allow_what_is(node: Node) -> None:
    """Let parameters of a node that cannot be changed be set to what they are."""
    node.set_parameters_atomically = partial(_set_atomically, node, node.set_parameters_atomically)


def _set_atomically(node: Node, set_rest: Callable[[list[RosParameter]], SetParametersResult],
                    changes: Sequence[RosParameter]) -> SetParametersResult:
    """Set parameters of a node, but for those that are so already and could not be set again."""
    rest = [change for change in changes if not _is_so(node, change)]
    return set_rest(rest) if rest or not changes else SetParametersResult(successful=True)


def _is_so(node: Node, change: RosParameter) -> bool:
    """Whether `change` says what is, in a way that rclpy refuses.

    `ros2 param load` guesses types: it takes the text `1` for a number, and no strings at all for
    no booleans.
    """
    if not node.has_parameter(change.name):
        return False
    now = node.get_parameter(change.name)
    if not node.describe_parameter(change.name).read_only and change.type_ is now.type_:
        return False
    value = _plain(now.value)
    return change.value is not None and _plain(change.value) in (value, _as_loaded(_ros(value)))


def _as_loaded(value: object) -> object:
    try:
        loaded = yaml.safe_load(str(value))
    except (yaml.YAMLError, ValueError):  # a text that is none, or a date that is none
        return value
    return tuple(loaded) if isinstance(loaded, list) else loaded


def _declare(node: Node, item: Parameter) -> object:
    """Declare one parameter and return the value it was given at the start."""
    kind, descriptor = _TYPES[item.type_name], _descriptor(item)
    empty = item.default == ()  # rclpy cannot tell the type of an empty list
    try:
        value = node.declare_parameter(item.name, kind if empty else _ros(item.default),
                                       ParameterDescriptor() if empty else descriptor).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise ConfigError(f"{item.name}: {error}") from error
    if empty:  # a parameter without a value makes `ros2 param dump` print none at all
        node.set_parameters([RosParameter(item.name, kind, [] if value is None else value)])
        descriptor.type = kind.value
        node.set_descriptor(item.name, descriptor)
    return () if value is None else _plain(value)


def _ros(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _descriptor(item: Parameter) -> ParameterDescriptor:
    """Describe a parameter; what is bounded at one end only has no range that ROS could tell."""
    unit = f" [{item.unit}]" if item.unit else ""
    descriptor = ParameterDescriptor(
        description=item.description + unit, read_only=not item.live,
        dynamic_typing=item.plain is not None)
    if item.low is None or item.high is None:
        descriptor.additional_constraints = item.range_text
    elif item.kind is int:
        descriptor.integer_range = [
            IntegerRange(from_value=int(item.low), to_value=int(item.high), step=0)]
    else:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(item.low), to_value=float(item.high), step=0.0)]
    return descriptor
