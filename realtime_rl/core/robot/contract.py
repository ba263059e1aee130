"""A robot's contract: which topics it has, what a policy sees of them, and what it may ask for.

Read from the parameters of the node `robot`, and checked as a whole before anything starts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, cast

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.observations import Observations, ObservationSpec, of_parts
from realtime_rl.core.robot import fields, message_types, sections
from realtime_rl.core.robot.sections import Behaviour, Mode, OnStale
from realtime_rl.core.settings.config import Value, build
from realtime_rl.core.types import ActionSpace, PlantSpec

Values = Mapping[str, object]
_Section = TypeVar("_Section")
_NAMED = ("observation", "source", "action", "reward")
"""Sections of which there are several, by name."""
_SINGLE: dict[str, type] = {"start": sections.Start, "episode": sections.Episode,
                            "deadman": sections.Deadman, "estop": sections.Estop}
_LIMIT_POLICY = "policy"
OPEN = "FILL_IN"
"""Stands for what only a person can say, in a contract that is begun."""
_DEFAULTS = {Mode.POSITION: Behaviour.HOLD_LAST, Mode.DELTA: Behaviour.HOLD_LAST,
             Mode.VELOCITY: Behaviour.DECELERATE, Mode.EFFORT: Behaviour.SEND_NOTHING}


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source, ready to be read."""

    name: str
    config: sections.Source
    fields: tuple[fields.Field, ...]
    image: sections.Image | None

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of its values, in order."""
        return tuple(element for field in self.fields for element in field.elements)


@dataclass(frozen=True, slots=True)
class ActionGroup:
    """An action: values of the policy that go to one topic."""

    name: str
    config: sections.Action
    mode: Mode
    first: int
    """Place of its first element among those of all actions."""
    default: Behaviour
    on_stop: Behaviour

    @property
    def places(self) -> slice:
        """Its elements among those of all actions."""
        return slice(self.first, self.first + len(self.config.names))


@dataclass(frozen=True)
class Contract:
    """All of it; `read` makes one."""

    robot: sections.Robot
    sources: tuple[SourceSpec, ...]
    """In the order in which the observation shows them; then others, by name."""
    parts: Mapping[str, tuple[SourceSpec, ...]]
    """Sources of each part of the observation, in order."""
    actions: tuple[ActionGroup, ...]
    limits: tuple[sections.Limit, ...]
    """Of each element, in the order of the actions."""
    excess: sections.Excess
    choices: Mapping[str, tuple[float, ...]]
    """What each choice asks for, ordered by name; empty: the actions are continuous."""
    rewards: Mapping[str, sections.Reward]
    start: sections.Start
    episode: sections.Episode
    deadman: sections.Deadman
    estop: sections.Estop

    @property
    def period_ns(self) -> int:
        """Of a tick [ns]."""
        return round(self.robot.period * 1e9)

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of all commanded elements, in the order of the actions."""
        return tuple(name for group in self.actions for name in group.config.names)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Mode of each element."""
        return tuple(group.mode for group in self.actions for _ in group.config.names)

    @cached_property
    def scales(self) -> tuple[tuple[float, float], ...]:
        """Scale and offset of each element: command = value * scale + offset."""
        return tuple(pair for group in self.actions for pair in zip(
            _each(group.config.scale, group, "scale", 1.0),
            _each(group.config.offset, group, "offset", 0.0), strict=True))

    @cached_property
    def spec(self) -> PlantSpec:
        """What the rest of the graph must know."""
        return PlantSpec(self.robot.name, self.period_ns, self.observation, self._action_space())

    @cached_property
    def observation(self) -> Observations:
        """What the policy sees."""
        return of_parts([part for name, sources in self.parts.items()
                         for part in _part_specs(name, sources)])

    def _action_space(self) -> ActionSpace:
        if self.choices:
            labels = tuple(self.choices)
            return ActionSpace(labels, (float(labels.index(self._still())),))
        low, high = zip(*self.ranges(), strict=True)
        noop = tuple(map(_noop, self.modes, self.scales, low, high))
        return ActionSpace(self.elements, noop, low, high)

    def _still(self) -> str:
        """The choice that keeps the robot where it is."""
        if self.robot.still:
            return self.robot.still
        found = [name for name, values in self.choices.items() if not any(values)]
        if len(found) != 1:
            raise ConfigError(f"still: {choices(found) or 'none'} of the choices is all zeros; "
                              f"name the one that keeps the robot where it is: "
                              f"{choices(self.choices)}")
        return found[0]

    def ranges(self) -> Iterator[tuple[float, float]]:
        """Least and largest value of the policy, of each element."""
        for group in self.actions:
            lows = _each(group.config.low, group, "low", math.nan)
            highs = _each(group.config.high, group, "high", math.nan)
            for place, low, high in zip(range(group.first, group.places.stop), lows, highs,
                                        strict=True):
                scale, offset = self.scales[place]
                least, most = sorted((value - offset) / scale for value in
                                     allowed(self.limits[place], group.mode, self.robot.period))
                yield (least if math.isnan(low) else low, most if math.isnan(high) else high)


def read(values: Values) -> Contract:
    """Read a contract from a node's parameters, nested ones as `source.joints.topic`.

    `ConfigError` says what is wrong, where, and what to do.
    """
    from realtime_rl.core.robot import contract_checks  # it looks at what is read here

    contract = _read(values)
    contract_checks.check(contract)
    return contract


def _read(values: Values) -> Contract:
    _check_open(values)
    top, nested = _split(values)
    named: dict[str, dict[str, dict[str, object]]] = {}
    for section in _NAMED:
        named[section] = _by_name(section, nested.pop(section, {}))
    # parameters have no order: what the numbers of choices and of sources mean must not hang on it
    chosen = {name: _values(f"choices.{name}", value)
              for name, value in sorted(nested.pop("choices", {}).items())}
    limits = nested.pop("limits", {})
    single: dict[str, Any] = {name: _section(kind, nested.pop(name, {}), name)
                              for name, kind in _SINGLE.items()}
    if nested:
        raise ConfigError(f"unknown section {next(iter(nested))!r}; known: "
                          f"{choices((*_NAMED, *_SINGLE, 'choices', 'limits'))}")
    robot = _section(sections.Robot, top, "")
    if robot.period <= 0:
        raise ConfigError("period: absent; give the seconds of a tick, as 0.02")
    sources = {name: _source(name, body) for name, body in named["source"].items()}
    actions = tuple(_groups(robot.actions, named["action"]))
    elements = [name for group in actions for name in group.config.names]
    excess, by_element = _limits(limits, elements)
    parts = _parts(robot.observations, named["observation"], sources)
    shown = {spec.name: spec for part in parts.values() for spec in part}
    return Contract(
        robot, tuple({**shown, **dict(sorted(sources.items()))}.values()), parts,
        actions, by_element, excess, chosen,
        {name: _section(sections.Reward, body, f"reward.{name}")
         for name, body in named["reward"].items()}, **single)


def _check_open(values: Values) -> None:
    """Refuse a contract in which something was left for a person to say."""
    left = [name for name, value in flat(values).items()
            if OPEN in (value if isinstance(value, list | tuple) else (value,))]
    if left:
        raise ConfigError(f"{left[0]}: {OPEN} stands there, which a person must replace"
                          + (f"; so does it at {len(left) - 1} more: {', '.join(left[1:])}"
                             if len(left) > 1 else ""))


def flat(values: Values, prefix: str = "") -> dict[str, object]:
    """Return nested parameters by their dotted names."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = value
    return found


