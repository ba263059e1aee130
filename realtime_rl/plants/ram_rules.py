"""What a game's memory says: rewards, ends of episodes, and what is written at a reset."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.plants.ram_values import Cell, Memory

TAKES = ("difference", "level")
OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge}
_RAM = 0x8000
SEED = "seed"
"""In place of a value: a fresh one is drawn at each reset, from the plant's seed."""


@dataclass(frozen=True, slots=True)
class Reward:
    """One term of the reward: `weight` times a value, or times its change since last tick."""

    cell: Cell
    take: str
    weight: float


@dataclass(frozen=True, slots=True)
class End:
    """A condition that ends the episode for good: `value <operator> limit`."""

    cell: Cell
    operator: str
    limit: int


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

    def read(self, memory: Memory) -> float:
        """Return the value, in [-1, 1]."""
        place = (self.cell.read(memory) - self.low) / (self.high - self.low)
        return 2.0 * min(1.0, max(0.0, place)) - 1.0

    def table(self) -> list[float]:
        """Return what `read` gives of each byte; empty where the value has several."""
        address = self.cell.address
        return [] if self.cell.size > 1 else [self.read({address: byte}) for byte in range(256)]


@dataclass(frozen=True, slots=True)
class Hold:
    """A part of the way from power-on to the start state: a label held for some frames."""

    label: str
    frames: int


START = (Hold("NOOP", 120),)
"""Where a rules file does not say how to get to the start state: two seconds of nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a rules file says. `source` names it in messages."""

    source: str
    title: str | None = None
    sha256: str | None = None
    actions: tuple[str, ...] = ()
    start: tuple[Hold, ...] = START
    settings: Mapping[str, Poke] = field(default_factory=dict)
    pokes: tuple[Poke, ...] = ()
    noops: tuple[int, int] = (0, 0)
    rewards: tuple[Reward, ...] = ()
    ends: tuple[End, ...] = ()
    observe: Mapping[str, Watched] = field(default_factory=dict)

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


class Watch:
    """Reads the values that a policy may be shown, at every tick."""

    def __init__(self, rules: Rules) -> None:
        """Work out ahead how each byte is shown that is a value of its own."""
        self._values = [(value.cell.address, value.table(), value)
                        for value in rules.observe.values()]

    def observed(self, memory: Memory) -> NDArray[np.float32]:
        """Return the values as they are now, each in [-1, 1]."""
        return np.array([table[memory[address]] if table else value.read(memory)
                         for address, table, value in self._values], np.float32)


class Score:
    """Rewards and ends from tick to tick; remembers the values of the previous tick."""

    def __init__(self, rules: Rules) -> None:
        """Make a score that is to be started."""
        self._terms = [(term.cell.reader(), term.take == "difference", term.weight)
                       for term in rules.rewards]
        self._ends = [(end.cell.reader(), OPERATORS[end.operator], end.limit)
                      for end in rules.ends]
        self.previous: list[int] = [0] * len(rules.rewards)

    def start(self, memory: Memory) -> None:
        """Begin an episode: changes count from now on."""
        self.previous = [read(memory) for read, _, _ in self._terms]

    def update(self, memory: Memory) -> tuple[float, bool]:
        """Return the reward of this tick, and whether the episode is over."""
        reward, previous = 0.0, self.previous
        self.previous = values = [read(memory) for read, _, _ in self._terms]
        for (_, difference, weight), value, before in zip(
                self._terms, values, previous, strict=True):
            reward += weight * (value - before if difference else value)
        for read, compare, limit in self._ends:
            if compare(read(memory), limit):
                return reward, True
        return reward, False


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
