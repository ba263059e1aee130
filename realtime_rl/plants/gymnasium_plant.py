"""Any Gymnasium environment as a plant, the Atari games of the Arcade Learning Environment too."""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from realtime_rl.core.config import parameter
from realtime_rl.core.errors import PlantError
from realtime_rl.core.types import Action, PlantSpec, Transition
from realtime_rl.plants.base import check_action
from realtime_rl.plants.gymnasium_spaces import EXTRA, Actions, Observations
from realtime_rl.plants.libraries import load_library
from realtime_rl.plants.state_bytes import generator, pack, random_state, unpack

_ATARI = "ALE/"
_ATARI_FRAMES_PER_SECOND = 60.0
_SEEDS = 2**31
_REMEMBERED = 1 << 22
"""Values of an episode's actions that are kept to save it: 34 MB, a day at 50 Hz."""


@dataclass(frozen=True, slots=True)
class GymnasiumOptions:
    """Which environment, and how a tick relates to its steps."""

    id: str = parameter("CartPole-v1", "the environment's id: CartPole-v1, ALE/Boxing-v5, or "
                                       "module:Name-v0, whose module registers it")
    arguments: str = parameter("", "more arguments of the environment: 'continuous=true mode=2'")
    frameskip: int = parameter(1, "steps a tick under one action: rewards are summed; of pictures "
                                  "the brighter of the last two counts, pixel by pixel", low=1)
    size: int = parameter(84, "height and width of a picture; smaller ones make learning quicker",
                          unit="px", low=8, high=256)
    full_action_space: bool = parameter(True, "Atari: all 18 actions, not those of the game only")
    sticky: float = parameter(0.0, "Atari: probability that a frame repeats the last action",
                              low=0.0, high=1.0)
    noop: str = parameter("", "the action that does nothing: a label, an index, or values "
                              "('0 0.5'); empty: NOOP or the first choice, or zeros")
    noops: int = parameter(0, "most random no-ops at an episode's start", low=0)
    period_ms: float = parameter(0.0, "the period of a tick; 0: as the environment says "
                                      "(render_fps; Atari: 60 Hz) times frameskip",
                                 unit="ms", low=0.0)
    episode_ticks: int = parameter(0, "cut episodes off after so many ticks; 0: never", low=0)