def _split(values: Values) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """Return what stands above the sections, and what is in each of them."""
    top: dict[str, object] = {}
    nested: dict[str, dict[str, object]] = {}
    for name, value in flat(values).items():
        section, dot, rest = name.partition(".")
        if dot:
            nested.setdefault(section, {})[rest] = value
        else:
            top[section] = value
    return top, nested


def _by_name(section: str, values: Values) -> dict[str, dict[str, object]]:
    top, nested = _split(values)
    if top:
        raise ConfigError(f"{section}.{next(iter(top))}: give it a name, as "
                          f"{section}: {{NAME: {{{next(iter(top))}: …}}}}")
    return nested


def _section(kind: type[_Section], values: Values, where: str) -> _Section:
    try:
        return build(kind, values)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}" if where else str(error)) from error


def _source(name: str, values: Values) -> SourceSpec:
    where = f"source.{name}"
    top, nested = _split(values)
    image = nested.pop("image", None)
    if nested:
        raise ConfigError(f"{where}: unknown section {next(iter(nested))!r}; known: 'image'")
    config = _section(sections.Source, top, where)
    for key in ("topic", "type"):
        if not getattr(config, key):
            raise ConfigError(f"{where}.{key}: absent")
    try:
        source_type = message_types.source(config.type)
        read_fields = tuple(fields.parse(text, source_type)
                            for text in config.fields or source_type.default)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}") from error
    _check_source(where, config, source_type, read_fields, image)
    if config.max_age <= 0:
        raise ConfigError(f"{where}.max_age: absent; give the seconds after which a value is "
                          "stale, as 0.05")
    if not source_type.has_header:
        config = replace(config, stamps=sections.Stamps.RECEIVED.word)
    return SourceSpec(name, config, read_fields,
                      _image(where, image) if source_type.is_image else None)


