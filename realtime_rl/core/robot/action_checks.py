"""What cannot be done with an action of a contract: each mistake in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from realtime_rl.core.errors import choices
from realtime_rl.core.robot import measuring, message_types
from realtime_rl.core.robot.contract import ActionGroup, Contract, allowed
from realtime_rl.core.robot.contract_choices import Behaviour, Mode, OnEnd
from realtime_rl.core.robot.sections import Limit

_POSITIONS = (Mode.POSITION, Mode.DELTA)
_LABEL = re.compile(r"[^\s:=]+")
_HOLDS = (Behaviour.HOLD_LAST, Behaviour.HOLD_MEASURED, Behaviour.SEND_NOTHING)
_BEHAVIOURS = {
    Mode.POSITION: _HOLDS, Mode.DELTA: _HOLDS,
    Mode.VELOCITY: (Behaviour.DECELERATE, Behaviour.ZERO_VELOCITY, Behaviour.SEND_NOTHING),
    Mode.EFFORT: (Behaviour.ZERO_VELOCITY, Behaviour.SEND_NOTHING)}
_INSTEAD = {
    Mode.POSITION: "zeros are a place: take 'hold_last', which comes to rest within the limits",
    Mode.VELOCITY: "a velocity that is held drives on: take 'decelerate' or 'zero_velocity'",
    Mode.EFFORT: "an effort that is held pushes on: take 'zero_velocity' (no effort), or "
                 "'send_nothing'"}
_OF_MODE = {
    Mode.POSITION: ("min_position", "max_position", "max_velocity", "max_acceleration", "max_step"),
    Mode.VELOCITY: ("max_velocity", "max_acceleration"), Mode.EFFORT: ("max_effort",)}
_TINY = 1e-9


def problems(contract: Contract) -> Iterator[str]:
    """Say what is wrong with the actions of a contract, one line each."""
    owners: dict[str, str] = {}
    for group in contract.actions:
        for name in group.config.names:
            if name in owners:
                yield (f"action.{group.name}.names: {name!r} is an element of "
                       f"action.{owners[name]} too; call them differently")
            owners[name] = group.name
            if not _LABEL.fullmatch(name):
                yield f"action.{group.name}.names: {name!r}: no blanks, ':' or '=' in a name"
        yield from _of_scale(contract, group)
        yield from _of_limits(contract, group)
        yield from _of_behaviours(contract, group)
        yield from _of_timeout(contract, group)
        yield from _of_pose(contract, group)
        yield from _of_header(group)
    yield from _of_ranges(contract)
    yield from _of_choices(contract)


def _rough(mode: Mode) -> Mode:
    """What a mode is limited by."""
    return Mode.POSITION if mode is Mode.DELTA else mode


def _measurable(group: ActionGroup) -> bool:
    return message_types.action(group.config.type).measurable


def _of_scale(contract: Contract, group: ActionGroup) -> Iterator[str]:
    if 0.0 in (scale for scale, _ in contract.scales[group.places]):
        yield f"action.{group.name}.scale: 0: it would always do the same"


def _of_limits(contract: Contract, group: ActionGroup) -> Iterator[str]:
    mode = _rough(group.mode)
    for name, limit in zip(group.config.names, contract.limits[group.places], strict=True):
        inert = [key for key in (*_OF_MODE[Mode.POSITION], "max_effort")
                 if getattr(limit, key) and key not in _OF_MODE[mode]]
        if inert:
            yield (f"limits.{name}.{inert[0]}: nothing that limits mode {group.mode.word!r}; its "
                   f"limits are {choices(_OF_MODE[mode])}")
        if not limit.has_positions and (limit.min_position or limit.max_position):
            yield (f"limits.{name}.max_position: {limit.max_position:g} is not above "
                   f"min_position, {limit.min_position:g}")
        lacking = _lacking(limit, group)
        if lacking:
            yield f"limits.{name}: mode {group.mode.word!r} needs {lacking}"


def _lacking(limit: Limit, group: ActionGroup) -> str:
    """Say which limit is absent that must not be."""
    bounded = bool(group.config.low and group.config.high)
    if group.mode in _POSITIONS:
        if not limit.has_positions and (_measurable(group) or not bounded):
            return "min_position and max_position"
        moves = limit.max_velocity or limit.max_step
        return "" if moves or not _measurable(group) else "max_velocity or max_step"
    key = "max_velocity" if group.mode is Mode.VELOCITY else "max_effort"
    return "" if bounded or getattr(limit, key) else key


def _of_behaviours(contract: Contract, group: ActionGroup) -> Iterator[str]:
    where = f"action.{group.name}"
    measured = measuring.source_of(contract, group)
    if group.mode in _POSITIONS and _measurable(group) and measured is None:
        yield (f"{where}.measured: no source says where {choices(group.config.names)} are; add "
               "the robot's JointState to the sources")
    for key, behaviour in (("default", group.default), ("on_stop", group.on_stop)):
        if behaviour not in _BEHAVIOURS[group.mode]:
            yield (f"{where}.{key}: {behaviour.word!r} with mode {group.mode.word!r}: "
                   f"{_INSTEAD[_rough(group.mode)]}")
        if behaviour is Behaviour.HOLD_MEASURED and measured is None:
            yield (f"{where}.{key}: {behaviour.word!r}: nobody measures a {group.config.type}; "
                   "take 'hold_last'")
        if getattr(group.config, key) == Behaviour.DECELERATE.word:
            yield from (f"limits.{name}: max_acceleration is absent; 'decelerate' needs it"
                        for name, limit in zip(group.config.names, contract.limits[group.places],
                                               strict=True) if not limit.max_acceleration)


def _of_timeout(contract: Contract, group: ActionGroup) -> Iterator[str]:
    where, timeout = f"action.{group.name}", group.config.timeout
    if 0 < timeout <= contract.robot.period:
        yield (f"period: {contract.robot.period:g} s is not below {where}.timeout, {timeout:g} s: "
               "the controller would stop between two commands")
    if group.mode in _POSITIONS or timeout:
        return
    if not group.config.unguarded:
        yield (f"{where}.timeout: absent: a controller without one goes on for ever when it hears "
               "nothing; give its seconds, or say unguarded: true")
    for key, behaviour in (("default", group.default), ("on_stop", group.on_stop)):
        if behaviour is Behaviour.SEND_NOTHING:
            yield (f"{where}.{key}: 'send_nothing' stops no controller without a timeout; take "
                   + ("'zero_velocity' (no effort)" if group.mode is Mode.EFFORT else
                      "'decelerate' or 'zero_velocity'"))


def _of_pose(contract: Contract, group: ActionGroup) -> Iterator[str]:
    where, pose = f"action.{group.name}", group.config.pose
    if group.config.on_end != OnEnd.POSE.word:
        if pose:
            yield f"{where}.pose: nothing goes there; say on_end: pose"
        return
    if group.mode not in _POSITIONS:
        yield f"{where}.on_end: 'pose' with mode {group.mode.word!r}: it has no positions"
    elif len(pose) != len(group.config.names):
        yield f"{where}.pose: {len(pose)} values for {len(group.config.names)} elements"
    else:
        yield from (
            f"{where}.pose: {value:g} of {name!r} is beyond its limits, {limit.min_position:g} … "
            f"{limit.max_position:g}" for name, value, limit in
            zip(group.config.names, pose, contract.limits[group.places], strict=True)
            if limit.has_positions and not limit.min_position <= value <= limit.max_position)


def _of_header(group: ActionGroup) -> Iterator[str]:
    if group.config.frame and not message_types.action(group.config.type).has_header:
        yield f"action.{group.name}.frame: a {group.config.type} has no header"


def _of_ranges(contract: Contract) -> Iterator[str]:
    owners = [group for group in contract.actions for _ in group.config.names]
    for name, group, (low, high) in zip(contract.elements, owners, contract.ranges(), strict=True):
        if low >= high:
            yield (f"action.{group.name}.low: {low:g} of {name!r} is not below its largest "
                   f"value, {high:g}")


def _of_choices(contract: Contract) -> Iterator[str]:
    still, named = contract.robot.still, contract.choices
    if not named:
        if still:
            yield f"still: {still!r}: there is no section 'choices'"
        return
    if len(named) < 2:
        yield "choices: one is no choice; name two or more"
    if still and still not in named:
        yield f"still: {still!r} is not one of the choices, {choices(named)}"
    if not still and Mode.POSITION in contract.modes:
        yield (f"still: absent: zeros are a place; name the one of the choices that keeps the "
               f"robot where it is: {choices(named)}")
    yield from (f"action.{group.name}.{key}: nobody asks for values where there are choices"
                for group in contract.actions for key in ("low", "high")
                if getattr(group.config, key))
    seen: dict[tuple[float, ...], str] = {}
    for label, values in named.items():
        if not _LABEL.fullmatch(label):
            yield f"choices: {label!r}: no blanks, ':' or '=' in a name"
        if len(values) != len(contract.elements):
            yield (f"choices.{label}: {len(values)} values for {len(contract.elements)} elements: "
                   f"{', '.join(contract.elements)}")
        elif values in seen:
            yield f"choices.{label}: asks for the same as choices.{seen[values]}"
        else:
            seen[values] = label
            yield from _beyond(contract, label, values)


def _beyond(contract: Contract, label: str, values: tuple[float, ...]) -> Iterator[str]:
    """Say which value of a choice its limits do not allow."""
    for name, value, (scale, offset), mode, limit in zip(
            contract.elements, values, contract.scales, contract.modes, contract.limits,
            strict=True):
        low, high = allowed(limit, mode, contract.robot.period)
        asked = value * scale + offset
        if not low - _TINY <= asked <= high + _TINY:
            yield (f"choices.{label}: {asked:g} of {name!r} is beyond its limits, "
                   f"{low:g} … {high:g}")
