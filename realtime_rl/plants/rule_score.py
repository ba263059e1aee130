"""Rules at work: rewards, counters and ends from tick to tick, and what a policy is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.plants.ram_rules import Amount, Counter, Equal, First, Reward, Rules, Watched
from realtime_rl.plants.ram_values import Memory
from realtime_rl.plants.rule_conditions import Condition, Reads, Test, compiled, values_of
from realtime_rl.plants.rule_values import Value

Places = dict[Value, int]


class Score:
    """Rewards, counters and ends; remembers what was read at the previous tick."""

    def __init__(self, rules: Rules) -> None:
        """Make a score that is to be started."""
        read = [value for value in dict.fromkeys(_values(rules)) if not value.counter]
        self._readers = [value.reader() for value in read]
        places = {value: place for place, value in enumerate(read)}
        self._size = len(read)
        for place, name in enumerate(rules.counters, self._size):
            places[Value(counter=name)] = place
        self._counts = [(place, _measure(counter, places))
                        for place, counter in enumerate(rules.counters.values(), self._size)]
        self._terms = [_term(reward, places) for reward in rules.rewards]
        self._ends = [compiled(end, places) for end in rules.ends]
        self.previous: list[Any] = [0] * (self._size + len(rules.counters))
        """What was read, in the order of the rules, then the counters."""

    def start(self, memory: Memory) -> None:
        """Begin an episode: changes count from now on."""
        self.previous = [*(read(memory) for read in self._readers), *(0 for _ in self._counts)]

    def update(self, memory: Memory) -> tuple[float, bool]:
        """Return the reward of this tick, and whether the episode is over."""
        before = self.previous
        now: list[Any] = [read(memory) for read in self._readers]
        self.previous = now
        if self._counts:
            now += before[self._size:]
            for place, count in self._counts:
                now[place] += count(now, before)
        reward = 0.0
        for term in self._terms:
            reward += term(now, before)
        for end in self._ends:
            if end(now, before):
                return reward, True
        return reward, False

    @property
    def counters(self) -> tuple[float, ...]:
        """What the counters count, in the order of the rules."""
        return tuple(map(float, self.previous[self._size:]))


def _values(rules: Rules) -> Iterator[Value]:
    """Yield all that the rules read, in the order in which they say it."""
    used: list[Reward | Counter] = [
        term for reward in rules.rewards
        for term in (reward.terms if isinstance(reward, First) else (reward,))]
    for rule in (*used, *rules.counters.values()):
        if isinstance(rule.what, Amount):
            yield rule.what.value
        else:
            yield from values_of(rule.what)
        yield from values_of(rule.when)
    for end in rules.ends:
        yield from values_of(end)


def _measure(rule: Reward | Counter, places: Places) -> Test:
    """Return what tells how much a rule gives, before its weight."""
    inner = _amount(rule.what, places)
    if rule.when is None:
        return inner
    when = compiled(rule.when, places)
    return lambda now, before: inner(now, before) if when(now, before) else 0


def _amount(what: Amount | Condition, places: Places) -> Test:
    if not isinstance(what, Amount):
        return compiled(what, places)
    at = places[what.value]
    if what.take == "level":
        return lambda now, before: now[at]
    if not what.value.modulo:
        return lambda now, before: now[at] - before[at]
    change = what.value.change()
    return lambda now, before: change(now[at], before[at])


def _term(reward: Reward | First, places: Places) -> Callable[[Reads, Reads], float]:
    if isinstance(reward, Reward):
        measure, weight = _measure(reward, places), reward.weight
        return lambda now, before: weight * measure(now, before)
    ordered = [(_measure(term, places), term.weight) for term in reward.terms]

    def first(now: Reads, before: Reads) -> float:
        for measure, weight in ordered:
            found = measure(now, before)
            if found:
                return weight * found
        return 0.0
    return first


class Watch:
    """Reads the values that a policy may be shown, at every tick."""

    def __init__(self, rules: Rules) -> None:
        """Work out ahead how each byte is shown that is a value of its own."""
        self._names = list(rules.observe)
        self._ranges: Mapping[str, Watched | Equal] = rules.observe
        self._values = [(value.cell.address, _table(value), value.cell.reader(), value.shown)
                        for value in rules.observe.values()]
        self.outside: dict[str, float] = {}
        """By name, the first value that was outside what it is said to lie in."""

    def observed(self, memory: Memory) -> NDArray[np.float32]:
        """Return the values as they are now, each in [-1, 1]."""
        values = [table[memory[address]] if table else shown(read(memory))
                  for address, table, read, shown in self._values]
        if values and (max(values) > 1.0 or min(values) < -1.0):
            values = self._clipped(values, memory)
        return np.array(values, np.float32)

    def _clipped(self, values: list[float], memory: Memory) -> list[float]:
        for name, value, (_, _, read, _) in zip(self._names, values, self._values, strict=True):
            if not -1.0 <= value <= 1.0:
                self.outside.setdefault(name, read(memory))
        return [min(1.0, max(-1.0, value)) for value in values]

    def remarks(self) -> list[str]:
        """Say what was outside the range that the rules give it, a line each."""
        lines = []
        for name, value in self.outside.items():
            of = self._ranges[name]
            if isinstance(of, Watched):
                lines.append(f"observe.{name}: {value:g} was outside {of.low} … {of.high}, and "
                             "shown as if it were at the limit")
        return lines


def _table(value: Watched | Equal) -> list[float]:
    """Return what is shown of each byte; empty where the value is no byte as it is."""
    cell = value.cell
    if cell.size > 1:
        return []
    read = cell.reader()
    return [value.shown(read({cell.address: byte})) for byte in range(256)]