def _check_source(where: str, config: sections.Source, source_type: message_types.SourceType,
                  read_fields: tuple[fields.Field, ...], image: Values | None) -> None:
    """Refuse what does not go together."""
    if image is not None and not source_type.is_image:
        raise ConfigError(f"{where}.image: {config.type} is no picture")
    if not read_fields and not source_type.is_image:
        raise ConfigError(f"{where}.fields: absent; name the values that the policy sees")
    wrapping = [each.text for each in read_fields if each.wraps]
    if config.align == sections.Align.LINEAR.word and (wrapping or source_type.is_image):
        raise ConfigError(f"{where}.align: 'linear': nothing lies between two values of "
                          f"{wrapping[0] if wrapping else config.type!r}; use 'hold'"
                          + (", or '@gravity' or '@rot6d'" if wrapping else ""))
    if config.low >= config.high:
        raise ConfigError(f"{where}.low: {config.low:g} is not below high, {config.high:g}")


def _image(where: str, values: Values | None) -> sections.Image:
    image = _section(sections.Image, values or {}, f"{where}.image")
    if not image.width or not image.height:
        raise ConfigError(f"{where}.image: width and height are absent; give the size in which "
                          "the policy sees it")
    return image


def _parts(names: Iterable[str], given: Mapping[str, Values],
           sources: Mapping[str, SourceSpec]) -> dict[str, tuple[SourceSpec, ...]]:
    found: dict[str, tuple[SourceSpec, ...]] = {}
    for name in names:
        if name not in given:
            raise ConfigError(f"observations: {name!r} has no section observation.{name}; there "
                              f"are {choices(given)}")
        part = _section(sections.Part, given[name], f"observation.{name}")
        absent = [each for each in part.sources if each not in sources]
        if absent or not part.sources:
            raise ConfigError(f"observation.{name}.sources: {absent or 'none'}: there are "
                              f"{choices(sources)}")
        found[name] = tuple(sources[each] for each in part.sources)
        pictures = [each.name for each in found[name] if each.image is not None]
        if pictures and len(part.sources) > 1:
            raise ConfigError(f"observation.{name}.sources: {pictures[0]!r} is a picture: make it "
                              "a part of its own")
    unused = set(given) - set(found)
    if unused:
        raise ConfigError(f"observation.{min(unused)}: not in observations")
    return found


def _groups(names: Iterable[str], given: Mapping[str, Values]) -> Iterator[ActionGroup]:
    first = 0
    names = tuple(names)
    for name in names:
        if name not in given:
            raise ConfigError(f"actions: {name!r} has no section action.{name}; there are "
                              f"{choices(given)}")
        config = _section(sections.Action, given[name], f"action.{name}")
        mode = Mode.of(config.mode)
        _check_action(f"action.{name}", config, mode)
        default = Behaviour.of(config.default) if config.default else _DEFAULTS[mode]
        yield ActionGroup(name, config, mode, first, default,
                          Behaviour.of(config.on_stop) if config.on_stop else default)
        first += len(config.names)
    unused = set(given) - set(names)
    if unused:
        raise ConfigError(f"action.{min(unused)}: not in actions")


def _check_action(where: str, config: sections.Action, mode: Mode) -> None:
    if not config.topic:
        raise ConfigError(f"{where}.topic: absent")
    try:
        message_types.action(config.type).check(config.names, mode)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}") from error


