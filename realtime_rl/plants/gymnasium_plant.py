"""Any Gymnasium environment as a plant, the Atari games of the Arcade Learning Environment too."""

from __future__ import annotations

import contextlib
import zlib
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np

from realtime_rl.core.errors import MissingDependencyError, PlantError, RealtimeRlError
from realtime_rl.core.observations import Observation, split
from realtime_rl.core.types import Action, PlantSpec, Transition
from realtime_rl.plants import gymnasium_pictures as pictures
from realtime_rl.plants.base import check_action
from realtime_rl.plants.gymnasium_make import GymnasiumOptions, make, period
from realtime_rl.plants.gymnasium_observations import Observations
from realtime_rl.plants.gymnasium_spaces import Actions
from realtime_rl.plants.state_bytes import generator, pack, random_state, unpack

_SEEDS = 2**31
_REMEMBERED = 1 << 22
"""Values of an episode's actions that are kept to save it: 34 MB, a day at 50 Hz."""


class GymnasiumPlant:
    """A Gymnasium environment: pictures as small ones, all else as vectors; see `id`.

    A saved state is the episode's seed and its actions, 8 bytes a value; loading plays them
    again, so that it takes as long as the episode did. Nothing of the environment is pickled.
    An episode that is too long to be remembered goes on, but cannot be saved.
    """

    Options = GymnasiumOptions

    def __init__(self, options: GymnasiumOptions, seed: int) -> None:
        """Make the environment.

        Raises:
            PlantError: there is none of that id, it refuses its arguments, its spaces do not fit,
                or it does not say its period; whatever it raises, later too.
            MissingDependencyError: `gymnasium`, `ale_py` or `cv2` is not installed.
        """
        self._options = options
        with self._plant_errors("cannot be made"):
            made = make(options)
            self._env = made.env
        with self._plant_errors("does not fit"):
            self._observations = Observations(self._env.observation_space, options.size,
                                              options.part, options.observe,
                                              colour=options.colour)
            self._actions = Actions(self._env, options.noop)
            period_ns, rate = period(options, made)
            self._spec = PlantSpec(f"gymnasium:{options.id}", period_ns,
                                   self._observations.spec, self._actions.spec, rate)
        self._random = np.random.default_rng(seed)
        self._starting, self._begun, self._tick = True, False, 0
        self._begin_with = (0, 0)
        self._history = array("d")
        self._remembered = True
        self._newest: Any = None
        self._closed = False

    @contextlib.contextmanager
    def _plant_errors(self, what: str) -> Iterator[None]:
        """Turn whatever the environment raises into one line."""
        try:
            yield
        except MissingDependencyError:
            raise
        except RealtimeRlError as error:
            raise PlantError(f"environment {self._options.id!r} {what}: "
                             f"{_one_line(error)}") from error
        except (Exception, SystemExit) as error:
            reason = _one_line(error)
            kind = type(error).__name__
            raise PlantError(f"environment {self._options.id!r} {what}: "
                             f"{f'{kind}: {reason}' if reason else kind}") from error

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
        observation = self._observed()
        self._remember(action)
        self._tick += 1
        last = over or cut or self._tick == self._options.episode_ticks
        self._starting = last
        return Transition(observation, reward, 0.0 if over else 1.0, first=False, last=last)

    def _observed(self) -> Observation:
        with self._plant_errors("cannot be observed"):
            return self._observations.convert(self._newest)

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
            before = self._newest
            reward, over, cut = self._step(converted)
            total += reward
            if over or cut:
                break
        if self._options.frameskip > 1:
            self._newest = self._observations.brighter(before, self._newest)
        return total, over, cut

    def _step(self, converted: Any) -> tuple[float, bool, bool]:  # noqa: ANN401 - its own action
        """Make one step of the environment."""
        with self._plant_errors("fails in a step"):
            found = self._env.step(converted)
            if not isinstance(found, tuple) or len(found) != 5:
                raise PlantError("it gives no observation, reward, terminated, truncated and info "
                                 f"but {_described(found)}; those of Gym before 0.26 differ")
            observation, reward, over, cut, _ = found
            self._newest = self._observations.pick(observation)
            return float(reward), bool(over), bool(cut)

    def _reset(self, seed: int) -> None:
        """Start an episode of the environment."""
        with self._plant_errors("fails in its reset"):
            found = self._env.reset(seed=seed)
            if not isinstance(found, tuple) or len(found) != 2:
                raise PlantError(f"it gives no observation and info but {_described(found)}; those "
                                 "of Gym before 0.26 differ")
            self._newest = self._observations.pick(found[0])

    def prepare(self) -> None:
        """See `Plant`: making an episode ready may take some milliseconds."""
        if self._starting and not self._begun:
            self._begin(int(self._random.integers(_SEEDS)),
                        int(self._random.integers(self._options.noops, endpoint=True)))

    def _begin(self, seed: int, noops: int) -> None:
        """Start an episode; the same seed and number of no-ops start it alike."""
        self._begin_with = seed, noops
        self._reset(seed)
        noop = self._actions.convert(self._spec.actions.noop)
        for _ in range(noops):
            _, over, cut = self._step(noop)
            if over or cut:
                self._reset(seed)
        self._begun, self._tick, self._remembered = True, 0, True
        del self._history[:]

    def _first(self) -> Transition:
        self.prepare()
        observation = self._observed()
        self._starting = self._begun = False
        return Transition(observation, reward=0.0, discount=1.0, first=True, last=False)

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
        observed = "".join(f" {name}={value}" for name, value in
                           (("part", options.part), ("observe", options.observe),
                            ("colour", options.colour))
                           if value not in ("", pictures.AUTO, False))
        return (f"{options.id} {options.arguments} frameskip={options.frameskip} "
                f"size={options.size} full_action_space={options.full_action_space} "
                f"sticky={options.sticky} noop={self._spec.actions.noop}{observed}")

    def _check(self) -> int:
        check = 0
        for part in split(self._observed()):
            check = zlib.crc32(part.tobytes(), check)
        return check

    def close(self) -> None:
        """See `Plant`."""
        if self._closed:
            return
        self._closed = True
        with self._plant_errors("cannot be closed"):
            self._env.close()


def _described(found: object) -> str:
    return (f"{len(found)} values" if isinstance(found, tuple)
            else f"a {type(found).__name__}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
