"""A robot's contract kept by a MuJoCo model: the same robot, in virtual time."""

from __future__ import annotations

import zlib
from array import array

import numpy as np

from realtime_rl.core.errors import PlantError
from realtime_rl.core.robot.episodes import Episodes, Outcome
from realtime_rl.core.types import Action, PlantSpec, Transition
from realtime_rl.plants.base import check_action
from realtime_rl.plants.mujoco_asking import Asking
from realtime_rl.plants.mujoco_messages import Scene, saying
from realtime_rl.plants.mujoco_model import Body, Values, library, load
from realtime_rl.plants.mujoco_observing import Observing
from realtime_rl.plants.mujoco_options import MujocoOptions, find_model, read_contract, words
from realtime_rl.plants.mujoco_targets import Targets
from realtime_rl.plants.state_bytes import generator, pack, random_state, unpack

_SEEDS = 2**31


class MujocoPlant:
    """A robot by its contract and its MJCF: names, limits and period are those of the robot.

    What is asked for goes through the same limits as on the robot, and a tick is the robot's: what
    is seen at it is seen before what is sent at it has moved anything. An episode has a new target.
    It begins where the model starts; a base's, which nobody carries back, where it came to rest. A
    saved state is the episode's start, its seed and its actions.
    """

    Options = MujocoOptions

    def __init__(self, options: MujocoOptions, seed: int) -> None:
        """Load the model.

        Raises:
            PlantError: a file cannot be read, or model and contract do not fit each other.
            MissingDependencyError: `mujoco` is not installed.
        """
        library()
        self._options = options
        self._history = array("d")
        self._contract = contract = read_contract(options.contract)
        self._body = Body(load(find_model(options.model)), contract, options.drive)
        self._scene = Scene(np.zeros(3), np.random.default_rng(seed), options.noise)
        places = words(options.places, "places")
        says = {source.name: saying(source, self._body, self._scene, places, options.scan)
                for source in contract.sources}
        self._observing = Observing(contract, says)
        self._targets = Targets(self._body, contract, options)
        spec = contract.spec
        self._spec = PlantSpec(f"mujoco:{spec.name}", spec.period_ns, spec.observation,
                               spec.actions)
        self._random = np.random.default_rng(seed)
        self._starting = True
        self._home = self._start = self._body.start
        self._begin(0, self._home)

    @property
    def spec(self) -> PlantSpec:
        """See `Plant`."""
        return self._spec

    def step(self, action: Action) -> Transition:
        """See `Plant`."""
        check_action(action, self._spec)
        if self._starting:
            stays = self._options.drive and not self._reset
            self._begin(int(self._random.integers(_SEEDS)),
                        self._body.positions if stays else self._home)
            outcome = self._outcome
        else:
            outcome = self._advance(action)
        self._starting = outcome.last
        return Transition(self._seen.observation, outcome.reward, outcome.discount, outcome.first,
                          outcome.last)

    def _begin(self, seed: int, start: Values) -> None:
        """Begin an episode, all of which follows from its seed, its start and the actions."""
        self._episode_seed, self._scene.random = seed, np.random.default_rng(seed)
        self._start, self._reset = start, False
        self._body.restart(start)
        self._scene.target = self._targets.draw(self._scene.random)
        self._observing.restart()
        self._seen = self._observing.observe()
        self._asking = Asking(self._contract, self._seen,
                              self._body.held(self._contract.elements))
        self._episodes = Episodes(self._contract)
        self._outcome = self._tick()
        del self._history[:]

    def _tick(self) -> Outcome:
        return self._episodes.tick(self._seen.observation, self._seen.now_ns, at_pose=True)

    def _advance(self, action: Action) -> Outcome:
        self._body.advance(self._asking.last)
        self._seen = self._observing.observe()
        self._asking.command(action, self._seen)
        self._history.extend(action)
        return self._tick()

    def prepare(self) -> None:
        """See `Plant`: nothing here takes long."""

    def reset(self, seed: int | None = None) -> None:
        """See `Plant`."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        self._starting = self._reset = True

    def save_state(self) -> bytes:
        """See `Plant`."""
        return pack("mujoco", {"robot": self._robot, "starting": self._starting,
                               "reset": self._reset, "seed": self._episode_seed,
                               "random": random_state(self._random)},
                    self._start.tobytes() + self._history.tobytes())

    def load_state(self, state: bytes) -> None:
        """See `Plant`: it takes as long as the episode did."""
        header, raw = unpack("mujoco", state)
        if header["robot"] != self._robot:
            raise PlantError("the saved state is of another robot, or of other options, than "
                             f"{self._spec.name!r}")
        start, history = np.split(np.frombuffer(raw), [len(self._home)])
        self._begin(header["seed"], start)
        for action in history.reshape(-1, len(self._spec.actions.noop)).tolist():
            self._advance(tuple(action))
        self._starting, self._reset = header["starting"], header["reset"]
        self._random = generator(header["random"])

    @property
    def _robot(self) -> int:
        """What the same actions must be done by to lead to the same state."""
        return zlib.crc32(repr((self._options, self._contract)).encode())

    def close(self) -> None:
        """See `Plant`: there is nothing to release."""