def _limits(values: Values, elements: Iterable[str]
            ) -> tuple[sections.Excess, tuple[sections.Limit, ...]]:
    top: dict[str, object] = {}
    nested: dict[str, dict[str, object]] = {}
    for name, value in flat(values).items():  # an element's name may have dots
        element, dot, key = name.rpartition(".")
        (nested.setdefault(element, {}) if dot else top)[key] = value
    word = top.pop(_LIMIT_POLICY, sections.Excess.CLAMP.word)
    if top or word not in sections.Excess.words():
        raise ConfigError(f"limits.{next(iter(top), _LIMIT_POLICY)}: {word!r} is not one of "
                          f"{choices(sections.Excess.words())}" if not top else
                          f"limits.{next(iter(top))}: unknown; name an element, or 'policy'")
    elements = tuple(elements)
    strangers = [name for name in nested if name not in elements]
    if strangers:
        raise ConfigError(f"limits.{strangers[0]}: no element of an action; there are "
                          f"{choices(elements)}")
    return sections.Excess.of(str(word)), tuple(
        _section(sections.Limit, nested.get(name, {}), f"limits.{name}") for name in elements)


def _part_specs(name: str, sources: tuple[SourceSpec, ...]) -> Iterator[ObservationSpec]:
    image = sources[0].image
    if image is not None:
        channels = 1 if image.encoding == "mono8" else 3
        yield ObservationSpec((channels, image.height, image.width), "uint8", 0.0, 255.0, name)
    else:
        several = len(sources) > 1
        elements = tuple(f"{source.name}.{element}" if several else element
                         for source in sources for element in source.elements)
        yield ObservationSpec(
            (len(elements),), "float32", min(source.config.low for source in sources),
            max(source.config.high for source in sources), name, elements)
    yield from (ObservationSpec((1,), "float32", 0.0, 1.0, f"{source.name}_valid")
                for source in sources if source.config.on_stale == OnStale.MASK.word)


def _values(where: str, value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or not all(
            isinstance(each, int | float) and math.isfinite(each) for each in value):
        raise ConfigError(f"{where}: {value!r} is not a list of numbers")
    return tuple(map(float, value))


def _each(given: tuple[float, ...], group: ActionGroup, key: str, otherwise: float
          ) -> tuple[float, ...]:
    """One value an element."""
    size = len(group.config.names)
    if len(given) not in (0, 1, size):
        raise ConfigError(f"action.{group.name}.{key}: {len(given)} values for {size} elements")
    return given if len(given) == size else (given[0] if given else otherwise,) * size


def allowed(limit: sections.Limit, mode: Mode, period: float) -> tuple[float, float]:
    """Return least and largest command that the limits allow; infinite where none is given."""
    if mode is Mode.POSITION and limit.has_positions:
        return limit.min_position, limit.max_position
    most = {Mode.POSITION: 0.0, Mode.VELOCITY: limit.max_velocity, Mode.EFFORT: limit.max_effort,
            Mode.DELTA: limit.max_step or limit.max_velocity * period}[mode] or math.inf
    return -most, most


def _noop(mode: Mode, scaled: tuple[float, float], low: float, high: float) -> float:
    """A value of the policy that stands for none; what is sent then, the contract says."""
    scale, offset = scaled
    if mode is not Mode.POSITION:
        return min(max(-offset / scale, low), high)
    return (low + high) / 2 if math.isfinite(low + high) else min(max(0.0, low), high)


def as_parameters(values: Values) -> dict[str, Value]:
    """Return a contract that `read` took as parameters of a node.

    In a list of theirs all numbers are of one type.
    """
    return {name: tuple(map(float, value)) if isinstance(value, list | tuple)
            and any(isinstance(each, float) for each in value) else
            tuple(value) if isinstance(value, list | tuple) else cast(Value, value)
            for name, value in flat(values).items()}


def topics(contract: Contract) -> dict[str, str]:
    """Return the robot's own topics, with the types of their messages."""
    found = {source.config.topic: source.config.type for source in contract.sources}
    found.update({group.config.topic: group.config.type for group in contract.actions})
    found.update({reward.topic: reward.type for reward in contract.rewards.values()
                  if reward.topic})
    found.update({name: kind for name, kind in (
        (contract.estop.topic, "std_msgs/msg/Bool"), (contract.episode.topic, "std_msgs/msg/Bool"),
        (contract.deadman.topic, "sensor_msgs/msg/Joy")) if name})
    return found


def keys() -> dict[str, type]:
    """Return the sections and what each may have: what the documentation tells."""
    return {"robot": sections.Robot, "observation.NAME": sections.Part,
            "source.NAME": sections.Source, "source.NAME.image": sections.Image,
            "action.NAME": sections.Action, "limits.ELEMENT": sections.Limit,
            "reward.NAME": sections.Reward, **_SINGLE}
