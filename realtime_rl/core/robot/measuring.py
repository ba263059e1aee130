"""Which source measures what an action commands: where the robot is, and how fast it moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.robot import fields, message_types
from realtime_rl.core.robot.contract import ActionGroup, Contract, SourceSpec
from realtime_rl.core.robot.contract_choices import Mode
from realtime_rl.core.robot.fields import Field


@dataclass(frozen=True, slots=True)
class Measure:
    """A value of a source's messages that says where a commanded element is, or how fast."""

    element: str
    velocity: bool
    field: Field


def source_of(contract: Contract, group: ActionGroup) -> SourceSpec | None:
    """Return the source that measures an action's elements; `None`: the contract has none.

    `ConfigError` where several might, or the one that is named cannot.
    """
    where = f"action.{group.name}.measured"
    able = {spec.name: spec for spec in contract.sources if _measures(spec, group)}
    named = group.config.measured
    if named and named not in able:
        raise ConfigError(f"{where}: {named!r} is no source that measures "
                          f"{choices(group.config.names)}; those that may: "
                          f"{choices(able) or 'none'}")
    if named or len(able) < 2:
        return able[named] if named else next(iter(able.values()), None)
    mentioned = [spec for spec in able.values() if _mentions(spec, group)]
    if len(mentioned) != 1:
        raise ConfigError(f"{where}: absent, and {choices(able)} may measure it; name one of them")
    return mentioned[0]


def _mentions(spec: SourceSpec, group: ActionGroup) -> bool:
    """Whether the policy sees some of an action's elements in a source, or its type has them."""
    return (not message_types.source(spec.config.type).arrays
            or any(field.name in group.config.names for field in spec.fields))


def _measures(spec: SourceSpec, group: ActionGroup) -> bool:
    kind = message_types.source(spec.config.type)
    if not message_types.action(group.config.type).measurable:
        return False
    return bool(kind.arrays) or (group.mode is Mode.VELOCITY
                                 and all(name in kind.velocities for name in group.config.names))


def measures(contract: Contract) -> dict[str, tuple[Measure, ...]]:
    """Return what is measured of the commanded elements, by the name of its source."""
    found: dict[str, tuple[Measure, ...]] = {}
    for group in contract.actions:
        spec = source_of(contract, group)
        if spec is not None:
            found[spec.name] = found.get(spec.name, ()) + tuple(_of(spec, group))
    return found


def _of(spec: SourceSpec, group: ActionGroup) -> Iterator[Measure]:
    kind = message_types.source(spec.config.type)
    for name in group.config.names:
        if kind.arrays:
            yield Measure(name, False, fields.parse(f"position.{name}", kind))
            yield Measure(name, True, fields.parse(f"velocity.{name}", kind))
        else:
            yield Measure(name, True, fields.parse(kind.velocities[name], kind))
