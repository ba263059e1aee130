"""How a rules file says rewards, ends, counters and their conditions."""

from __future__ import annotations

from realtime_rl.plants.ram_rules import TAKES, Amount, Counter, First, Reward
from realtime_rl.plants.rule_conditions import (
    EVENTS,
    GROUPS,
    OPERATORS,
    SETS,
    Compare,
    Condition,
    Event,
    Group,
    has_events,
)
from realtime_rl.plants.rule_values import FOLDS, Value
from realtime_rl.plants.value_parts import VALUE, ValueParts
from realtime_rl.plants.yaml_node import YamlNode

_COMPARED = (*VALUE, "op", "value")
_HAPPENED = (*VALUE, "event", "to", "by")
_CONDITION = (*_COMPARED, *_HAPPENED[len(VALUE):], *GROUPS)
_END = (*_CONDITION, "when")
_COUNTER = (*_CONDITION, "when", "take")
_TERM = (*_COUNTER, "weight")
_REWARD = (*_TERM, "first")
_NAME_LENGTH = 40


class RuleParts:
    """Reads rules, whose values `ValueParts` reads."""

    def __init__(self, values: ValueParts) -> None:
        """Take what reads values."""
        self._values = values

    def rewards(self, top: YamlNode) -> tuple[Reward | First, ...]:
        """Read the list of rewards."""
        return tuple(map(self._reward, top.nodes("rewards", _REWARD)))

    def _reward(self, node: YamlNode) -> Reward | First:
        if "first" not in node:
            return self._term(node)
        node.of(("first",))
        terms = tuple(map(self._term, node.nodes("first", _TERM)))
        if not terms:
            raise node.error("first", [], "a list of rewards")
        return First(terms)

    def _term(self, node: YamlNode) -> Reward:
        return Reward(self._what(node), node.number("weight", 1.0),
                      self.conditions_at(node, "when"))

    def _what(self, node: YamlNode) -> Amount | Condition:
        """Read an amount, or, where there is one, a condition."""
        if any(key in node for key in ("op", "event", *GROUPS)):
            if "take" in node:
                raise node.refused("take", "a condition gives 1 where it holds; it takes nothing")
            return self.condition(node)
        value = self._values.value(node)
        if not value.one:
            raise node.error("join", value.join, f"one of {', '.join(FOLDS)} without a condition")
        node.of((*VALUE, "take", "weight", "when"))
        return Amount(value, node.choice("take", TAKES, TAKES[0]))

    def counters(self, top: YamlNode) -> dict[str, Counter]:
        """Read the counters; from then on conditions may name them."""
        nodes = top.named("counters", _COUNTER)
        for name in nodes:
            if not name.isidentifier() or len(name) > _NAME_LENGTH:
                raise top.error("counters", name, "a name of letters, digits and '_', of "
                                                  f"{_NAME_LENGTH} at most")
        self._values.counters = tuple(nodes)
        found = {}
        for name, node in nodes.items():
            what = self._what(node)
            if isinstance(what, Amount) and what.take != TAKES[0]:
                raise node.refused("take", "a counter adds up changes, or how often a condition "
                                           "holds")
            found[name] = Counter(what, self.conditions_at(node, "when"))
        return found

    def ends(self, top: YamlNode) -> tuple[Condition, ...]:
        """Read the list of ends, any of which ends an episode."""
        return tuple(map(self._end, top.nodes("ends", _END)))

    def _end(self, node: YamlNode) -> Condition:
        condition, when = self.condition(node), self.conditions_at(node, "when")
        return condition if when is None else Group("all", (condition, when))

    def conditions_at(self, node: YamlNode, key: str, *, events: bool = True) -> Condition | None:
        """Read the condition of a key, or a list of some that all have to hold."""
        if key not in node:
            return None
        several = isinstance(node.value(key), list)
        parts = ([self.condition(part) for part in node.nodes(key, _CONDITION)] if several
                 else [self.condition(node.sub(key, _CONDITION))])
        if not parts:
            raise node.error(key, [], "a condition, or a list of some")
        if not events and any(map(has_events, parts)):
            raise node.refused(key, "nothing has happened yet: it can only compare values in "
                                    "memory")
        return parts[0] if len(parts) == 1 else Group("all", tuple(parts))

    def condition(self, node: YamlNode) -> Condition:
        """Read one condition."""
        kinds = [key for key in ("op", "event", *GROUPS) if key in node]
        if len(kinds) > 1:
            raise node.refused(kinds[1], f"it has a {kinds[0]!r} already: put them into a group, "
                                         "as in all: [{…}, {…}]")
        if kinds and kinds[0] in GROUPS:
            return self._group(node, kinds[0])
        # an unreadable value is said first, then what it is compared with
        value = self._values.value(node)
        return self._event(node, value) if kinds == ["event"] else self._compare(node, value)

    def _group(self, node: YamlNode, kind: str) -> Group:
        for key in node.keys:
            if key in _CONDITION and key != kind:
                raise node.refused(key, f"it belongs into {kind!r}, or has no place here")
        if kind == "not":
            return Group(kind, (self.condition(node.sub(kind, _CONDITION)),))
        parts = tuple(map(self.condition, node.nodes(kind, _CONDITION)))
        if not parts:
            raise node.error(kind, [], "a list of conditions")
        return Group(kind, parts)

    def _compare(self, node: YamlNode, value: Value) -> Compare:
        for key in ("to", "by"):
            if key in node:
                raise node.refused(key, "it is of an event, which this is not")
        compared = node.choice("op", (*OPERATORS, *SETS))
        if compared in SETS:
            return Compare(value, compared,
                           self._values.integers(node, "value", value.low, value.high))
        return Compare(value, compared, (node.integer("value", value.low, value.high),))

    def _event(self, node: YamlNode, value: Value) -> Event:
        kind = node.choice("event", EVENTS)
        if "value" in node:
            raise node.refused("value", "an event has 'to' in its place")
        directed = kind in ("rises", "falls")
        if kind == "becomes":
            to = self._values.integers(node, "to", value.low, value.high)
        else:
            to = (node.integer("to", value.low, value.high),) if "to" in node else ()
        by = node.integer("by", 1, 2**32) if "by" in node else 0
        if (to and kind == "changes") or (by and not directed):
            raise node.refused("to" if to else "by", f"the event {kind!r} has none")
        if directed and to and (by or value.modulo):
            raise node.refused("to", "with it there is no 'by' and no 'modulo'")
        return Event(value, kind, to, by)
