"""Makes Gymnasium's environments: by their ids, with what the Atari games are given here."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass
from typing import Any

import yaml

from realtime_rl.core.errors import MissingDependencyError, PlantError
from realtime_rl.core.settings.config import parameter
from realtime_rl.plants import gymnasium_pictures as pictures
from realtime_rl.plants.gymnasium_rate import rate_of
from realtime_rl.plants.gymnasium_spaces import EXTRA
from realtime_rl.plants.libraries import load_library

_ATARI = "ALE/"
_TELLING = ("frameskip", "repeat_action_probability")


@dataclass(frozen=True, slots=True)
class GymnasiumOptions:
    """Which environment, and how a tick relates to its steps."""

    id: str = parameter("CartPole-v1", "the environment's id: CartPole-v1, ALE/Boxing-v5, or "
                                       "module:Name-v0, whose module registers it")
    arguments: str = parameter("", "more arguments of the environment: 'continuous=true mode=2'")
    frameskip: int = parameter(1, "steps a tick under one action: rewards are summed; of pictures "
                                  "the brighter of the last two counts, pixel by pixel", low=1)
    part: str = parameter("", "the only part of a Dict or Tuple to observe, as 'image' or "
                              "'camera.left'; empty: all, pictures and the rest by themselves, "
                              "vectors alone as one")
    observe: str = parameter("auto", "as what, where the environment's space may be either: "
                                     "picture or vector; parts: each of a Dict or Tuple by itself, "
                                     "vectors, too", choices=pictures.KINDS)
    colour: bool = parameter(False, "coloured pictures in three channels, not grey in one")
    size: int = parameter(84, "height and width of a picture; smaller ones make learning quicker",
                          unit="px", low=8, high=256)
    full_action_space: bool = parameter(True, "Atari: all 18 actions, not those of the game only")
    sticky: float = parameter(0.0, "Atari: probability that a frame repeats the last action",
                              low=0.0, high=1.0)
    noop: str = parameter("", "the action that does nothing: a label, an index, or values "
                              "('0 0.5'); empty: NOOP or the first choice, or zeros")
    noops: int = parameter(0, "most random no-ops at an episode's start", low=0)
    period_ms: float = parameter(0.0, "the period of a tick; 0: as the environment says, its "
                                      "frames a step by its frames a second (render_fps; Atari: "
                                      "60), times frameskip", unit="ms", low=0.0)
    episode_ticks: int = parameter(0, "cut episodes off after so many ticks; 0: never", low=0)


@dataclass(frozen=True, slots=True)
class Made:
    """An environment, and how it came about."""

    env: Any
    """A gymnasium.Env."""
    atari: bool
    replaced: str
    """Arguments of an Atari game's id in place of which others were given, as `frameskip=4`."""


def make(options: GymnasiumOptions) -> Made:
    """Make an environment; raises whatever it does."""
    gymnasium = load_library("gymnasium", EXTRA)
    given = _arguments(options.arguments)
    module, _, name = options.id.rpartition(":")
    if module:
        importlib.import_module(module)
    registered = _registered(gymnasium, name)
    own = dict(getattr(registered, "kwargs", {}))
    atari = name.startswith(_ATARI) or str(
        getattr(registered, "entry_point", "")).startswith("ale_py.")
    ours = _ours(options, own) if atari else {}
    if atari and isinstance(given.get("frameskip"), list):
        given["frameskip"] = tuple(given["frameskip"])
    replaced = " ".join(f"{key}={_word(own[key])}" for key in _TELLING
                        if atari and key in own and key not in given and own[key] != ours[key])
    env = gymnasium.make(name, disable_env_checker=True, **{**ours, **given})
    return Made(env, atari, replaced)


def _word(value: object) -> str:
    """Write a value as `_arguments` reads it."""
    return f"[{','.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _registered(gymnasium: Any, name: str) -> Any:  # noqa: ANN401 - a module, an EnvSpec
    """Return what is known of an environment; the Atari games are so once `ale_py` is imported."""
    if name not in gymnasium.registry:
        with contextlib.suppress(MissingDependencyError):
            gymnasium.register_envs(load_library("ale_py", EXTRA))
    return gymnasium.registry.get(name)


def _ours(options: GymnasiumOptions, own: dict[str, Any]) -> dict[str, Any]:
    """Return what any Atari game is made with: the paper's, not its id's."""
    ale = load_library("ale_py", EXTRA)
    ale.ALEInterface.setLoggerMode(ale.LoggerMode.Error)
    return {"frameskip": 1, "repeat_action_probability": options.sticky,
            "full_action_space": options.full_action_space,
            "obs_type": "ram" if own.get("obs_type") == "ram" else
                        "rgb" if options.colour else "grayscale"}


def _arguments(text: str) -> dict[str, Any]:
    """Read `name=value` words, the values as in YAML."""
    arguments = {}
    for word in text.split():
        name, sign, value = word.partition("=")
        if not (name and sign and value):
            raise PlantError(f"arguments {word!r}: write it like 'continuous=true'")
        try:
            arguments[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise PlantError(f"arguments {word!r}: {value!r} is not a YAML value") from error
    return arguments


def period(options: GymnasiumOptions, made: Made) -> tuple[int, str]:
    """Return the period of a tick [ns], and in words how it comes about.

    Frames a step by frames a second, as far as both are known; else, or where it is set,
    `period_ms`. `PlantError` where it can be known from neither.
    """
    rate = rate_of(made.env, atari=made.atari)
    steps = f"{options.frameskip} step(s) a tick"
    replaced = (f"; in place of the id's {made.replaced}, which arguments='{made.replaced}' keeps"
                if made.replaced else "")
    if options.period_ms:
        known = (f", where its own would be {rate.steps_per_second / options.frameskip:.4g}"
                 if rate.steps_per_second else "")
        return round(options.period_ms * 1e6), (
            f"{1000 / options.period_ms:.4g} ticks a second, as period_ms says{known} "
            f"({rate.text}, {steps}{replaced})")
    if not rate.steps_per_second:
        raise PlantError(f"{rate.text}: set period_ms")
    period_ns = round(1e9 * options.frameskip / rate.steps_per_second)
    return period_ns, f"{1e9 / period_ns:.4g} ticks a second: {rate.text}, {steps}{replaced}"
