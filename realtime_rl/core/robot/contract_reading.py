"""Reads a robot's contract from the parameters of the node `robot`, and checks it as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.robot import contract_checks, message_types, sections
from realtime_rl.core.robot.contract import ActionGroup, Contract, SourceSpec
from realtime_rl.core.robot.contract_choices import Behaviour, Excess, Mode
from realtime_rl.core.robot.contract_parameters import (
    Values,
    by_name,
    check_open,
    flat,
    numbers,
    section,
    split,
)
from realtime_rl.core.robot.contract_sources import source_of

_NAMED = ("observation", "source", "action", "reward")
"""Sections of which there are several, by name."""
_SINGLE: dict[str, type] = {"start": sections.Start, "episode": sections.Episode,
                            "deadman": sections.Deadman, "estop": sections.Estop}
_LIMIT_POLICY = "policy"
_DEFAULTS = {Mode.POSITION: Behaviour.HOLD_LAST, Mode.DELTA: Behaviour.HOLD_LAST,
             Mode.VELOCITY: Behaviour.DECELERATE, Mode.EFFORT: Behaviour.SEND_NOTHING}


def read(values: Values) -> Contract:
    """Read a contract from a node's parameters, nested ones as `source.joints.topic`.

    `ConfigError` says what is wrong, where, and what to do.
    """
    contract = _read(values)
    contract_checks.check(contract)
    return contract


def _read(values: Values) -> Contract:
    check_open(values)
    top, nested = split(values)
    named: dict[str, dict[str, dict[str, object]]] = {}
    for each in _NAMED:
        named[each] = by_name(each, nested.pop(each, {}))
    # parameters have no order: what the numbers of choices and of sources mean must not hang on it
    chosen = {name: numbers(f"choices.{name}", value)
              for name, value in sorted(nested.pop("choices", {}).items())}
    limits = nested.pop("limits", {})
    single: dict[str, Any] = {name: section(kind, nested.pop(name, {}), name)
                              for name, kind in _SINGLE.items()}
    if nested:
        raise ConfigError(f"unknown section {next(iter(nested))!r}; known: "
                          f"{choices((*_NAMED, *_SINGLE, 'choices', 'limits'))}")
    robot = section(sections.Robot, top, "")
    if robot.period <= 0:
        raise ConfigError("period: absent; give the seconds of a tick, as 0.02")
    sources = {name: source_of(name, body) for name, body in named["source"].items()}
    actions = tuple(_groups(robot.actions, named["action"]))
    elements = [name for group in actions for name in group.config.names]
    excess, by_element = _limits(limits, elements)
    parts = _parts(robot.observations, named["observation"], sources)
    shown = {spec.name: spec for part in parts.values() for spec in part}
    return Contract(
        robot, tuple({**shown, **dict(sorted(sources.items()))}.values()), parts,
        actions, by_element, excess, chosen,
        {name: section(sections.Reward, body, f"reward.{name}")
         for name, body in named["reward"].items()}, **single)


def _parts(names: Iterable[str], given: Mapping[str, Values],
           sources: Mapping[str, SourceSpec]) -> dict[str, tuple[SourceSpec, ...]]:
    found: dict[str, tuple[SourceSpec, ...]] = {}
    for name in names:
        if name not in given:
            raise ConfigError(f"observations: {name!r} has no section observation.{name}; there "
                              f"are {choices(given)}")
        part = section(sections.Part, given[name], f"observation.{name}")
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
        config = section(sections.Action, given[name], f"action.{name}")
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
            ) -> tuple[Excess, tuple[sections.Limit, ...]]:
    top: dict[str, object] = {}
    nested: dict[str, dict[str, object]] = {}
    for name, value in flat(values).items():  # an element's name may have dots
        element, dot, key = name.rpartition(".")
        (nested.setdefault(element, {}) if dot else top)[key] = value
    word = top.pop(_LIMIT_POLICY, Excess.CLAMP.word)
    if top or word not in Excess.words():
        raise ConfigError(f"limits.{next(iter(top), _LIMIT_POLICY)}: {word!r} is not one of "
                          f"{choices(Excess.words())}" if not top else
                          f"limits.{next(iter(top))}: unknown; name an element, or 'policy'")
    elements = tuple(elements)
    strangers = [name for name in nested if name not in elements]
    if strangers:
        raise ConfigError(f"limits.{strangers[0]}: no element of an action; there are "
                          f"{choices(elements)}")
    return Excess.of(str(word)), tuple(
        section(sections.Limit, nested.get(name, {}), f"limits.{name}") for name in elements)
