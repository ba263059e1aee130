"""What a game's memory says: rewards, ends of episodes, and what is written at a reset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.plants.ram_values import Cell, Memory
from realtime_rl.plants.rule_conditions import Condition
from realtime_rl.plants.rule_values import Value

TAKES = ("difference", "level")
_RAM = 0x8000
SEED = "seed"
"""In place of a value: a fresh one is drawn at each reset, from the plant's seed."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A value, or its change since the tick before."""

    value: Value
    take: str


@dataclass(frozen=True, slots=True)
class Reward:
    """One term of the reward: `weight` times an amount, or times how often a condition holds."""

    what: Amount | Condition
    weight: float = 1.0
    when: Condition | None = None
    """Only at ticks at which this holds."""

    @staticmethod
    def of(cell: Cell, take: str, weight: float) -> Reward:
        """A term of one value in memory."""
        return Reward(Amount(Value.of(cell), take), weight)


@dataclass(frozen=True, slots=True)
class First:
    """Of some terms the first alone that gives anything."""

    terms: tuple[Reward, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """What is counted in an episode, from 0 on: an amount, or how often a condition holds."""

    what: Amount | Condition
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Poke:
    """A value that is written at each reset; `None` stands for a draw from the seed."""

    cell: Cell
    value: int | None

    def __post_init__(self) -> None:
        """Refuse ROM: writes there switch banks, and change no value."""
        if self.cell.address < _RAM:
            raise PlantError(f"address {self.cell.address:#06x} is in ROM; RAM begins at "
                             f"{_RAM:#06x}")

    def write(self, memory: Memory, random: np.random.Generator) -> None:
        """Write it, drawing uniformly over all that fits where the value is `None`."""
        value = self.value
        if value is None:
            value = int(random.integers(self.cell.low, self.cell.high, endpoint=True))
        self.cell.write(memory, value)


@dataclass(frozen=True, slots=True)
class Watched:
    """A value that a policy may be shown in place of the picture."""

    cell: Cell
    low: int
    """Shown as -1, and what is below it."""
    high: int
    """Shown as 1, and what is above it."""

    def __post_init__(self) -> None:
        """Refuse an empty range."""
        if not self.low < self.high:
            raise PlantError(f"low {self.low!r} must be below high {self.high!r}")

    def shown(self, value: int) -> float:
        """Return what is shown of a value, in [-1, 1]; outside of it where the value is."""
        return 2.0 * ((value - self.low) / (self.high - self.low)) - 1.0


@dataclass(frozen=True, slots=True)
class Equal:
    """One element of a one-hot value: shown as 1 where the value is `value`, else as 0."""

    cell: Cell
    value: int

    def shown(self, value: int) -> float:
        """Return what is shown of a value."""
        return float(value == self.value)


@dataclass(frozen=True, slots=True)
class Hold:
    """A part of the way from power-on to the start state: a label held for some frames."""

    label: str
    frames: int


@dataclass(frozen=True, slots=True)
class Until:
    """Another: a label pressed again and again until a condition holds."""

    condition: Condition
    label: str
    frames: int
    """It is held for so many, then let go for as many."""
    limit: int
    """The start has failed when it does not hold after so many frames."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Another: nothing for a random number of frames, drawn at each reset."""

    least: int
    most: int


Step = Hold | Until | Wait
START: tuple[Step, ...] = (Hold("NOOP", 120),)
"""Where a rules file does not say how to get to the start state: two seconds of nothing."""


@dataclass(frozen=True, slots=True)
class KnownRom:
    """A cartridge that rules are for."""

    title: str
    """In the ROM's header."""
    checksum: int
    """Of the header, as it stands there."""
    name: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a rules file says. `source` names it in messages."""

    source: str
    title: str | None = None
    sha256: str | None = None
    roms: tuple[KnownRom, ...] = ()
    about: str = ""
    how: str = ""
    """How to make the states that episodes start in."""
    actions: tuple[str, ...] = ()
    start: tuple[Step, ...] = START
    ready: Condition | None = None
    """What holds at the first tick of every episode, or the start has failed."""
    states: tuple[Path, ...] = ()
    """Episodes start in one of them, drawn from the seed."""
    needs_state: bool = False
    settings: Mapping[str, Poke] = field(default_factory=dict)
    pokes: tuple[Poke, ...] = ()
    noops: tuple[int, int] = (0, 0)
    episode_ticks: int = 0
    frame_skip: int = 1
    """Frames a tick; rules are looked at in each of them."""
    crop: tuple[int, int, int, int] | None = None
    """Left, top, width and height of what is shown of the screen [px]."""
    rewards: tuple[Reward | First, ...] = ()
    ends: tuple[Condition, ...] = ()
    counters: Mapping[str, Counter] = field(default_factory=dict)
    observe: Mapping[str, Watched | Equal] = field(default_factory=dict)

    def with_settings(self, text: str, options: Iterable[str] = ()) -> Rules:
        """Return rules with other defaults: `difficulty=1 stochasticity=128`, `seed=seed`.

        `options` are the plant's, for the message about a name that is neither.
        """
        settings = dict(self.settings)
        for name, value in _pairs("settings", text):
            if name not in settings:
                raise PlantError(f"{name!r} is no setting of {self.source!r} and no option; "
                                 f"settings: {choices(settings) or 'none'}; options: "
                                 f"{choices(options)}")
            settings[name] = Poke(settings[name].cell, _value(name, value, settings[name].cell))
        return replace(self, settings=settings)

    def with_pokes(self, text: str) -> Rules:
        """Return rules that write more bytes at a reset: `0xC001=64 0xC002=seed`."""
        more = []
        for name, value in _pairs("pokes", text):
            cell = Cell.of(_integer("pokes", name), "u8")
            more.append(Poke(cell, _value(name, value, cell)))
        return replace(self, pokes=(*self.pokes, *more))

    def with_noops(self, text: str) -> Rules:
        """Return rules with another number of no-ops, least and most: `0 40`."""
        counts = [_integer("noops", word) for word in text.split()] or list(self.noops)
        if len(counts) != 2 or not 0 <= counts[0] <= counts[1]:
            raise PlantError(f"noops {text!r}: write the least and the most, like '0 40'")
        return replace(self, noops=(counts[0], counts[1]))

    def write(self, memory: Memory, random: np.random.Generator) -> None:
        """Write the settings, then the pokes."""
        for poke in (*self.settings.values(), *self.pokes):
            poke.write(memory, random)


def _pairs(option: str, text: str) -> list[tuple[str, str]]:
    pairs = []
    for word in text.split():
        name, sign, value = word.partition("=")
        if not (name and sign and value):
            raise PlantError(f"{option} {word!r}: write it like 'name=1'")
        pairs.append((name, value))
    return pairs


def _value(name: str, text: str, cell: Cell) -> int | None:
    if text == SEED:
        return None
    value = _integer(name, text)
    if not cell.low <= value <= cell.high:
        raise PlantError(f"{name}: {value!r} does not fit {cell.kind}: {cell.low} … {cell.high}, "
                         f"or {SEED!r}")
    return value


def _integer(name: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError as error:
        raise PlantError(f"{name}: {text!r} is not an integer (like 64 or 0x40)") from error
