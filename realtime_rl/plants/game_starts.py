"""Where a game's episodes begin: the way from power-on, or one of some saved states; checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from realtime_rl.core.errors import PlantError
from realtime_rl.files import user_path
from realtime_rl.plants import buttons
from realtime_rl.plants.emulator import Emulator
from realtime_rl.plants.ram_rules import Hold, Rules, Step, Until, Wait
from realtime_rl.plants.rom_files import Rom
from realtime_rl.plants.rule_conditions import described, now_holds
from realtime_rl.plants.state_bytes import unpack

STATE_SUFFIX = ".state"
_OURS = b"RLPLANT1"


class GameStarts:
    """Takes an emulator to the beginning of an episode, as the rules say."""

    def __init__(self, emulator: Emulator, rules: Rules, rom: Rom, states: str = "") -> None:
        """Work out the start states; `PlantError` for one that is of another game, or not ready.

        Args:
            emulator: of that ROM, fresh.
            rules: say the way, or name states.
            rom: names the game.
            states: the path of a state, or of a folder of some, in place of the rules'.
        """
        self._emulator, self._rules, self._rom = emulator, rules, rom
        self._ready = None if rules.ready is None else now_holds(rules.ready)
        self._rest: tuple[Step, ...] = ()
        paths = _paths(states) if states else rules.states
        if paths:
            self._states = [self._checked(path) for path in paths]
            return
        if rules.needs_state:
            raise PlantError(f"{rules.source!r} begins in states that you saved; name one, or a "
                             f"folder of some, with the option 'state'. {rules.how}".strip())
        drawn = next((place for place, step in enumerate(rules.start) if isinstance(step, Wait)),
                     len(rules.start))
        self._go(rules.start[:drawn], np.random.default_rng(0))
        self._rest = rules.start[drawn:]
        emulator.hold(frozenset())
        emulator.run(1)
        self._states = [emulator.save()]

    def begin(self, random: np.random.Generator) -> None:
        """Go to a start; the next frame is the first of the episode."""
        place = int(random.integers(len(self._states))) if len(self._states) > 1 else 0
        self._begin(self._states[place], random)

    def check(self) -> None:
        """Refuse a first tick at which the game is not where an episode starts: `PlantError`."""
        if self._ready is not None and not self._ready(self._emulator.memory):
            assert self._rules.ready is not None
            raise PlantError(f"{self._rules.source!r}: the game did not start: at the first tick "
                             f"'ready' does not hold: {described(self._rules.ready)}")

    def _begin(self, state: bytes, random: np.random.Generator) -> None:
        emulator = self._emulator
        emulator.load(state)
        if self._rest:
            self._go(self._rest, random)
            emulator.hold(frozenset())
        self._rules.write(emulator.memory, random)
        emulator.run(int(random.integers(*self._rules.noops, endpoint=True)))

    def _checked(self, path: Path) -> bytes:
        """Read a state, let go of what was held in it, and try it."""
        emulator = self._emulator
        try:
            emulator.load(self._raw(path.read_bytes()), buttons.ALL)
        except OSError as error:
            raise PlantError(f"state {str(path)!r} cannot be read ({error.strerror})") from error
        except PlantError as error:
            raise PlantError(f"state {str(path)!r}: {error}") from error
        emulator.hold(frozenset())
        emulator.run(1)
        state = emulator.save()
        problem = emulator.astray()
        if problem:
            raise PlantError(f"state {str(path)!r} is not of {self._rom.title!r}, or is damaged: "
                             f"{problem} when it goes on")
        try:
            self._begin(state, np.random.default_rng(0))
            emulator.run(1)
            self.check()
        except PlantError as error:
            raise PlantError(f"state {str(path)!r}: {error}") from error
        return state

    def _raw(self, data: bytes) -> bytes:
        """Return the console's state in what is read; those that a plant saved name their ROM."""
        if not data.startswith(_OURS):
            return data
        header, raw = unpack("pyboy", data)
        if header["rom"] != self._rom.sha256:
            raise PlantError(f"it is of another ROM than {self._rom.title!r}: SHA-256 "
                             f"{header['rom']}")
        return raw

    def _go(self, steps: Iterable[Step], random: np.random.Generator) -> None:
        for place, step in enumerate(steps):
            if isinstance(step, Hold):
                self._emulator.hold(buttons.pressed(step.label))
                self._emulator.run(step.frames)
            elif isinstance(step, Wait):
                self._emulator.hold(frozenset())
                self._emulator.run(int(random.integers(step.least, step.most, endpoint=True)))
            elif not self._until(step):
                raise PlantError(f"{self._rules.source!r}: start[{place}]: the game did not "
                                 f"start: {described(step.condition)} did not come to hold within "
                                 f"{step.limit} frames of pressing {step.label}")

    def _until(self, step: Until) -> bool:
        holds, memory = now_holds(step.condition), self._emulator.memory
        held = buttons.pressed(step.label)
        for frame in range(step.limit):
            if holds(memory):
                return True
            pressing = frame // step.frames % 2 == 0
            self._emulator.hold(held if pressing else frozenset())
            self._emulator.run(1)
        return holds(memory)


def _paths(text: str) -> list[Path]:
    """Return the state that an option names, or those in the folder that it names."""
    path = user_path(text)
    if not path.is_dir():
        return [path]
    found = sorted(_in(path))
    if not found:
        raise PlantError(f"folder {str(path)!r} has no file that ends in {STATE_SUFFIX!r}")
    return found


def _in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix == STATE_SUFFIX and path.is_file())
