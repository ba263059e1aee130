"""A configuration dataclass as the parameters of a ROS node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar, cast

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

from realtime_rl.core.config import Parameter, build, parameters, values_of
from realtime_rl.core.errors import ConfigError

Config = TypeVar("Config")
_TYPES = {"bool": RosParameter.Type.BOOL, "integer": RosParameter.Type.INTEGER,
          "double": RosParameter.Type.DOUBLE, "string": RosParameter.Type.STRING,
          "string array": RosParameter.Type.STRING_ARRAY,
          "integer array": RosParameter.Type.INTEGER_ARRAY}
_MAX_INT = 2**63 - 1
_MAX_FLOAT = 1e300


class NodeParameters(Generic[Config]):
    """Declares a node's parameters, keeps `current` in step, refuses what is not allowed.

    Refusing happens before anything changes (on-set, without side effects); `on_change` is
    called after a set went through.
    """

    def __init__(self, node: Node, config: type[Config],
                 on_change: Callable[[Config], None] | None = None) -> None:
        """Declare the parameters of `config`; `ConfigError` when a given value is not allowed."""
        self._config = config
        self._known = parameters(config)
        self._on_change = on_change
        self.current = build(config, {item.name: _declare(node, item)
                                      for item in self._known.values()})
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._apply)

    def _check(self, changes: Sequence[RosParameter]) -> SetParametersResult:
        """Say whether the changes are allowed, all of them together."""
        values: dict[str, object] = dict(values_of(self.current))
        for change in changes:
            if change.name not in self._known:
                continue
            if not self._known[change.name].live:
                return SetParametersResult(
                    successful=False,
                    reason=f"{change.name}: cannot be changed while the node runs")
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


def _declare(node: Node, item: Parameter) -> object:
    """Declare one parameter and return the value it was given at the start."""
    empty = item.default == ()  # rclpy cannot tell the type of an empty list
    default = _TYPES[item.type_name] if empty else _ros(item.default)
    try:
        value = node.declare_parameter(item.name, default, _descriptor(item)).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        raise ConfigError(f"{item.name}: {error}") from error
    return () if value is None else _plain(value)


def _ros(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _descriptor(item: Parameter) -> ParameterDescriptor:
    unit = f" [{item.unit}]" if item.unit else ""
    descriptor = ParameterDescriptor(
        description=item.description + unit, read_only=False,
        additional_constraints=item.range_text if item.choices else "", dynamic_typing=item.plain)
    if item.low is None and item.high is None:
        return descriptor
    if item.type_name == "integer":
        descriptor.integer_range = [IntegerRange(
            from_value=-_MAX_INT if item.low is None else int(item.low),
            to_value=_MAX_INT if item.high is None else int(item.high), step=0)]
    elif item.type_name == "double":
        descriptor.floating_point_range = [FloatingPointRange(
            from_value=-_MAX_FLOAT if item.low is None else item.low,
            to_value=_MAX_FLOAT if item.high is None else item.high, step=0.0)]
    return descriptor
