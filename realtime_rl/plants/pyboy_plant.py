"""Any Game Boy game as a plant, in the PyBoy emulator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from realtime_rl.core.errors import PlantError
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.settings.config import parameter, parameters
from realtime_rl.core.types import Action, PlantSpec, Transition
from realtime_rl.plants import buttons, game_rules, rom_files
from realtime_rl.plants.base import check_action
from realtime_rl.plants.emulator import FRAMES_PER_SECOND, Emulator
from realtime_rl.plants.game_starts import GameStarts
from realtime_rl.plants.ram_rules import Rules
from realtime_rl.plants.ram_values import Memory
from realtime_rl.plants.rule_score import Score, Watch
from realtime_rl.plants.state_bytes import generator, pack, random_state, unpack


@dataclass(frozen=True, slots=True)
class PyBoyOptions:
    """Which game, by which rules."""

    rom: str = parameter("catch", "a ROM file's path, or the name of a bundled ROM", path=True)
    rules: str = parameter("", "the rules file's path (rewards, ends, start), or the name of one "
                               "that 'realtime-rl games' lists; bundled ROMs have one, other ROMs "
                               "without one give no rewards and never end", path=True)
    state: str = parameter("", "the path of a PyBoy state in which episodes start, or of a folder "
                               "of some from which one is drawn for each, instead of the way from "
                               "power-on that the rules describe", path=True)
    observe: str = parameter("picture", "what a policy is given: the picture, or the values in "
                                        "memory that the rules name (quick to learn from)",
                             choices=("picture", "memory"))
    size: int = parameter(84, "height and width of a picture; smaller ones make learning quicker",
                          unit="px", low=8, high=144)
    buttons: str = parameter("rules", "the action space: the rules' (six buttons where they have "
                                      "none), six or eight buttons, each with NOOP last",
                             choices=("rules", "6", "8"))
    settings: str = parameter("", "the rules' settings with other values: 'difficulty=1 "
                                  "stochasticity=128'; difficulty=1 as an option does the same")
    pokes: str = parameter("", "more bytes to write at each reset: '0xC001=64 0xC002=seed'")
    noops: str = parameter("", "random no-ops after a reset, least and most: '0 40'; "
                               "empty: as the rules say")
    episode_ticks: int = parameter(0, "cut episodes off after so many ticks; 0: as the rules say, "
                                      "else never", low=0)
    frame_skip: int = parameter(0, "frames a tick; 0: as the rules say, else 1", low=0, high=60)


class PyBoyPlant:
    """A Game Boy at 59.7275 frames a second: grey pictures, rewards from its memory.

    With the option `observe=memory` the policy is given values from the memory instead.
    """

    Options = PyBoyOptions

    def __init__(self, options: PyBoyOptions, seed: int) -> None:
        """Run to the start state (about 0.1 s); `PlantError` for a bad ROM, rules or option."""
        rom = rom_files.find(options.rom)
        self._rules = rules = _rules(options, rom)
        self._sha256 = rom.sha256
        self._episode_ticks = options.episode_ticks or rules.episode_ticks
        self._more_frames = (options.frame_skip or rules.frame_skip) - 1
        labels = {"6": buttons.SIX, "8": buttons.EIGHT}.get(
            options.buttons, rules.actions or buttons.SIX)
        self._presses: dict[Action, frozenset[str]] = {
            (float(index),): buttons.pressed(label) for index, label in enumerate(labels)}
        picture = ObservationSpec((1, options.size, options.size), "uint8", 0, 255)
        self._pictures = options.observe == "picture"
        self._spec = PlantSpec(
            name=f"pyboy:{rom.name}",
            period_ns=round(1e9 / FRAMES_PER_SECOND * (1 + self._more_frames)),
            observation=(picture if self._pictures
                         else ObservationSpec((len(rules.observe),), "float32", -1, 1)),
            actions=buttons.action_space(labels),
            warning="" if rules.rewards else
                    f"{rules.source}: no rewards, so that nothing can be learned",
            counters=tuple(rules.counters))
        self._emulator = Emulator(rom, options.size, rules.crop)
        self._score, self._watch = Score(rules), Watch(rules)
        self._starts = GameStarts(self._emulator, rules, rom, options.state)
        self._closed = False
        self._random = np.random.default_rng(seed)
        self._starting, self._tick = True, 0
        self._begun = False

    @property
    def spec(self) -> PlantSpec:
        """See `Plant`."""
        return self._spec

    @property
    def memory(self) -> Memory:
        """The console's memory as it is now, for scripted players."""
        return self._emulator.memory

    def ram(self, ranges: Iterable[range]) -> bytes:
        """Return what memory holds at some addresses, one range after another."""
        memory = self._emulator.memory
        return bytes(memory[address] for part in ranges for address in part)

    def step(self, action: Action) -> Transition:
        """See `Plant`."""
        if self._closed:
            raise PlantError(f"plant {self._spec.name!r} is closed")
        pressed = self._presses.get(tuple(action))
        if pressed is None:
            check_action(action, self._spec)
            raise PlantError(f"action {action!r} has no button")
        if self._starting:
            return self._first()
        self._emulator.hold(pressed)
        reward, over = self._more() if self._more_frames else (0.0, False)
        observation = self._frame()
        self._tick += 1
        if not over:
            more, over = self._score.update(self._emulator.memory)
            reward += more
        last = over or self._tick == self._episode_ticks
        self._starting = last
        return Transition(observation, reward, 0.0 if over else 1.0, first=False, last=last,
                          counters=self._score.counters if self._spec.counters else ())

    def _more(self) -> tuple[float, bool]:
        """Run the frames of a tick but its last; the rules are looked at in each of them."""
        reward, over = 0.0, False
        for _ in range(self._more_frames):
            self._emulator.run(1)
            if not over:
                more, over = self._score.update(self._emulator.memory)
                reward += more
        return reward, over

    def prepare(self) -> None:
        """See `Plant`: going back to the start takes some milliseconds."""
        if self._starting and not self._begun:
            self._starts.begin(self._random)
            self._begun = True

    def _first(self) -> Transition:
        self.prepare()
        observation = self._frame()
        self._starts.check()
        self._score.start(self._emulator.memory)
        self._starting, self._begun, self._tick = False, False, 0
        return Transition(observation, reward=0.0, discount=1.0, first=True, last=False,
                          counters=self._score.counters)

    def remarks(self) -> list[str]:
        """See `Plant`: observed values that were outside their range."""
        return self._watch.remarks()

    def _frame(self) -> Observation:
        """Advance one frame and return what there is to see of it."""
        if self._pictures:
            return self._emulator.draw()
        self._emulator.run(1)
        return self._watch.observed(self._emulator.memory)

    def reset(self, seed: int | None = None) -> None:
        """See `Plant`."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
            self._begun = False
        self._starting, self._tick = True, 0

    def save_state(self) -> bytes:
        """See `Plant`."""
        header = {"rom": self._sha256, "starting": self._starting,
                  "begun": self._begun, "tick": self._tick,
                  "previous": self._score.previous, "held": sorted(self._emulator.held),
                  "random": random_state(self._random)}
        return pack("pyboy", header, self._emulator.save())

    def load_state(self, state: bytes) -> None:
        """See `Plant`."""
        header, raw = unpack("pyboy", state)
        if header["rom"] != self._sha256:
            raise PlantError(f"the saved state is of another ROM than {self._spec.name!r}: "
                             f"SHA-256 {header['rom']!r}")
        self._emulator.load(raw, frozenset(header["held"]))
        self._score.previous = header["previous"]
        self._starting, self._tick = header["starting"], header["tick"]
        self._begun = header["begun"]
        self._random = generator(header["random"])

    def close(self) -> None:
        """See `Plant`."""
        if not self._closed:
            self._emulator.close()
        self._closed = True


def _rules(options: PyBoyOptions, rom: rom_files.Rom) -> Rules:
    """Read the rules and adapt them to the options; refuse a ROM that they are not for."""
    rules = game_rules.rules_for(rom, options.rules)
    if options.observe == "memory" and not rules.observe:
        raise PlantError(f"observe=memory: {rules.source!r} names no values to 'observe'")
    return (rules.with_settings(options.settings, parameters(PyBoyOptions))
            .with_pokes(options.pokes).with_noops(options.noops))