class GymnasiumPlant:
    """A Gymnasium environment: pictures as small grey ones, all else as vectors; see `id`.

    A saved state is the episode's seed and its actions, 8 bytes a value; loading plays them
    again, so that it takes as long as the episode did. Nothing of the environment is pickled.
    An episode that is too long to be remembered goes on, but cannot be saved.
    """

    Options = GymnasiumOptions

    def __init__(self, options: GymnasiumOptions, seed: int) -> None:
        """Make the environment.

        Raises:
            PlantError: there is none of that id, it refuses its arguments, its spaces do not fit,
                or it does not say its period.
            MissingDependencyError: `gymnasium`, `ale_py` or `cv2` is not installed.
        """
        self._options = options
        self._env = _make(options)
        self._observations = Observations(self._env.observation_space, options.size)
        self._actions = Actions(self._env, options.noop)
        self._spec = PlantSpec(f"gymnasium:{options.id}", _period_ns(options, self._env),
                               self._observations.spec, self._actions.spec)
        self._random = np.random.default_rng(seed)
        self._starting, self._begun, self._tick = True, False, 0
        self._begin_with = (0, 0)
        self._history = array("d")
        self._remembered = True
        self._newest: Any = None
        self._closed = False

    @property
    def spec(self) -> PlantSpec:
        """See `Plant`."""
        return self._spec

    def step(self, action: Action) -> Transition:
        """See `Plant`."""
        if self._closed:
            raise PlantError(f"plant {self._spec.name!r} is closed")
        check_action(action, self._spec)
        if self._starting:
            return self._first()
        reward, over, cut = self._advance(action)
        self._remember(action)
        self._tick += 1
        last = over or cut or self._tick == self._options.episode_ticks
        self._starting = last
        return Transition(self._observations.convert(self._newest), reward,
                          0.0 if over else 1.0, first=False, last=last)

    def _remember(self, action: Action) -> None:
        """Keep an action, for the episode to be saved; of one that is too long nothing."""
        if len(self._history) + len(action) > _REMEMBERED:
            self._history, self._remembered = array("d"), False
        if self._remembered:
            self._history.extend(action)

    def _advance(self, action: Action) -> tuple[float, bool, bool]:
        """Return reward, end for good, cut-off; the raw observation is in `_newest`."""
        converted = self._actions.convert(action)
        total, over, cut = 0.0, False, False
        before = self._newest
        for _ in range(self._options.frameskip):
            before, (self._newest, reward, over, cut, _) = self._newest, self._env.step(converted)
            total += float(reward)
            if over or cut:
                break
        if self._options.frameskip > 1 and self._observations.image:
            self._newest = np.maximum(before, self._newest)
        return total, bool(over), bool(cut)

    def prepare(self) -> None:
        """See `Plant`: making an episode ready may take some milliseconds."""
        if self._starting and not self._begun:
            self._begin(int(self._random.integers(_SEEDS)),
                        int(self._random.integers(self._options.noops, endpoint=True)))

    def _begin(self, seed: int, noops: int) -> None:
        """Start an episode; the same seed and number of no-ops start it alike."""
        self._begin_with = seed, noops
        self._newest, _ = self._env.reset(seed=seed)
        noop = self._actions.convert(self._spec.actions.noop)
        for _ in range(noops):
            self._newest, _, over, cut, _ = self._env.step(noop)
            if over or cut:
                self._newest, _ = self._env.reset(seed=seed)
        self._begun, self._tick, self._remembered = True, 0, True
        del self._history[:]

    def _first(self) -> Transition:
        self.prepare()
        self._starting = self._begun = False
        return Transition(self._observations.convert(self._newest), reward=0.0, discount=1.0,
                          first=True, last=False)

    def reset(self, seed: int | None = None) -> None:
        """See `Plant`."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
            self._begun = False
        self._starting = True

    def save_state(self) -> bytes:
        """See `Plant`; `PlantError` for an episode that is too long."""
        running = self._begun or not self._starting
        if running and not self._remembered:
            raise PlantError(f"{self._spec.name!r}: an episode of {self._tick:,} ticks is too long "
                             "to be saved; cut episodes off, with the option episode_ticks")
        header = {"environment": self._environment, "starting": self._starting,
                  "begun": self._begun, "begin_with": self._begin_with,
                  "check": self._check() if running else 0, "random": random_state(self._random)}
        return pack("gymnasium", header, self._history.tobytes() if running else b"")

    def load_state(self, state: bytes) -> None:
        """See `Plant`: also `PlantError` when the environment does not repeat itself."""
        header, raw = unpack("gymnasium", state)
        if header["environment"] != self._environment:
            raise PlantError(f"the saved state is of another environment than "
                             f"{self._environment!r}: {header['environment']!r}")
        if header["begun"] or not header["starting"]:
            self._begin(*header["begin_with"])
            actions = np.frombuffer(raw).reshape(-1, len(self._spec.actions.noop)).tolist()
            for action in map(tuple, actions):
                self._advance(action)
                self._remember(action)
            self._tick = len(actions)
            if self._check() != header["check"]:
                self.reset()
                raise PlantError(f"{self._spec.name!r} does not repeat itself: the same seed and "
                                 "actions led to another observation")
        self._starting, self._begun = header["starting"], header["begun"]
        self._random = generator(header["random"])

    @property
    def _environment(self) -> str:
        """What the same actions must be played on to lead to the same state."""
        options = self._options
        return (f"{options.id} {options.arguments} frameskip={options.frameskip} "
                f"size={options.size} full_action_space={options.full_action_space} "
                f"sticky={options.sticky} noop={self._spec.actions.noop}")

    def _check(self) -> int:
        return zlib.crc32(self._observations.convert(self._newest).tobytes())

    def close(self) -> None:
        """See `Plant`."""
        if not self._closed:
            self._env.close()
        self._closed = True


def _make(options: GymnasiumOptions) -> Any:  # noqa: ANN401 - a gymnasium.Env
    gymnasium = load_library("gymnasium", EXTRA)
    arguments = _arguments(options.arguments)
    if options.id.startswith(_ATARI):
        ale = load_library("ale_py", EXTRA)
        ale.ALEInterface.setLoggerMode(ale.LoggerMode.Error)
        gymnasium.register_envs(ale)
        arguments = {"frameskip": 1, "repeat_action_probability": options.sticky,
                     "full_action_space": options.full_action_space,
                     "obs_type": "grayscale", **arguments}
    try:
        return gymnasium.make(options.id, disable_env_checker=True, **arguments)
    except (gymnasium.error.Error, ImportError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise PlantError(f"environment {options.id!r} cannot be made: {reason}") from error


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


def _period_ns(options: GymnasiumOptions, env: Any) -> int:  # noqa: ANN401 - a gymnasium.Env
    if options.period_ms:
        return round(options.period_ms * 1e6)
    rate = (_ATARI_FRAMES_PER_SECOND if options.id.startswith(_ATARI)
            else (env.metadata or {}).get("render_fps"))
    if not rate:
        raise PlantError(f"environment {options.id!r} does not say its rate (render_fps): "
                         "set period_ms")
    return round(1e9 * options.frameskip / rate)
